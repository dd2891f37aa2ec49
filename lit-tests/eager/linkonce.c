// `.gnu.linkonce` sections: the first file's copy is used, the others are dropped.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -DVALUE=1 -c copy.c -o one.o && %clang -DVALUE=2 -c copy.c -o two.o
// RUN: %same main.o one.o two.o | FileCheck %s --check-prefix=ONE
// RUN: %same main.o two.o one.o | FileCheck %s --check-prefix=TWO
//
// ONE: 1
// TWO: 2

//--- main.c
#include <stdio.h>
int copy(void);
int main(void) { printf("%d\n", copy()); }
//--- copy.c
__attribute__((weak, section(".gnu.linkonce.t.copy"))) int copy(void) { return VALUE; }
