// Relocations of a file that is linked whole are read again when they are applied, unless somebody looks at graphs: the program is the same,
// whatever is between them that must be kept. Accesses through the GOT and branches to what may be far away are kept one by one, sequences
// of thread-local accesses with all of their section.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -O1 -fPIC -c other.c && %clang -O1 -fPIE -c weak.c && %clang -O1 -fPIC -c local.c
// RUN: %same main.o other.o weak.o local.o | FileCheck %s
// RUN: %rjitlink main.o other.o weak.o local.o > without
// RUN: %rjitlink -time-trace=trace.json main.o other.o weak.o local.o > with
// RUN: cmp without with
//
// CHECK: 5 7 28 3 1
// CHECK-NEXT: absent 0
// CHECK-NEXT: threads 40 41
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>

int five(int), calls(int), weak(void), next(void);
extern int variable, *pointers[3];
extern int (*functions[2])(int);

int main(void) {
  printf("%d %d %d %d %d\n", five(0), variable, functions[0](0) + functions[1](2), *pointers[2], calls(3) == 21);
  printf("absent %d\n", weak());
  printf("threads %d %d\n", next(), next());
}

//--- other.c
// In one section: calls of functions that are static, global and of the C library, addresses by the GOT and in place.
#include <stdlib.h>

int variable = 7;
static int values[3] = {1, 2, 3};
int *pointers[3] = {values, &variable, values + 2};
__attribute__((noinline)) static int local(int n) { return n + values[n % 3]; }
__attribute__((noinline)) int five(int n) { return abs(n - 5); }
__attribute__((noinline)) int calls(int n) { return local(n) + five(n) + *pointers[1] + variable - values[0] - n + abs(-n) - values[1] + 4; }
int (*functions[2])(int) = {five, calls};

//--- weak.c
// A branch to null is out of reach.
__attribute__((weak)) int absent(void);
static int zero;
int weak(void) { return absent ? absent() : zero; }

//--- local.c
_Thread_local int count = 40;
int next(void) { return count++; }
