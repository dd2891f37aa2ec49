// Relocations in data: absolute and relative to the place, 16 to 64 bits wide, each with an addend.
//
// REQUIRES: aarch64, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c data.s && %clang -c other.s && %clang -fPIC -c main.c
// RUN: %same --native=-no-pie main.o data.o other.o | FileCheck %s
// RUN: %same --native=-no-pie main.o -lazy data.o -lazy other.o | FileCheck %s
//
// CHECK: abs64 1 abs32 1 abs16 1235
// CHECK-NEXT: pc64 1 pc32 1
// CHECK-NEXT: status: 0

//--- data.s
        .data
        .globl  abs64, abs32, abs16, pc64, pc32
        .balign 8
abs64:  .xword  variable + 8
pc64:   .xword  variable + 8 - .
abs32:  .word   low + 1
pc32:   .word   variable + 8 - .
abs16:  .hword  tiny + 1
        .section .note.GNU-stack, "", %progbits
//--- other.s
        .globl  variable, low, tiny
        .data
        .balign 8
variable:
        .xword  1, 2, 3
        .set    low, 0x7ffffff0
        .set    tiny, 0x1234
        .section .note.GNU-stack, "", %progbits
//--- main.c
#include <stdio.h>
extern char variable[];
extern long abs64, pc64;
extern int abs32, pc32;
extern short abs16;
int main(void) {
  printf("abs64 %d abs32 %d abs16 %x\n", abs64 == (long)variable + 8, abs32 == 0x7ffffff1, abs16);
  printf("pc64 %d pc32 %d\n", (char *)&pc64 + pc64 == variable + 8, (char *)&pc32 + pc32 == variable + 8);
}
