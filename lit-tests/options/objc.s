# -ObjC makes members with Objective-C or Swift metadata part of the program, whatever refers to them; other members not.
#
# REQUIRES: x86_64
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: %clang --target=x86_64-apple-macos13 -c main.s && %clang --target=x86_64-apple-macos13 -c class.s
# RUN: %clang --target=x86_64-apple-macos13 -c swift.s && %clang --target=x86_64-apple-macos13 -c plain.s
# RUN: llvm-ar rcs lib.a plain.o class.o swift.o
# RUN: %rjitlink -noexec -show-init-es main.o lib.a | FileCheck %s --check-prefix=NONE
# RUN: %rjitlink -noexec -show-init-es -ObjC main.o lib.a | FileCheck %s --check-prefix=OBJC --implicit-check-not=_plain
# RUN: %rjitlink -noexec -show-init-es -all_load main.o lib.a | FileCheck %s --check-prefixes=OBJC,ALL
#
# NONE-NOT: lib.a
# OBJC: "_class": {{.*}} lib.a[1](class.o)
# ALL: "_plain": {{.*}} lib.a[0](plain.o)
# OBJC: "_swift": {{.*}} lib.a[2](swift.o)

#--- main.s
  .globl _main
_main:
  ret
#--- class.s
  .section __DATA,__objc_classlist,regular,no_dead_strip
  .globl _class
_class:
  .quad 0
#--- swift.s
  .section __TEXT,__swift5_types
  .globl _swift
_swift:
  .quad 0
#--- plain.s
  .data
  .globl _plain
_plain:
  .quad 0
