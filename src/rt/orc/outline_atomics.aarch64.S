// Out-of-line atomics for AArch64: what compilers call for an atomic operation when the processor may or may not have
// the instructions of FEAT_LSE (-moutline-atomics, the default). A static program takes them from libgcc.a or compiler-rt.
//
// Names are __aarch64_<operation><bytes>_<order>. All are written with exclusive loads and stores, which every
// processor has: that costs a few cycles where FEAT_LSE could be used, and no test at run time.
//
//   value  __aarch64_swp|ldadd|ldclr|ldeor|ldset(value, pointer)    returns what was there
//   value  __aarch64_cas(expected, desired, pointer)                returns what was there
//
// Arguments and results are as for C functions; x15, x16, x17 and the flags are used up.

#include "asm.h"

#if defined(__ELF__)


// One function: op bytes order, with the suffixes of the exclusive load (a: acquire) and store (l: release), the suffix of both
// that tells the size (b, h), the letter of registers of that size, and a barrier behind it all for "sync".
.macro  begin op, bytes, order
        .section .text.__aarch64_\op\()\bytes\()_\order, "ax", %progbits
        .balign 16
        .globl  __aarch64_\op\()\bytes\()_\order
        .type   __aarch64_\op\()\bytes\()_\order, %function
__aarch64_\op\()\bytes\()_\order\():
        .cfi_startproc
        hint    #34                     // bti c
.endm

.macro  finish op, bytes, order, barrier
        .if     \barrier
        dmb     ish
        .endif
        ret
        .cfi_endproc
        .size   __aarch64_\op\()\bytes\()_\order, . - __aarch64_\op\()\bytes\()_\order
.endm

// The exclusive load and store of an order: ld\acquire\()xr, st\release\()xr.
.macro  modify op, instruction, bytes, size, reg, order, acquire, release, barrier
        begin   \op, \bytes, \order
        mov     \reg\()16, \reg\()0
0:      ld\acquire\()xr\size \reg\()0, [x1]
        .ifnc   \op, swp
        \instruction \reg\()17, \reg\()0, \reg\()16
        st\release\()xr\size w15, \reg\()17, [x1]
        .else
        st\release\()xr\size w15, \reg\()16, [x1]
        .endif
        cbnz    w15, 0b
        finish  \op, \bytes, \order, \barrier
.endm

.macro  compare bytes, size, reg, extend, order, acquire, release, barrier
        begin   cas, \bytes, \order
        .ifnb   \extend
        \extend w16, w0
        .else
        mov     \reg\()16, \reg\()0
        .endif
0:      ld\acquire\()xr\size \reg\()0, [x2]
        cmp     \reg\()0, \reg\()16
        b.ne    1f
        st\release\()xr\size w15, \reg\()1, [x2]
        cbnz    w15, 0b
1:
        finish  cas, \bytes, \order, \barrier
.endm

// A pair of registers: the store proves that both halves were read at once, so the old value is written back if it differs.
.macro  compare_pair order, acquire, release, barrier
        begin   cas, 16, \order
        mov     x16, x0
        mov     x17, x1
0:      ld\acquire\()xp x0, x1, [x4]
        cmp     x0, x16
        ccmp    x1, x17, #0, eq
        b.ne    1f
        st\release\()xp w15, x2, x3, [x4]
        cbnz    w15, 0b
        b       2f
1:      st\release\()xp w15, x0, x1, [x4]
        cbnz    w15, 0b
2:
        finish  cas, 16, \order, \barrier
.endm

.macro  sizes order, acquire, release, barrier
        compare 1, b, w, uxtb, \order, \acquire, \release, \barrier
        compare 2, h, w, uxth, \order, \acquire, \release, \barrier
        compare 4, , w, , \order, \acquire, \release, \barrier
        compare 8, , x, , \order, \acquire, \release, \barrier
        compare_pair \order, \acquire, \release, \barrier
        operation swp, mov, \order, \acquire, \release, \barrier
        operation ldadd, add, \order, \acquire, \release, \barrier
        operation ldclr, bic, \order, \acquire, \release, \barrier
        operation ldeor, eor, \order, \acquire, \release, \barrier
        operation ldset, orr, \order, \acquire, \release, \barrier
.endm

.macro  operation op, instruction, order, acquire, release, barrier
        modify  \op, \instruction, 1, b, w, \order, \acquire, \release, \barrier
        modify  \op, \instruction, 2, h, w, \order, \acquire, \release, \barrier
        modify  \op, \instruction, 4, , w, \order, \acquire, \release, \barrier
        modify  \op, \instruction, 8, , x, \order, \acquire, \release, \barrier
.endm

        sizes   relax, , , 0
        sizes   acq, a, , 0
        sizes   rel, , l, 0
        sizes   acq_rel, a, l, 0
        sizes   sync, , l, 1

        .section .note.GNU-stack, "", %progbits
#endif
