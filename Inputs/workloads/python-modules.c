// A CPython that imports extension modules: shared libraries that use the interpreter's functions and data, which the program defines.
#include <Python.h>
int main(void) {
  Py_Initialize();
  int result = PyRun_SimpleString("import math, json, ssl, sqlite3, ctypes, hashlib, decimal, zlib, threading\n"
                                  "print(math.sqrt(2), json.dumps({'a': [1, 2.5, None]}), ssl.OPENSSL_VERSION[:7])\n"
                                  "connection = sqlite3.connect(':memory:')\n"
                                  "connection.execute('create table t(a)')\n"
                                  "connection.executemany('insert into t values(?)', [(i,) for i in range(10)])\n"
                                  "print(connection.execute('select sum(a) from t').fetchall(), hashlib.sha256(b'x').hexdigest()[:16])\n"
                                  "print(ctypes.CDLL(None).strlen(b'hello'), decimal.Decimal(1) / 7, zlib.crc32(b'abc'))\n"
                                  "callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)\n"
                                  "print(callback(41), ctypes.pythonapi.Py_IsInitialized())\n");
  return Py_FinalizeEx() + result + 5;
}
