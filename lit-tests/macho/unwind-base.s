# What compact unwind records count from, if a file says so, must be below the code.
#
# RUN: rm -rf %t && mkdir -p %t && cd %t
# RUN: llvm-mc -filetype=obj -triple=arm64-apple-macos13 %s -o plain.o && %rjitlink -noexec plain.o
# RUN: llvm-mc -filetype=obj -triple=arm64-apple-macos13 --defsym LOW=1 %s -o low.o && %rjitlink -noexec low.o
# RUN: llvm-mc -filetype=obj -triple=arm64-apple-macos13 --defsym HIGH=1 %s -o high.o
# RUN: not %rjitlink -noexec high.o 2>&1 | FileCheck %s
# CHECK: rjitlink: error: In high.o, __TEXT,__unwind_info: delta to end of functions exceeds 32 bits: they count from 0xffff000000000000

        .globl  _main
_main:
        .cfi_startproc
        ret
        .cfi_endproc
        .globl  __jitlink$libunwind_dso_base
.ifdef LOW
        .set    __jitlink$libunwind_dso_base, 0x1000
.endif
.ifdef HIGH
        .set    __jitlink$libunwind_dso_base, 0xffff000000000000
.endif
        .subsections_via_symbols
