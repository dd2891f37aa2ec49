// First calls with every kind of argument and result: many integers and doubles, variable arguments, structures by value, long double, __int128,
// complex numbers, vectors; recursion, mutual recursion, tail calls; errno and the rounding mode across a first call.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=callee.c --work=%t/objects -lm | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- calls.h
#include <complex.h>
#include <stdarg.h>
struct small { char a; short b; };
struct pair { double d; long l; };
struct big { int values[20]; };
typedef float vector __attribute__((vector_size(16)));
int ints(int, int, int, int, int, int, int, int, int, int);
double doubles(double, double, double, double, double, double, double, double, double, double);
double variable(int count, ...);
long sum_list(int count, va_list list);
struct small by_small(struct small);
struct pair by_pair(struct pair);
struct big by_big(struct big, int);
long double long_doubles(long double, double);
__int128 wide(__int128, unsigned __int128);
double complex complexes(double complex, float complex);
vector vectors(vector, vector);
int recursive(int), even(int), odd(int), ackermann(int, int), tail(int, int);
int read_errno(void), rounding(void), many_kinds(char, short, float, long, double, void *, _Bool);
static inline struct pair pair_of(double d, long l) { return (struct pair){d, l}; }
//--- main.c
#include "calls.h"
#include <errno.h>
#include <fenv.h>
#include <stdio.h>
static long pass_list(int count, ...) {
  va_list list;
  va_start(list, count);
  long sum = sum_list(count, list);
  va_end(list);
  return sum;
}
int main(void) {
  printf("%d %g\n", ints(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), doubles(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  printf("%g %ld\n", variable(5, 1, 2.5, 3, 4.5, 5), pass_list(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L));
  struct small small = by_small((struct small){1, 2});
  struct pair pair = by_pair(pair_of(1.5, 4));
  struct big big = by_big((struct big){{1, 2, 3}}, 7);
  printf("%d %d %g %ld %d %d\n", small.a, small.b, pair.d, pair.l, big.values[2], big.values[19]);
  printf("%Lg %lld\n", long_doubles(1.25L, 2), (long long)(wide((__int128)1 << 70, 3) >> 60));
  double complex z = complexes(1 + 2 * I, 3 - 1 * I);
  vector v = vectors((vector){1, 2, 3, 4}, (vector){5, 6, 7, 8});
  printf("%g %g %g %g\n", creal(z), cimag(z), v[0], v[3]);
  printf("%d %d %d %d %d\n", recursive(15), even(101), odd(7), ackermann(2, 3), tail(100000, 0));
  errno = 77;
  int first = read_errno();
  fesetround(FE_UPWARD);
  int mode = rounding();
  int after = fegetround() == FE_UPWARD;
  fesetround(FE_TONEAREST);
  printf("%d %d %d %d\n", first, errno, mode, after);
  printf("%d\n", many_kinds(1, 2, 3, 4, 5, &small, 1));
}
//--- callee.c
#include "calls.h"
#include <errno.h>
#include <fenv.h>
int ints(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) { return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j; }
double doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) { return a - b * c + d * e - f + g / h * i + j * 100; }
double variable(int count, ...) {
  va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; i++)
    sum += i % 2 ? va_arg(list, double) : va_arg(list, int);
  va_end(list);
  return sum;
}
long sum_list(int count, va_list list) {
  long sum = 0;
  for (int i = 1; i <= count; i++)
    sum += i * va_arg(list, long);
  return sum;
}
struct small by_small(struct small s) { return (struct small){s.b, s.a + 10}; }
struct pair by_pair(struct pair p) { return pair_of(p.l, (long)(p.d * 2)); }
struct big by_big(struct big b, int n) { b.values[19] = n + b.values[0]; return b; }
long double long_doubles(long double a, double b) { return a * b; }
__int128 wide(__int128 a, unsigned __int128 b) { return a * b; }
double complex complexes(double complex a, float complex b) { return a * b; }
vector vectors(vector a, vector b) { return a * b; }
int recursive(int n) { return n < 2 ? n : recursive(n - 1) + recursive(n - 2); }
int even(int n) { return n == 0 ? 1 : odd(n - 1); }
int odd(int n) { return n == 0 ? 0 : even(n - 1); }
int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
int tail(int n, int sum) { return n == 0 ? sum : tail(n - 1, sum + (n & 3)); }
int read_errno(void) { int was = errno; errno = 5; return was; }
int rounding(void) { return fegetround() == FE_UPWARD; }
int many_kinds(char a, short b, float c, long d, double e, void *f, _Bool g) { return a + b + (int)c + (int)d + (int)e + *(char *)f + g; }
