# Every register a call may carry something in is, on entry to a lazy function, what it was at the call: the argument registers and
# what conventions beyond the psABI's use (rax: number of vector arguments; r10: static chain; callee-saved ones; r11, of which gcc's
# -fipa-ra may know that a function of the same file leaves it alone).
#
# REQUIRES: x86_64
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %clang -c main.S && %clang -c callee.S && %clang -c check.c
# RUN: %same main.o -lazy callee.o check.o | FileCheck %s
#
# CHECK: 0 registers differ
# CHECK-NEXT: status: 0

#--- names.h
// What differs between object formats.
#ifdef __APPLE__
#define SYM(name) _##name
#define FUNCTION(name)
#define PLT(name) _##name
#define CONSTANTS .section __TEXT,__const
#define END .subsections_via_symbols
#else
#define SYM(name) name
#define FUNCTION(name) .type name, @function
#define PLT(name) name@PLT
#define CONSTANTS .section .rodata, "a", @progbits
#define END .section .note.GNU-stack, "", @progbits
#endif
#--- main.S
#include "names.h"
        .globl  SYM(main)
        FUNCTION(main)
SYM(main):
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        leaq    vectors(%rip), %rax
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movups  16*\number(%rax), %xmm\number
        .endr
        movabsq $0xa0000000000000a0, %rax
        movabsq $0xa1000000000000a1, %rbx
        movabsq $0xa2000000000000a2, %rcx
        movabsq $0xa3000000000000a3, %rdx
        movabsq $0xa4000000000000a4, %rsi
        movabsq $0xa5000000000000a5, %rdi
        movabsq $0xa6000000000000a6, %rbp
        movabsq $0xa8000000000000a8, %r8
        movabsq $0xa9000000000000a9, %r9
        movabsq $0xaa000000000000aa, %r10
        movabsq $0xab000000000000ab, %r11
        movabsq $0xac000000000000ac, %r12
        movabsq $0xad000000000000ad, %r13
        movabsq $0xae000000000000ae, %r14
        movabsq $0xaf000000000000af, %r15
        call    PLT(callee)
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        jmp     PLT(check)
        CONSTANTS
vectors:
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        .quad   0x1000 + \number, 0x2000 + \number
        .endr
        END
#--- callee.S
#include "names.h"
        .globl  SYM(callee)
        FUNCTION(callee)
SYM(callee):
        pushq   %rax
        movq    SYM(seen)@GOTPCREL(%rip), %rax
        popq    0(%rax)
        movq    %rbx, 8(%rax)
        movq    %rcx, 16(%rax)
        movq    %rdx, 24(%rax)
        movq    %rsi, 32(%rax)
        movq    %rdi, 40(%rax)
        movq    %rbp, 48(%rax)
        movq    $0, 56(%rax)
        movq    %r8, 64(%rax)
        movq    %r9, 72(%rax)
        movq    %r10, 80(%rax)
        movq    %r11, 88(%rax)
        movq    %r12, 96(%rax)
        movq    %r13, 104(%rax)
        movq    %r14, 112(%rax)
        movq    %r15, 120(%rax)
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movups  %xmm\number, 128+16*\number(%rax)
        .endr
        ret
        END
#--- check.c
#include <stdio.h>
unsigned long seen[48];
int check(void) {
  int differ = 0;
  for (unsigned long i = 0; i < 16; i++) {
    unsigned long expected = i == 7 ? 0 : (0xa0 + i) << 56 | (0xa0 + i);
    if (seen[i] != expected && ++differ)
      printf("general %lu: %lx\n", i, seen[i]);
    if ((seen[16 + 2 * i] != 0x1000 + i || seen[17 + 2 * i] != 0x2000 + i) && ++differ)
      printf("xmm%lu: %lx %lx\n", i, seen[16 + 2 * i], seen[17 + 2 * i]);
  }
  printf("%d registers differ\n", differ);
  return differ;
}
