// Every relocation type of arm64 but signed pointers, each used so that the program's answer depends on it: page addresses with loads of every
// width, addends, GOT loads that are consecutive or share an adrp, pointers to GOT entries, differences in both directions and widths.
//
// REQUIRES: aarch64
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwin -c code.s && %darwin -c other.s && %darwin -O1 -c main.c
// RUN: llvm-objdump -r code.o | FileCheck %s --check-prefix=TYPES
// RUN: %lazily main.o code.o other.o | FileCheck %s
// RUN: %lazily main.o -lazy code.o -lazy other.o | FileCheck %s
//
// TYPES-DAG: ARM64_RELOC_UNSIGNED
// TYPES-DAG: ARM64_RELOC_SUBTRACTOR
// TYPES-DAG: ARM64_RELOC_BRANCH26
// TYPES-DAG: ARM64_RELOC_PAGE21
// TYPES-DAG: ARM64_RELOC_PAGEOFF12
// TYPES-DAG: ARM64_RELOC_GOT_LOAD_PAGE21
// TYPES-DAG: ARM64_RELOC_GOT_LOAD_PAGEOFF12
// TYPES-DAG: ARM64_RELOC_POINTER_TO_GOT
// TYPES-DAG: ARM64_RELOC_ADDEND
//
// CHECK: branch 5 5
// CHECK-NEXT: widths 1 2 4 8 16
// CHECK-NEXT: addend 79 5
// CHECK-NEXT: got 77 77
// CHECK-NEXT: got pointers 77 77
// CHECK-NEXT: differences 1 1 1 1
// CHECK-NEXT: pointers 77 79 1
// CHECK-NEXT: status: 0

//--- code.s
        .section __TEXT,__text,regular,pure_instructions
        .macro  function name
        .globl  \name
        .p2align 2
\name:
        .endm
        function _branch
        stp     x29, x30, [sp, #-16]!
        bl      _five
        ldp     x29, x30, [sp], #16
        ret
        function _tail
        b       _five
        function _load8
        adrp    x0, _bytes@PAGE
        ldrb    w0, [x0, _bytes@PAGEOFF]
        ret
        function _load16
        adrp    x0, _halves@PAGE
        ldrh    w0, [x0, _halves@PAGEOFF]
        ret
        function _load32
        adrp    x0, _words@PAGE
        ldr     w0, [x0, _words@PAGEOFF]
        ret
        function _load64
        adrp    x0, _doubles@PAGE
        ldr     x0, [x0, _doubles@PAGEOFF]
        ret
        function _load128
        adrp    x0, _quads@PAGE
        ldr     q0, [x0, _quads@PAGEOFF]
        fmov    x0, d0
        ret
        function _addend
        adrp    x0, _values@PAGE + 8
        add     x0, x0, _values@PAGEOFF + 8
        ldr     w0, [x0]
        ret
        function _branch_addend
        b       _late + 4
        function _late
        brk     #1
        mov     w0, #5
        ret
        function _got_load
        adrp    x0, _value@GOTPAGE
        ldr     x0, [x0, _value@GOTPAGEOFF]
        ldr     w0, [x0]
        ret
        // Two loads share an adrp: neither may become an address computation.
        function _got_shared
        adrp    x8, _value@GOTPAGE
        cbz     x0, 1f
        ldr     x8, [x8, _value@GOTPAGEOFF]
        ldr     w0, [x8]
        ret
1:      ldr     x9, [x8, _value@GOTPAGEOFF]
        ldr     w0, [x9]
        ret
        function _got_pointer
        adrp    x0, _to_got@PAGE
        add     x0, x0, _to_got@PAGEOFF
        ldrsw   x1, [x0]
        ldr     x0, [x0, x1]
        ldr     w0, [x0]
        ret
        .data
        .p2align 4
_quads: .quad   16, 0
_doubles: .quad 8
_words: .long   4
_halves: .short 2
_bytes: .byte   1
        .globl  _delta64, _delta32, _negative64, _negative32, _pointer, _pointer_middle, _pointer_section, _got_entry
        .p2align 3
_delta64: .quad _near - _delta64
_delta32: .long _near - _delta32 + 4
        .p2align 3
_negative64: .quad _negative64 - _near
_negative32: .long _negative32 - _near - 4
        .p2align 3
_pointer: .quad _value
_pointer_middle: .quad _values + 8
_pointer_section: .quad L4
_got_entry: .quad _value@GOT
_to_got: .long  _value@GOT - .
        .globl  _near
        .section __DATA,__other
        .quad   1
_near:  .quad   2
        .section __DATA,__anonymous
        .quad   8
L4:     .quad   9
        .subsections_via_symbols
//--- other.s
        .section __TEXT,__text,regular,pure_instructions
        .globl  _five
        .p2align 2
_five:  mov     w0, #5
        ret
        .data
        .globl  _value, _values
        .p2align 2
_value: .long   77
_values:
        .long   77, 78, 79
        .subsections_via_symbols
//--- main.c
#include <stdio.h>
int branch(void), tail(void), load8(void), load16(void), load32(void), addend(void), branch_addend(void);
long load64(void), load128(void);
int got_load(void), got_shared(long), got_pointer(void);
extern int near, delta32, negative32, *pointer, *pointer_middle;
extern long delta64, negative64, *pointer_section;
extern int **got_entry;
int main(void) {
  printf("branch %d %d\n", branch(), tail());
  printf("widths %d %d %d %ld %ld\n", load8(), load16(), load32(), load64(), load128());
  printf("addend %d %d\n", addend(), branch_addend());
  printf("got %d %d\n", got_load(), got_shared(0) == got_shared(1) ? got_shared(0) : 0);
  printf("got pointers %d %d\n", got_pointer(), **got_entry);
  long d = (char *)&near - (char *)&delta64, n = (char *)&negative64 - (char *)&near;
  int d32 = (char *)&near - (char *)&delta32 + 4, n32 = (char *)&negative32 - (char *)&near - 4;
  printf("differences %d %d %d %d\n", delta64 == d, delta32 == d32, negative64 == n, negative32 == n32);
  printf("pointers %d %d %d\n", *pointer, *pointer_middle, *pointer_section == 9);
}
