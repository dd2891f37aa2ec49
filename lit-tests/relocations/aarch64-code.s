// Relocations in code: branches of every reach, page addresses, loads and stores of every width with low 12 bits, literals,
// GOT loads, and the four parts of an absolute address.
//
// REQUIRES: aarch64, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c code.s && %clang -c other.s && %clang -fPIC -c main.c
// RUN: %same --native=-no-pie main.o code.o other.o | FileCheck %s
// RUN: %same --native=-no-pie main.o -lazy code.o -lazy other.o | FileCheck %s
//
// CHECK: bl 5 b 5 cond 5 test 5
// CHECK-NEXT: page 77 widths 1 2 4 8 16
// CHECK-NEXT: adr 77 literal 77 got 77 got-page 77 movw 77 prel 77
// CHECK-NEXT: libc 3 3
// CHECK-NEXT: status: 0

//--- code.s
        .text
        .macro  function name
        .globl  \name
        .type   \name, %function
\name:
        .endm
        function call_bl
        stp     x29, x30, [sp, #-16]!
        bl      five
        ldp     x29, x30, [sp], #16
        ret
        function call_b
        b       five
        function call_cond
        cmp     xzr, xzr
        b.eq    near_five
        ret
        function call_test
        tbz     xzr, #3, near_five
        ret
        function near_five
        mov     w0, #5
        ret
        function page
        adrp    x0, value
        add     x0, x0, :lo12:value
        ldr     w0, [x0]
        ret
        function load8
        adrp    x0, bytes
        ldrb    w0, [x0, :lo12:bytes]
        ret
        function load16
        adrp    x0, halves
        ldrh    w0, [x0, :lo12:halves]
        ret
        function load32
        adrp    x0, words
        ldr     w0, [x0, :lo12:words]
        ret
        function load64
        adrp    x0, doubles
        ldr     x0, [x0, :lo12:doubles]
        ret
        function load128
        adrp    x0, quads
        ldr     q0, [x0, :lo12:quads]
        fmov    x0, d0
        ret
        function adr
        adr     x0, near_value
        ldr     w0, [x0]
        ret
        function literal
        ldr     w0, near_value
        ret
        function got
        adrp    x0, :got:value
        ldr     x0, [x0, :got_lo12:value]
        ldr     w0, [x0]
        ret
        function got_page
        adrp    x1, _GLOBAL_OFFSET_TABLE_
        ldr     x0, [x1, :gotpage_lo15:value]
        ldr     w0, [x0]
        ret
        function movw
        movz    x0, #:abs_g3:value
        movk    x0, #:abs_g2_nc:value
        movk    x0, #:abs_g1_nc:value
        movk    x0, #:abs_g0_nc:value
        ldr     w0, [x0]
        ret
        function prel
        adr     x1, .
        movz    x0, #:prel_g3:value + 4
        movk    x0, #:prel_g2_nc:value + 8
        movk    x0, #:prel_g1_nc:value + 12
        movk    x0, #:prel_g0_nc:value + 16
        add     x0, x0, x1
        ldr     w0, [x0]
        ret
        function libc_call
        stp     x29, x30, [sp, #-16]!
        adrp    x0, text
        add     x0, x0, :lo12:text
        bl      strlen
        ldp     x29, x30, [sp], #16
        ret
        function libc_got
        stp     x29, x30, [sp, #-16]!
        adrp    x0, text
        add     x0, x0, :lo12:text
        adrp    x1, :got:strlen
        ldr     x1, [x1, :got_lo12:strlen]
        blr     x1
        ldp     x29, x30, [sp], #16
        ret
        .globl  near_value
        .balign 8
near_value:
        .word   77
        .section .rodata.str1.1, "aMS", %progbits, 1
text:   .string "abc"
        .section .note.GNU-stack, "", %progbits
//--- other.s
        .globl  five, value, bytes, halves, words, doubles, quads
        .text
        .type   five, %function
five:   mov     w0, #5
        ret
        .data
        .balign 16
quads:  .xword  16, 0
doubles: .xword 8
words:  .word   4
value:  .word   77
halves: .hword  2
bytes:  .byte   1
        .section .note.GNU-stack, "", %progbits
//--- main.c
#include <stdio.h>
int call_bl(void), call_b(void), call_cond(void), call_test(void), page(void), load8(void), load16(void), load32(void), load64(void), load128(void),
    adr(void), literal(void), got(void), got_page(void), movw(void), prel(void), libc_call(void), libc_got(void);
int main(void) {
  printf("bl %d b %d cond %d test %d\n", call_bl(), call_b(), call_cond(), call_test());
  printf("page %d widths %d %d %d %d %d\n", page(), load8(), load16(), load32(), load64(), load128());
  printf("adr %d literal %d got %d got-page %d movw %d prel %d\n", adr(), literal(), got(), got_page(), movw(), prel());
  printf("libc %d %d\n", libc_call(), libc_got());
}
