// A large local function of a lazy file is linked when it is called, not when its caller is: what it refers to may be missing until then.
// It does what it does in the linked program, however it is called, and has one address.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -ffunction-sections -c main.c && %clang -O1 -ffunction-sections -c lazy.c && %clang -O1 -ffunction-sections -c missing.c
// RUN: %same main.o -lazy lazy.o | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy lazy.o | FileCheck %s
// RUN: %rjitlink main.o -lazy lazy.o -lazy missing.o -- missing | FileCheck %s --check-prefixes=CHECK,UNCALLED
// RUN: not --crash %rjitlink main.o -lazy lazy.o -lazy missing.o -- missing call 2>&1 | FileCheck %s --check-prefix=CALLED
//
// CHECK: called: 36, tail: 36, conditional: -1 36, recursive: 5050
// CHECK-NEXT: many arguments: 1 2 3 4 5 6 7 8 1.5 2.5 9 10
// CHECK-NEXT: variable arguments: 6.5, structure: 3 4 5
// CHECK-NEXT: address: same, by table: 36, state: 4
// UNCALLED-NEXT: not called
// CALLED: Symbols not found: [ {{_?}}nowhere ]

//--- large.h
#define LARGE __attribute__((noinline))
extern volatile int one;
// Some instructions that do nothing, 256 bytes of them or more.
#define EIGHT one = one; one = one; one = one; one = one; one = one; one = one; one = one; one = one;
#define MUCH EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
//--- main.c
volatile int one = 1;
void everything(void), might_call(int);
#pragma weak might_call
int main(int argc, char **argv) {
  everything();
  if (argc > 1 && might_call)
    might_call(argc > 2);
  return 0;
}
//--- lazy.c
#include "large.h"
#include <stdarg.h>
#include <stdio.h>
static int state;
static LARGE int sum(int n) { MUCH state++; return n * (n + 1) / 2; }
static LARGE int tail(int n) { MUCH return sum(n * one); }
static LARGE int conditional(int n) { MUCH if (n < 0) return -1; return tail(n); }
static LARGE int odd(int);
static LARGE int even(int n) { MUCH return n == 0 ? 0 : n + odd(n - 1); }
static LARGE int odd(int n) { MUCH return n == 0 ? 0 : n + even(n - 1); }
static LARGE void many(int a, int b, int c, int d, int e, int f, int g, int h, double x, float y, long i, short j) {
  MUCH printf("many arguments: %d %d %d %d %d %d %d %d %g %g %ld %d\n", a, b, c, d, e, f, g, h, x, y, i, j);
}
static LARGE double variable(int n, ...) {
  MUCH
  va_list list;
  va_start(list, n);
  double all = 0;
  while (n--)
    all += va_arg(list, double);
  va_end(list);
  return all;
}
struct three { long a, b, c; };
static LARGE struct three three(long a) { MUCH return (struct three){a, a + 1, a + 2}; }
int (*volatile pointer)(int);
static int (*const table[])(int) = {sum, tail};
void everything(void) {
  printf("called: %d, tail: %d, conditional: %d %d, recursive: %d\n", sum(8), tail(8), conditional(-one), conditional(8), even(100));
  many(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5f, 9, 10);
  struct three s = three(3);
  printf("variable arguments: %g, structure: %ld %ld %ld\n", variable(3, 1.5, 2.0, 3.0), s.a, s.b, s.c);
  pointer = sum;
  printf("address: %s, by table: %d, state: %d\n", pointer == table[!one] ? "same" : "differs", table[one](8), state);
}
//--- missing.c
#include "large.h"
#include <stdio.h>
void nowhere(void);
static LARGE void rarely(void) { MUCH nowhere(); }
void might_call(int call) {
  if (call)
    rarely();
  puts("not called");
}
