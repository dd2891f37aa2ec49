#define PY_SSIZE_T_CLEAN
#include <Python.h>

static const char *const script =
    "import sys\n"
    "class Item:\n"
    "    def __init__(self, n): self.n = n\n"
    "    def __repr__(self): return f'Item({self.n})'\n"
    "def numbers():\n"
    "    try:\n"
    "        yield from (3, 1, 2)\n"
    "    finally:\n"
    "        print('closed')\n"
    "print(sys.version_info.major, 2 ** 100, sorted(map(Item, numbers()), key=lambda item: item.n))\n"
    "def fibonacci(n): return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)\n"
    "print(fibonacci(15), '%.3f' % 2.5, 'ß'.upper())\n"
    "try: fibonacci('x')\n"
    "except TypeError as error: print(type(error).__name__)\n";

/* No site packages: only what is in the archive, and its own standard library. */
int main(void) {
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  PyStatus status = Py_InitializeFromConfig(&config);
  if (PyStatus_Exception(status))
    Py_ExitStatusException(status);
  int failed = PyRun_SimpleString(script);
  return failed || Py_FinalizeEx() ? 1 : 7;
}
