# Relocations in data: absolute and relative to the place, 8 to 64 bits wide, to the GOT's base, sizes; each with an addend. The program
# adds up what it can check and prints it; the native linker's answer is the expectation.
#
# REQUIRES: x86_64, elf
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %clang -c data.s && %clang -c other.s && %clang -fPIC -c main.c
# RUN: %same --native=-no-pie main.o data.o other.o | FileCheck %s
# RUN: %same --native=-no-pie main.o -lazy data.o -lazy other.o | FileCheck %s
#
# CHECK: abs64 1 abs32 1 abs32s 1
# CHECK-NEXT: abs16 1235 abs8 13
# CHECK-NEXT: pc64 1 pc32 1 plt32 called
# CHECK-NEXT: size 24 26
# CHECK-NEXT: status: 0

#--- data.s
        .data
        .globl  abs64, abs32, abs32s, abs16, abs8, pc64, pc32, plt32, size32, size64
        .balign 8
abs64:  .quad   variable + 8
pc64:   .quad   variable + 8 - .
size64: .quad   variable@SIZE + 2
abs32:  .long   low + 1
        .reloc  abs32s, R_X86_64_32S, negative - 1
abs32s: .long   0
pc32:   .long   variable + 8 - .
plt32:  .long   function@PLT - .
size32: .long   variable@SIZE
abs16:  .short  tiny + 1
abs8:   .byte   small + 1
        .section .note.GNU-stack, "", @progbits
#--- other.s
        .globl  variable, low, negative, tiny, small, function
        .data
        .type   variable, @object
        .size   variable, 24
variable:
        .quad   1, 2, 3
        .set    low, 0x7ffffff0
        .set    negative, -16
        .set    tiny, 0x1234
        .set    small, 0x12
        .text
        .type   function, @function
function:
        ret
        .section .note.GNU-stack, "", @progbits
#--- main.c
#include <stdio.h>
extern char variable[];
extern long abs64, pc64, size64;
extern int abs32, abs32s, pc32, plt32, size32;
extern short abs16;
extern char abs8;
void function(void);
int main(void) {
  printf("abs64 %d abs32 %d abs32s %d\n", abs64 == (long)variable + 8, abs32 == 0x7ffffff1, abs32s == -17);
  printf("abs16 %x abs8 %x\n", abs16, abs8);
  void (*through_plt32)(void) = (void (*)(void))((char *)&plt32 + plt32);
  through_plt32();
  printf("pc64 %d pc32 %d plt32 called\n", (char *)&pc64 + pc64 == variable + 8, (char *)&pc32 + pc32 == variable + 8);
  printf("size %d %ld\n", size32, size64);
}
