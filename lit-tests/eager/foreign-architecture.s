// `-noexec` links for any target on any host; running another architecture's code is refused.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: llvm-mc -filetype=obj -triple=x86_64-linux-gnu x86_64.s -o x86_64.o
// RUN: llvm-mc -filetype=obj -triple=aarch64-linux-gnu aarch64.s -o aarch64.o
// RUN: %rjitlink -noexec -show-linked-files x86_64.o | FileCheck %s --check-prefix=X86
// RUN: %rjitlink -noexec -show-linked-files aarch64.o | FileCheck %s --check-prefix=ARM
// RUN: not %rjitlink -noexec x86_64.o aarch64.o 2>&1 | FileCheck %s --check-prefix=MIXED
//
// X86: Linking x86_64.o
// ARM: Linking aarch64.o
// MIXED: rjitlink: error: {{.*}}aarch64.o

//--- x86_64.s
        .globl  main
main:   call    other
        ret
        .globl  other
other:  ret
//--- aarch64.s
        .globl  main
main:   b       other
        .globl  other
other:  ret
