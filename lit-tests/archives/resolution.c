// What pulls a member: an undefined strong reference. Not a weak one, nor a symbol that is already defined or common.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fcommon -c main.c && %clang -c weak.c && %clang -c common.c && %clang -c first.c && %clang -c second.c && %clang -c cycle.c
// RUN: llvm-ar rcs lib.a weak.o common.o first.o cycle.o && llvm-ar rcs second.a second.o
// RUN: %same main.o lib.a second.a | FileCheck %s
// RUN: %rjitlink -show-linked-files main.o lib.a second.a | FileCheck %s --check-prefix=LINKED --implicit-check-not='(weak.o)' --implicit-check-not='(second.o)'
// RUN: %same main.o -lazy lib.a -lazy second.a | FileCheck %s
//
// CHECK: 1 0 back 4
// LINKED: Linking main.o

//--- main.c
#include <stdio.h>
__attribute__((weak)) int weak(void);
int both(void), cycle(int);
int shared;
int back(int n) { return n + 1; }
int main(void) { printf("%d %d back %d\n", both(), weak ? weak() : shared, cycle(3)); }
//--- weak.c
int weak(void) { return 100; }
//--- common.c
int unrelated_common = 5;
//--- first.c
int both(void) { return 1; }
//--- second.c
int both(void) { return 2; }
//--- cycle.c
int back(int);
int cycle(int n) { return back(n); }
