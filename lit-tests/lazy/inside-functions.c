// An address inside a function, given as the function and a distance, is in its body and not beside its entry point: tables of
// runtimes and hand-written code have such addresses. The file is linked for it.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c code.c && %clang -c table.s
// RUN: %same main.o code.o table.o | FileCheck %s
// RUN: %same main.o -lazy code.o table.o | FileCheck %s
// RUN: %same main.o -lazy code.o -lazy table.o | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy code.o -lazy table.o | FileCheck %s
//
// CHECK: end 1 40
// CHECK-NEXT: 0123456789abcdef
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
extern const char *const table[];
long size(void);
int forty(void);
int main(void) {
  printf("end %d %d\n", table[1] - table[0] == size(), forty());
  printf("%.16s\n", table[2]);
}
//--- code.c
extern const char start[], end[];
// The literal stands in the code of a function that nobody calls; its name is a function's.
__asm__(".text\n.globl start, end\nstart: .ascii \"some text before \"\n"
        ".globl literal\n.type literal, %function\nliteral: .ascii \"wxyz0123456789abcdef\"\n.size literal, .-literal\nend: .byte 0\n.balign 16");
long size(void) { return end - start; }
int forty(void) { return 40; }
//--- table.s
.section .data.rel.ro,"aw"
.globl table
.balign 8
table:
.quad literal-17
.quad literal+20
.quad literal+4
.section .note.GNU-stack,"",%progbits
