// A lazy function is linked exactly when it is called, once.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -I%inputs/lazy -o main.o
// RUN: %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: %clang -c %inputs/lazy/x.c -o x.o
// RUN: %rjitlink -show-linked-files main.o -lazy foo.o -lazy x.o > default.out
// RUN: FileCheck %s < default.out --implicit-check-not='Linking foo.o'
// RUN: %rjitlink -num-threads=1 -show-linked-files main.o -lazy foo.o -lazy x.o > one.out
// RUN: FileCheck %s < one.out --implicit-check-not='Linking foo.o'
// RUN: %rjitlink -num-threads=16 -show-linked-files main.o -lazy foo.o -lazy x.o > sixteen.out
// RUN: FileCheck %s < sixteen.out --implicit-check-not='Linking foo.o'
// RUN: %same main.o -lazy foo.o -lazy x.o
//
// CHECK: Linking x.o
// CHECK: before the call
// CHECK: Linking foo.o
// CHECK-NEXT: in foo
// CHECK-NEXT: after the call
// CHECK-NEXT: in foo

#include "say.h"

int foo(void);
extern int x;

int main(void) {
  say("before the call");
  int first = foo();
  say("after the call");
  return first + foo() - 2 * x;
}
