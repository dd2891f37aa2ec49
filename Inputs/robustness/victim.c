// Small, yet with one of each kind of thing an object file has: groups, initializers, common and weak symbols, relocations in code
// and data, zero-filled memory, unwind records, mergeable strings.
int external(int);
__attribute__((weak)) int maybe(void);
int common_symbol;
static int zeroed[4];
int initialized = 3;
int *pointer = &initialized;
__attribute__((noinline)) static int local(int n) { return n + zeroed[n & 3]; }
__attribute__((weak)) int weak(int n) { return n; }
__attribute__((constructor)) static void initializer(void) { zeroed[0] = 1; }
#ifdef __APPLE__
_Thread_local int counted = 1;
_Thread_local int *zero;
int count(void) { return counted++ + (zero == 0); }
#endif
int external(int n) { return local(n) + common_symbol; }
const char *text(void) { return "text"; }
int main(void) {
  if (maybe)
    return maybe();
  return external(*pointer) + weak(2) + text()[0];
}
