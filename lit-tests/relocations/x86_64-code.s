# Relocations in code: calls and jumps near and through the PLT, GOT loads in every form that linkers relax (mov, call, jmp, test,
# binary operations, with and without REX), GOT-relative and 64-bit forms of the large model.
#
# REQUIRES: x86_64, elf
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %clang -c code.s && %clang -Wa,-mrelax-relocations=no -c code.s -o code-old.o && %clang -c other.s && %clang -fPIC -c main.c
# RUN: %same main.o code.o other.o | FileCheck %s
# RUN: %same main.o code-old.o other.o | FileCheck %s
# RUN: %same main.o -lazy code.o -lazy other.o | FileCheck %s
#
# CHECK: direct 5 plt 5 tail 5 jump 5
# CHECK-NEXT: got load 77 call 5 jmp 5 r32 77
# CHECK-NEXT: test 0 cmp 1 add 1
# CHECK-NEXT: gotoff 88 got64 77 pltoff 5 gotpcrel64 77
# CHECK-NEXT: libc 3 3
# CHECK-NEXT: status: 0

#--- code.s
        .text
        .macro  function name
        .globl  \name
        .type   \name, @function
\name:
        .endm
        function direct
        subq    $8, %rsp
        call    five
        addq    $8, %rsp
        ret
        function plt
        subq    $8, %rsp
        call    five@PLT
        addq    $8, %rsp
        ret
        function tail
        jmp     five@PLT
        function jump
        xorl    %eax, %eax
        jz      five
        ret
        function got_load
        movq    value@GOTPCREL(%rip), %rax
        movl    (%rax), %eax
        ret
        function got_call
        subq    $8, %rsp
        call    *five@GOTPCREL(%rip)
        addq    $8, %rsp
        ret
        function got_jmp
        jmp     *five@GOTPCREL(%rip)
        function got_r15
        pushq   %r15
        movq    value@GOTPCREL(%rip), %r15
        movl    (%r15), %eax
        popq    %r15
        ret
        function got_test
        xorl    %eax, %eax
        leaq    value(%rip), %rcx
        testq   %rcx, value@GOTPCREL(%rip)
        sete    %al
        ret
        function got_cmp
        xorl    %eax, %eax
        movq    value@GOTPCREL(%rip), %rcx
        cmpq    value@GOTPCREL(%rip), %rcx
        sete    %al
        ret
        function got_add
        xorl    %eax, %eax
        movq    value@GOTPCREL(%rip), %rcx
        movl    $1, %edx
        addq    value@GOTPCREL(%rip), %rdx
        subq    %rcx, %rdx
        movl    %edx, %eax
        ret
        function gotoff
1:      leaq    1b(%rip), %rcx
        movabsq $_GLOBAL_OFFSET_TABLE_ - 1b, %rdx
        addq    %rdx, %rcx
        movabsq $hidden_value@GOTOFF, %rax
        movl    (%rcx,%rax), %eax
        ret
        function got64
1:      leaq    1b(%rip), %rcx
        movabsq $_GLOBAL_OFFSET_TABLE_ - 1b, %rdx
        addq    %rdx, %rcx
        movabsq $value@GOT, %rax
        movq    (%rcx,%rax), %rax
        movl    (%rax), %eax
        ret
        function pltoff
        subq    $8, %rsp
1:      leaq    1b(%rip), %rcx
        movabsq $_GLOBAL_OFFSET_TABLE_ - 1b, %rdx
        addq    %rdx, %rcx
        movabsq $five@PLTOFF, %rax
        addq    %rcx, %rax
        call    *%rax
        addq    $8, %rsp
        ret
        function gotpcrel64
        leaq    2f(%rip), %rcx
        jmp     3f
        .reloc  2f, R_X86_64_GOTPCREL64, value
2:      .quad   0
3:      addq    (%rcx), %rcx
        movq    (%rcx), %rax
        movl    (%rax), %eax
        ret
        function libc_call
        subq    $8, %rsp
        leaq    text(%rip), %rdi
        call    strlen@PLT
        addq    $8, %rsp
        ret
        function libc_got
        subq    $8, %rsp
        leaq    text(%rip), %rdi
        call    *strlen@GOTPCREL(%rip)
        addq    $8, %rsp
        ret
        .section .rodata.str1.1, "aMS", @progbits, 1
text:   .string "abc"
        .data
        .hidden hidden_value
        .globl  hidden_value
hidden_value:
        .long   88
        .section .note.GNU-stack, "", @progbits
#--- other.s
        .globl  five, value
        .text
        .type   five, @function
five:   movl    $5, %eax
        ret
        .data
value:  .long   77
        .section .note.GNU-stack, "", @progbits
#--- main.c
#include <stdio.h>
int direct(void), plt(void), tail(void), jump(void), got_load(void), got_call(void), got_jmp(void), got_r15(void), got_test(void), got_cmp(void),
    got_add(void), gotoff(void), got64(void), pltoff(void), gotpcrel64(void), libc_call(void), libc_got(void);
int main(void) {
  printf("direct %d plt %d tail %d jump %d\n", direct(), plt(), tail(), jump());
  printf("got load %d call %d jmp %d r32 %d\n", got_load(), got_call(), got_jmp(), got_r15());
  printf("test %d cmp %d add %d\n", got_test(), got_cmp(), got_add());
  printf("gotoff %d got64 %d pltoff %d gotpcrel64 %d\n", gotoff(), got64(), pltoff(), gotpcrel64());
  printf("libc %d %d\n", libc_call(), libc_got());
}
