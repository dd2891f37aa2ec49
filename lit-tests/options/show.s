# What is printed about linked code. Addresses are those of the slab, the same in every run.
#
# RUN: rm -rf %t && mkdir -p %t && cd %t && %clang -c %s -o show.o
# RUN: %rjitlink -noexec -no-orc-runtime -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 show.o -show-addrs | FileCheck %s --check-prefix=ADDRS
# RUN: %rjitlink -noexec -no-orc-runtime -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 show.o -show-graphs=show | FileCheck %s --check-prefix=GRAPHS
# RUN: %rjitlink -noexec -no-orc-runtime -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 show.o -show-graphs=other | count 0
# RUN: %rjitlink -noexec -no-orc-runtime -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 show.o -show-relocated-section-contents | FileCheck %s --check-prefix=BYTES
# RUN: %rjitlink -noexec -no-orc-runtime -slab-allocate=64Kb -slab-address=0x10000000 -slab-page-size=4096 show.o -show-init-es -show-entry-es | FileCheck %s --check-prefix=ES
# RUN: not %rjitlink -noexec -no-orc-runtime show.o -entry=nosuch -show-addrs -show-entry-es 2>&1 | FileCheck %s --check-prefix=FAILED
#
# ADDRS:      Registered addresses:
# ADDRS-NEXT: Symbols:
# ADDRS-DAG:    "data" target addr = 0x0000000010000000, content: 0x{{[0-9a-f]+}} -- 0x{{[0-9a-f]+}} (16 bytes)
# ADDRS-DAG:    "zeroes" target addr = 0x0000000010000020, zero-fill: 32 bytes
# ADDRS-DAG:    "main" target addr = 0x0000000010001000, content: {{.*}} (0 bytes)
# ADDRS:      File "show.o":
# ADDRS-DAG:    Section ".data": target addr = 0x0000000010000000, content: {{.*}} (24 bytes)
# ADDRS-DAG:    Section ".text": target addr = 0x0000000010001000, content: {{.*}} (4 bytes)
#
# GRAPHS:      Link graph "show.o" post-fixup:
# GRAPHS-NEXT: LinkGraph "show.o" (triple = {{x86_64|aarch64}}--)
# GRAPHS:      section .bss:
# GRAPHS-EMPTY:
# GRAPHS-NEXT:   block 0x10000020 size = 0x00000020, align = 16, alignment-offset = 0, zero-fill
# GRAPHS-NEXT:     symbols:
# GRAPHS-NEXT:       0x10000020 (block + 0x00000000): size: 0x00000020, linkage: weak, scope: default, live  -   zeroes
# GRAPHS-NEXT:     no edges
# GRAPHS:      section .data:
# GRAPHS:        block 0x10000000 size = 0x00000018, align = 8, alignment-offset = 0
# GRAPHS-NEXT:     symbols:
# GRAPHS-NEXT:       0x10000000 (block + 0x00000000): size: 0x00000010, linkage: strong, scope: default, live  -   data
# GRAPHS-NEXT:       0x10000010 (block + 0x00000010): size: 0x00000008, linkage: strong, scope: hidden, live  -   tail
# GRAPHS-NEXT:     edges:
# GRAPHS-NEXT:       0x10000000 (block + 0x00000000), addend = +0x00000000, kind = Pointer64, target = zeroes
# GRAPHS-NEXT:       0x10000008 (block + 0x00000008), addend = -0x00000004, kind = Pointer64, target = tail
# GRAPHS:      Absolute symbols:
# GRAPHS-NEXT:   0x77: 0x77 (addressable + 0x00000000): {{.*}} -   fixed
# GRAPHS:      External symbols:
# GRAPHS-NEXT:   none
#
# BYTES:      Relocated section contents for show.o:
# BYTES:      .data content:
# BYTES-NEXT: 0x10000000: 20 00 00 10 00 00 00 00 0c 00 00 10 00 00 00 00
# BYTES-NEXT: 0x10000010: 01 02 03 04 05 06 07 08
# BYTES:      .bss content:
# BYTES-NEXT: 0x10000020: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
# BYTES-NEXT: 0x10000030: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
#
# ES:      JITDylib "Process" (ES: 0x{{[0-9a-f]+}}, State = Open)
# ES-NEXT: Link order: [ ("Process", MatchAllSymbols) ]
# ES:      JITDylib "main" (ES: 0x{{[0-9a-f]+}}, State = Open)
# ES-NEXT: Link order: [ ("main", MatchAllSymbols), ("Process", MatchExportedSymbolsOnly) ]
# ES-NEXT: Symbol table:
# ES-NEXT:     "data": <not resolved>  [Data] Never-Searched (Materializer 0x{{[0-9a-f]+}}, show.o)
# ES:          "tail": <not resolved>  [Data][Hidden] Never-Searched
# ES:          "zeroes": <not resolved>  [Data][Weak] Never-Searched
# ES:      JITDylib "main"
# ES:          "data": 0x10000000 [Data] Ready
# ES:          "main": 0x10001000 [Callable] Ready
#
# FAILED-DAG: Symbols not found: [ nosuch ]
# FAILED-DAG: Registered addresses:
# FAILED-DAG: JITDylib "main"

  .text
  .globl main
  .type main, %function
main:
  .long 0
  .data
  .p2align 3
  .globl data, fixed
data:
  .quad zeroes
  .quad tail - 4
  .size data, 16
  .hidden tail
  .globl tail
tail:
  .byte 1, 2, 3, 4, 5, 6, 7, 8
  .size tail, 8
  .bss
  .p2align 4
  .weak zeroes
zeroes:
  .zero 32
  .size zeroes, 32
  fixed = 0x77
