// Harness objects replace symbols of the objects under test, local ones too, see their local symbols, and have the entry point.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O0 -fPIC -c harness.c && %clang -O0 -fPIC -c tested.c && %clang -O0 -fPIC -c more.c
// RUN: %rjitlink tested.o more.o -harness harness.o | FileCheck %s
// RUN: %rjitlink tested.o more.o -args unused -harness harness.o | FileCheck %s
// RUN: %rjitlink tested.o more.o -harness harness.o -args unused | FileCheck %s
// RUN: not %rjitlink tested.o -harness harness.o 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: %rjitlink -phony-externals tested.o -harness harness.o | FileCheck %s
//
// CHECK: mock 1
// CHECK: tested 42
// CHECK: secret 5
// MISSING: Symbols not found: [ never_called ]

//--- harness.c
#include <stdio.h>
int calls;
int fetch(int n) { printf("mock %d\n", ++calls); return n; }
int tested(int n);
extern int secret;
int main(void) {
  printf("tested %d\n", tested(41));
  printf("secret %d\n", secret);
  return 0;
}
//--- tested.c
void never_called(void);
int fetch(int n) { never_called(); return -n; }
static int secret __attribute__((used)) = 5;
int tested(int n) { return fetch(n) + 1; }
int main(void) { return 1; }
//--- more.c
void never_called(void) {}
