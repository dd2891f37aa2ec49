# -add-self-relocations gives pointers of a function to itself, of which the assembler knew the distance, a relocation, which does not
# change them.
#
# REQUIRES: x86_64
# RUN: rm -rf %t && mkdir -p %t && cd %t && %clang --target=x86_64-apple-macos13 -c %s -o self.o
# RUN: %rjitlink -noexec -show-graphs=self self.o | FileCheck %s --check-prefix=WITHOUT
# RUN: %rjitlink -noexec -show-graphs=self -add-self-relocations self.o | FileCheck %s --check-prefix=WITH
# RUN: %rjitlink -noexec -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 -show-relocated-section-contents self.o > without.txt
# RUN: %rjitlink -noexec -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 -show-relocated-section-contents -add-self-relocations self.o > with.txt
# RUN: diff without.txt with.txt
#
# WITHOUT:     - _self
# WITHOUT-NEXT: edges:
# WITHOUT-NEXT: (block + 0x0000000b), addend = -0x00000004, kind = Delta32, target = _main
# WITHOUT-NOT: kind =
# WITHOUT:     - _main
#
# WITH:      - _self
# WITH-NEXT: edges:
# WITH-NEXT: (block + 0x00000004), addend = -0x00000004, kind = Delta32, target = _self
# WITH-NEXT: (block + 0x0000000b), addend = -0x00000004, kind = Delta32, target = _main
# WITH-NEXT: (block + 0x00000013), addend = -0x00000004, kind = Delta32, target = _self
# WITH-NOT:  kind =
# WITH:      - _main

  .section __TEXT,__text,regular,pure_instructions
  .globl _self, _main
_self:
  nop
  leaq _self(%rip), %rax
  leaq _main(%rip), %rcx
  nop
  cmpq _self(%rip), %rax
  leaq 1+_self(%rip), %rdx
  ret
_main:
  leaq _self(%rip), %rax
  ret
  .subsections_via_symbols
