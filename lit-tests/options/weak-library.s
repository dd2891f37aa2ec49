# What a library exports that is missing at run time is null, if nothing else defines it: -weak_library, -weak-l (Mach-O).
#
# REQUIRES: x86_64
# RUN: rm -rf %t && mkdir -p %t && cd %t && %clang --target=x86_64-apple-macos13 -c %s -o main.o
# RUN: echo "void func(void) {}" > func.c && %clang --target=x86_64-apple-macos13 -c func.c && llvm-ar rcs libfunc.a func.o
# RUN: printf -- '--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos ]\ninstall-name: F\nexports:\n  - targets: [ x86_64-macos ]\n    symbols: [ _other,\n               _func ]\n...\n' > libFunc.tbd
# RUN: not %rjitlink -noexec main.o 2>&1 | FileCheck %s --check-prefix=MISSING
# RUN: %rjitlink -noexec -show-graphs=main main.o -weak_library libFunc.tbd | FileCheck %s --check-prefix=NULL
# RUN: %rjitlink -noexec -show-graphs=main -weak_library=libFunc.tbd main.o | FileCheck %s --check-prefix=NULL
# RUN: %rjitlink -noexec -show-graphs=main main.o -L. -weak-lFunc | FileCheck %s --check-prefix=NULL
# RUN: %rjitlink -noexec -show-graphs=main main.o -L. -weak-lFunc -lfunc | FileCheck %s --check-prefix=DEFINED
# RUN: not %rjitlink -noexec main.o -weak-lFunc 2>&1 | FileCheck %s --check-prefix=SEARCH
# RUN: not %rjitlink -noexec main.o -weak_library func.c 2>&1 | FileCheck %s --check-prefix=KIND
# RUN: not %rjitlink -noexec main.o -weak_library nosuch.tbd 2>&1 | FileCheck %s --check-prefix=FILE
#
# MISSING: Symbols not found: [ _func ]
# NULL: External symbols:
# NULL-NEXT: 0x0: 0x0 {{.*}} - _func
# DEFINED: External symbols:
# DEFINED-NEXT: 0x{{[1-9a-f]}}{{.*}} - _func
# SEARCH: While linking main, could not find library for -weak-lFunc
# KIND: Cannot get interface for func.c unrecognized file type
# FILE: 'nosuch.tbd': No such file or directory

  .section __TEXT,__text,regular,pure_instructions
  .globl _main
_main:
  movq _func@GOTPCREL(%rip), %rax
  ret
  .subsections_via_symbols
