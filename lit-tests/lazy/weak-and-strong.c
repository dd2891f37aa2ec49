// Weak functions among eager and lazy files: every caller gets the same definition, as in the static program.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c strong.c && %clang -fPIC -c weak.c && %clang -fPIC -c other.c
// RUN: %same main.o strong.o -lazy weak.o -lazy other.o | FileCheck %s --check-prefix=STRONG
// RUN: %same main.o -lazy weak.o -lazy strong.o -lazy other.o | FileCheck %s --check-prefix=STRONG
// RUN: %same main.o weak.o -lazy other.o -lazy strong.o | FileCheck %s --check-prefix=STRONG
// RUN: %same main.o -lazy weak.o -lazy other.o | FileCheck %s --check-prefix=WEAK
// RUN: %same main.o -lazy other.o -lazy weak.o | FileCheck %s --check-prefix=OTHER
//
// STRONG: 42 42 42 1
// WEAK: 1 1 1 1
// OTHER: 2 2 2 1

//--- main.c
#include <stdio.h>
int v(void), through_weak(void), through_other(void);
int (*address_in_weak(void))(void);
int main(void) { printf("%d %d %d %d\n", v(), through_weak(), through_other(), address_in_weak() == v); }
//--- strong.c
int v(void) { return 42; }
//--- weak.c
__attribute__((weak)) int v(void) { return 1; }
int through_weak(void) { return v(); }
int (*address_in_weak(void))(void) { return v; }
//--- other.c
__attribute__((weak)) int v(void) { return 2; }
int through_other(void) { return v(); }
