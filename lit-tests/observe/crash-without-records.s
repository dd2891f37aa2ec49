// A crash in code without call frame records, where the stack does not begin with a return address: no unwinder finds the way, and the report says where it was.
//
// REQUIRES: x86_64, elf, linux
// RUN: %clang -c %s -o %t.o
// RUN: not --crash %rjitlink %t.o 2>&1 | FileCheck %s
//
// CHECK: rjitlink: the program dies of SIGSEGV (invalid memory access) at address 0x8
// CHECK-NEXT: #0 {{.*}} in crashes + 0x{{[0-9a-f]+}} ({{.*}}.o, .text + 0x

        .text
        .globl main, crashes
        .type main, @function
main:   jmp crashes
        .size main, . - main
        .type crashes, @function
crashes:
        push $2
        mov 8, %eax
        ret
        .size crashes, . - crashes
        .section .note.GNU-stack,"",@progbits
