// Every register but the intra-procedure-call and platform ones (x16, x17, x18) is, on entry to a lazy function, what it was at the
// call: x0-x15, x19-x28, all of q0-q31 (the vector calling convention hands over and keeps more than the base one).
//
// REQUIRES: aarch64
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.S && %clang -c callee.S && %clang -c check.c
// RUN: %same main.o -lazy callee.o check.o | FileCheck %s
//
// CHECK: 0 registers differ
// CHECK-NEXT: status: 0

//--- names.h
// What differs between object formats.
#ifdef __APPLE__
#define SYM(name) _##name
#define FUNCTION(name)
#define GOT_PAGE(name) _##name@GOTPAGE
#define GOT_OFFSET(name) _##name@GOTPAGEOFF
#define END .subsections_via_symbols
#else
#define SYM(name) name
#define FUNCTION(name) .type name, %function
#define GOT_PAGE(name) :got:name
#define GOT_OFFSET(name) :got_lo12:name
#define END .section .note.GNU-stack, "", %progbits
#endif
//--- main.S
#include "names.h"
        .globl  SYM(main)
        FUNCTION(main)
        .p2align 2
SYM(main):
        stp     x29, x30, [sp, #-96]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        mov     x0, #0x1000 + \number
        mov     v\number\().d[0], x0
        mov     x0, #0x2000 + \number
        mov     v\number\().d[1], x0
        .endr
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28
        mov     x\number, #0x3000 + \number
        .endr
        bl      SYM(callee)
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp], #96
        b       SYM(check)
        END
//--- callee.S
#include "names.h"
        .globl  SYM(callee)
        FUNCTION(callee)
        .p2align 2
SYM(callee):
        adrp    x16, GOT_PAGE(seen)
        ldr     x16, [x16, GOT_OFFSET(seen)]
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28
        str     x\number, [x16, #8 * \number]
        .endr
        .irp    number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        str     q\number, [x16, #256 + 16 * \number]
        .endr
        ret
        END
//--- check.c
#include <stdio.h>
_Alignas(16) unsigned long seen[96];
int check(void) {
  int differ = 0;
  for (unsigned long i = 0; i < 32; i++) {
    if (i < 29 && (i < 16 || i > 18) && seen[i] != 0x3000 + i && ++differ)
      printf("x%lu: %lx\n", i, seen[i]);
    if ((seen[32 + 2 * i] != 0x1000 + i || seen[33 + 2 * i] != 0x2000 + i) && ++differ)
      printf("q%lu: %lx %lx\n", i, seen[32 + 2 * i], seen[33 + 2 * i]);
  }
  printf("%d registers differ\n", differ);
  return differ;
}
