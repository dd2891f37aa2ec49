// Arguments of every kind reach a function through its first call as they do through its second, and results come back.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O0 -c main.c -o main0.o && %clang -O2 -c main.c -o main2.o && %clang -O2 -c callee.c
// RUN: %same main0.o -lazy callee.o | FileCheck %s
// RUN: %same main2.o -lazy callee.o | FileCheck %s
//
// CHECK: integers 1 2 3 4 5 6 7 8 9 10
// CHECK-NEXT: integers 1 2 3 4 5 6 7 8 9 10
// CHECK-NEXT: doubles 0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5
// CHECK-NEXT: doubles 0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5
// CHECK-NEXT: mixed 1 1.5 c 2.5 -3 4.25 5
// CHECK-NEXT: mixed 1 1.5 c 2.5 -3 4.25 5
// CHECK-NEXT: vectors 0 28
// CHECK-NEXT: vectors 0 28
// CHECK-NEXT: struct 1 2.5 3
// CHECK-NEXT: big 7 7 7
// CHECK-NEXT: big 7 7 7
// CHECK-NEXT: small 3 0.25
// CHECK-NEXT: small 3 0.25
// CHECK-NEXT: wide 5 -5
// CHECK-NEXT: wide 5 -5
// CHECK-NEXT: variadic 1 2.5 three 4 5.5 6
// CHECK-NEXT: variadic 1 2.5 three 4 5.5 6
// CHECK-NEXT: complex 4 -2
// CHECK-NEXT: status: 0

//--- callee.h
#include <stdarg.h>
#include <stdio.h>
typedef float V __attribute__((vector_size(16)));
typedef struct { long a; double b; int c; } Mixed;
typedef struct { long values[20]; } Big;
typedef struct { int n; float f; } Small;
void integers(int, long, short, char, int, long, int, int, int, long);
void doubles(double, double, double, double, double, double, double, double, double, float);
void mixed(int, double, char, float, long long, double, unsigned char);
void vectors(V, V, V, V, V, V, V, V);
void by_value(Mixed);
Big big(long);
Small small(int, float);
__int128 wide(__int128, long double);
void variadic(int, ...);
double _Complex twice(double _Complex);
//--- callee.c
#include "callee.h"
void integers(int a, long b, short c, char d, int e, long f, int g, int h, int i, long j) {
  printf("integers %d %ld %d %d %d %ld %d %d %d %ld\n", a, b, c, d, e, f, g, h, i, j);
}
void doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, float j) {
  printf("doubles %g %g %g %g %g %g %g %g %g %g\n", a, b, c, d, e, f, g, h, i, j);
}
void mixed(int a, double b, char c, float d, long long e, double f, unsigned char g) {
  printf("mixed %d %g %c %g %lld %g %d\n", a, b, c, d, e, f, g);
}
void vectors(V a, V b, V c, V d, V e, V f, V g, V h) {
  V sum = a + b + c + d + e + f + g + h;
  printf("vectors %g %g\n", sum[0], sum[3]);
}
void by_value(Mixed m) { printf("struct %ld %g %d\n", m.a, m.b, m.c); }
Big big(long n) {
  Big result;
  for (int i = 0; i < 20; i++)
    result.values[i] = n;
  return result;
}
Small small(int n, float f) { return (Small){n, f}; }
__int128 wide(__int128 n, long double x) { return n + (__int128)x; }
void variadic(int first, ...) {
  va_list list;
  va_start(list, first);
  double b = va_arg(list, double);
  char *c = va_arg(list, char *);
  long d = va_arg(list, long);
  double e = va_arg(list, double);
  printf("variadic %d %g %s %ld %g %d\n", first, b, c, d, e, va_arg(list, int));
  va_end(list);
}
double _Complex twice(double _Complex z) { return 2 * z; }
//--- main.c
#include "callee.h"
int main(void) {
  for (int i = 0; i < 2; i++)
    integers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  for (int i = 0; i < 2; i++)
    doubles(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5f);
  for (int i = 0; i < 2; i++)
    mixed(1, 1.5, 'c', 2.5f, -3, 4.25, 5);
  V v[8];
  for (int i = 0; i < 8; i++)
    v[i] = (V){0, 0, 0, i};
  for (int i = 0; i < 2; i++)
    vectors(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  by_value((Mixed){1, 2.5, 3});
  for (int i = 0; i < 2; i++) {
    Big b = big(7);
    printf("big %ld %ld %ld\n", b.values[0], b.values[10], b.values[19]);
  }
  for (int i = 0; i < 2; i++) {
    Small s = small(3, 0.25f);
    printf("small %d %g\n", s.n, s.f);
  }
  for (int i = 0; i < 2; i++) {
    __int128 w = wide(((__int128)5 << 64) + 3, -8.0L);
    printf("wide %ld %ld\n", (long)(w >> 64) + (w < 0) + ((long)w < 0), (long)w);
  }
  for (int i = 0; i < 2; i++)
    variadic(1, 2.5, "three", 4L, 5.5, 6);
  double _Complex z = twice(2 - 1i);
  printf("complex %g %g\n", __real__ z, __imag__ z);
}
