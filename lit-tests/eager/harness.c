// `-harness`: what the harness leaves undefined is found even if it is static in the test object; what it defines replaces
// the test object's own.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c harness.c && %clang -c test.c
// RUN: %rjitlink test.o -harness harness.o | FileCheck %s
//
// CHECK: inner 7 replaced 1

//--- harness.c
#include <stdio.h>
int inner(void), outer(void);
int dependency(void) { return 1; }
int main(void) { printf("inner %d replaced %d\n", inner(), outer()); }
//--- test.c
__attribute__((noinline, used)) static int inner(void) { return 7; }
int dependency(void) { return 100; }
int outer(void) { return dependency(); }
