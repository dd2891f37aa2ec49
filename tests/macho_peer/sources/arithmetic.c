// Wide integers, vectors, complex and floating-point constants, atomics, big frames: constant pools and calls of the compiler's library.
// flags:
// flags: -fstack-protector-all -ftrapv
// flags: -ffast-math -fno-math-errno
#ifdef __aarch64__
#define LSE __attribute__((target("lse")))
#else
#define LSE
#endif
typedef __int128 wide;
typedef float floats __attribute__((ext_vector_type(4)));
typedef double doubles __attribute__((ext_vector_type(8)));
typedef unsigned char bytes __attribute__((ext_vector_type(16)));

wide global = (wide)1 << 100;
floats colours[2] = {{1, 2, 3, 4}, {5, 6, 7, 8}};

wide multiply(wide a, wide b) { return a * b; }
wide divide(wide a, wide b) { return a / b + a % b; }
double widen(wide a) { return (double)a; }
wide narrow(double a) { return (wide)a + global; }
floats mix(floats a, floats b) { return a * colours[1] + b.wzyx * 0.25f; }
doubles many(doubles a) { return a * 1.1 + (doubles){1, 2, 3, 4, 5, 6, 7, 8}; }
bytes shuffle(bytes a, bytes b) {
  return __builtin_shufflevector(a, b, 31, 0, 30, 1, 29, 2, 28, 3, 27, 4, 26, 5, 25, 6, 24, 7);
}
_Complex double square(_Complex double z) { return z * z / (1.0 + 2.0i); }
long double longer(long double x) { return x * 1.25L + 3; }
float constants(int which) { return which ? 3.25f : which + 0.1f; }
double remainder_of(double a, double b) { return __builtin_fmod(a, b) + __builtin_sin(a) + __builtin_cos(a); }
int count(unsigned long x) { return __builtin_popcountl(x) + __builtin_clzl(x | 1) + __builtin_ctzl(x | 2); }

_Atomic int counter;
_Atomic wide pair;
LSE int next(void) { return __c11_atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST); }
int exchange(int old, int new) { return __c11_atomic_compare_exchange_strong(&counter, &old, new, 5, 5); }
LSE wide swap_pair(wide value) { return __c11_atomic_exchange(&pair, value, __ATOMIC_ACQ_REL); }
_Bool overflows(long a, long b, long *sum) { return __builtin_mul_overflow(a, b, sum); }

void fill(char *, int);
int frame(int size) {
  char fixed[20000];
  char variable[size];
  fill(fixed, sizeof fixed);
  fill(variable, size);
  char *more = __builtin_alloca(size * 2);
  fill(more, size);
  return fixed[size] + variable[0] + more[1];
}
struct Big {
  long words[30];
};
struct Big copied(struct Big big, int index) {
  big.words[index] = (long)&global;
  return big;
}
int variadic(int count, ...) {
  __builtin_va_list list;
  __builtin_va_start(list, count);
  int sum = 0;
  while (count--)
    sum += __builtin_va_arg(list, int) + (int)__builtin_va_arg(list, double);
  __builtin_va_end(list);
  return sum;
}
int call_variadic(void) { return variadic(2, 1, 1.5, 2, 2.5); }
