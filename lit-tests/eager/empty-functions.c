// A function of which the compiler left nothing has an address all the same.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O2 -ffunction-sections -c main.c && %clang -c empty.s
// RUN: %same main.o empty.o | FileCheck %s
// RUN: %same main.o -lazy empty.o | FileCheck %s
//
// CHECK: 1

//--- main.c
#include <stdio.h>
void nothing(void);
extern char behind[];
int main(void) {
  void (*volatile f)(void) = nothing;
  printf("%d\n", f != 0 && behind != 0);
}
//--- empty.s
        .section .text.nothing,"ax",%progbits
        .globl  nothing
        .type   nothing, %function
nothing:
        .size   nothing, 0
        .section .data.behind,"aw",%progbits
        .globl  behind
behind:
        .section .note.GNU-stack,"",%progbits
