// Recursive functions, and two lazy files that call each other, the first calls made inside first calls.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c even.c && %clang -c odd.c && %clang -O2 -c factorial.c
// RUN: %same main.o -lazy even.o -lazy odd.o -lazy factorial.o | FileCheck %s
//
// CHECK: 1 0 1
// CHECK-NEXT: 3628800
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
int even(unsigned), odd(unsigned);
unsigned long factorial(unsigned);
int main(void) {
  printf("%d %d %d\n", even(1000), even(7), odd(20001));
  printf("%lu\n", factorial(10));
}
//--- even.c
int odd(unsigned);
int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }
//--- odd.c
int even(unsigned);
int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }
//--- factorial.c
unsigned long factorial(unsigned n);
__attribute__((noinline)) static unsigned long times(unsigned n) { return n * factorial(n - 1); }
unsigned long factorial(unsigned n) { return n < 2 ? 1 : times(n); }
