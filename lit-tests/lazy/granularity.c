// With sections per function, an unresolved reference of a function that is not called does no harm: what is linked at a first
// call is the function and what it reaches. `-lazy-granularity=object` links the whole file, as llvm-jitlink does.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -ffunction-sections -fdata-sections -c lib.c
// RUN: %rjitlink main.o -lazy lib.o | FileCheck %s
// RUN: %rjitlink -lazy-granularity=function main.o -lazy lib.o | FileCheck %s
// RUN: not --crash %rjitlink -lazy-granularity=object main.o -lazy lib.o 2>&1 | FileCheck %s --check-prefix=OBJECT
// RUN: not %rjitlink main.o lib.o 2>&1 | FileCheck %s --check-prefix=EAGER
//
// CHECK: called 3 2
// OBJECT: error resolving implementation for stub 0x{{[0-9a-f]+}}:
// OBJECT: missing
// EAGER: rjitlink: error: Symbols not found:
// EAGER-NEXT: missing is referred to by lib.o

//--- main.c
#include <stdio.h>
int called(int), uncalled(int);
int main(int argc, char **argv) {
  if (argc > 100)
    uncalled(argc);
  int n = called(1);
  printf("called %d %d\n", n, called(0));
}
//--- lib.c
int missing(int);
extern int missing_data;
__attribute__((noinline)) static int reached(int n) { return n + 1; }
int called(int n) { return reached(n) + 1; }
int uncalled(int n) { return missing(n) + missing_data; }
