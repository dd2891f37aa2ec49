# Every relocation type of x86-64, each used so that the program's answer depends on it: displacements with and without immediates
# behind them, into sections with and without symbols, GOT loads and other uses of GOT entries, differences in both directions and both
# widths, pointers to symbols, into their middle and into sections.
#
# REQUIRES: x86_64
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %darwin -c code.s && %darwin -c other.s && %darwin -O1 -c main.c
# RUN: llvm-objdump -r code.o | FileCheck %s --check-prefix=TYPES
# RUN: %lazily main.o code.o other.o | FileCheck %s
# RUN: %lazily main.o -lazy code.o -lazy other.o | FileCheck %s
#
# TYPES-DAG: X86_64_RELOC_UNSIGNED
# TYPES-DAG: X86_64_RELOC_SIGNED{{ }}
# TYPES-DAG: X86_64_RELOC_SIGNED_1
# TYPES-DAG: X86_64_RELOC_SIGNED_2
# TYPES-DAG: X86_64_RELOC_SIGNED_4
# TYPES-DAG: X86_64_RELOC_BRANCH
# TYPES-DAG: X86_64_RELOC_GOT_LOAD
# TYPES-DAG: X86_64_RELOC_GOT{{ }}
# TYPES-DAG: X86_64_RELOC_SUBTRACTOR
#
# CHECK: branch 5 5 5
# CHECK-NEXT: signed 77 78
# CHECK-NEXT: immediates 1 513 67305985
# CHECK-NEXT: literals 1.5 2.5 hello
# CHECK-NEXT: got 77 5 1 1
# CHECK-NEXT: differences 1 1 1 1
# CHECK-NEXT: pointers 77 79 1
# CHECK-NEXT: status: 0

#--- code.s
        .section __TEXT,__text,regular,pure_instructions
        .macro  function name
        .globl  \name
        .p2align 4
\name:
        .endm
        function _branch
        subq    $8, %rsp
        callq   _five
        addq    $8, %rsp
        retq
        function _tail
        jmp     _five
        function _middle
        jmp     _late + 1
        function _late
        int3
        movl    $5, %eax
        retq
        function _signed
        movl    _value(%rip), %eax
        retq
        function _signed_addend
        movl    _values+4(%rip), %eax
        retq
        function _immediate1
        movb    $1, _cell(%rip)
        retq
        function _immediate2
        movw    $0x0201, _cell(%rip)
        retq
        function _immediate4
        movl    $0x04030201, _cell(%rip)
        retq
        # Without symbols: the relocations name a section, those with an immediate too.
        function _literal1
        movsd   L1(%rip), %xmm0
        retq
        function _literal2
        movsd   L2(%rip), %xmm0
        cmpl    $0x40040000, L2+4(%rip)
        je      1f
        xorps   %xmm0, %xmm0
1:      retq
        function _string
        leaq    L3(%rip), %rax
        cmpb    $0x68, L3(%rip)
        je      1f
        xorl    %eax, %eax
1:      retq
        function _got_load
        movq    _value@GOTPCREL(%rip), %rax
        movl    (%rax), %eax
        retq
        function _got_call
        subq    $8, %rsp
        callq   *_five@GOTPCREL(%rip)
        addq    $8, %rsp
        retq
        function _got_compare
        leaq    _value(%rip), %rax
        cmpq    %rax, _value@GOTPCREL(%rip)
        sete    %al
        movzbl  %al, %eax
        retq
        function _got_zero
        xorl    %eax, %eax
        cmpq    $0, _value@GOTPCREL(%rip)
        setne   %al
        retq
        .section __TEXT,__literal8,8byte_literals
L1:     .quad   0x3ff8000000000000
L2:     .quad   0x4004000000000000
        .section __TEXT,__cstring,cstring_literals
        .asciz  "other"
L3:     .asciz  "hello"
        .data
        .globl  _cell, _delta64, _delta32, _negative64, _negative32, _pointer, _pointer_middle, _pointer_section
        .p2align 3
_cell:  .long   0
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
        .globl  _near
        .section __DATA,__other
        .quad   1
_near:  .quad   2
        .section __DATA,__anonymous
        .quad   8
L4:     .quad   9
        .subsections_via_symbols
#--- other.s
        .section __TEXT,__text,regular,pure_instructions
        .globl  _five
_five:  movl    $5, %eax
        retq
        .data
        .globl  _value, _values
        .p2align 2
_value: .long   77
_values:
        .long   77, 78, 79
        .subsections_via_symbols
#--- main.c
#include <stdio.h>
int branch(void), tail(void), middle(void), signed_(void) __asm("_signed"), signed_addend(void);
void immediate1(void), immediate2(void), immediate4(void);
double literal1(void), literal2(void);
const char *string(void);
int got_load(void), got_call(void), got_compare(void), got_zero(void);
extern int cell, near, delta32, negative32;
extern long delta64, negative64;
extern int *pointer, *pointer_middle;
extern long *pointer_section;
static int after(void (*store)(void)) {
  store();
  return cell;
}
int main(void) {
  printf("branch %d %d %d\n", branch(), tail(), middle());
  printf("signed %d %d\n", signed_(), signed_addend());
  int one = after(immediate1), two = after(immediate2);
  printf("immediates %d %d %d\n", one, two, after(immediate4));
  printf("literals %.1f %.1f %s\n", literal1(), literal2(), string());
  printf("got %d %d %d %d\n", got_load(), got_call(), got_compare(), got_zero());
  long d = (char *)&near - (char *)&delta64, n = (char *)&negative64 - (char *)&near;
  int d32 = (char *)&near - (char *)&delta32 + 4, n32 = (char *)&negative32 - (char *)&near - 4;
  printf("differences %d %d %d %d\n", delta64 == d, delta32 == d32, negative64 == n, negative32 == n32);
  printf("pointers %d %d %d\n", *pointer, *pointer_middle, *pointer_section == 9);
}
