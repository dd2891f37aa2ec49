// The program of matrix/relative-tables.c for AArch64, not compared with a native one: many systems' linkers do not know the relocation yet.
//
// REQUIRES: aarch64, elf
// RUN: rm -rf %t && split-file %S/../matrix/relative-tables.c %t && cd %t
// RUN: %clang -O2 -fno-pie -c main.c && %clang -O2 -fno-pie -c table.c && %clang -O2 -fno-pie -c functions.c
// RUN: %rjitlink main.o table.o functions.o | FileCheck %s
// RUN: %rjitlink main.o -lazy table.o -lazy functions.o | FileCheck %s
// RUN: %clang -O2 -fPIE -c main.c && %clang -O2 -fPIE -c table.c && %clang -O2 -fPIE -c functions.c
// RUN: %rjitlink main.o -lazy table.o -lazy functions.o | FileCheck %s
//
// CHECK: 77 77
// CHECK-NEXT: 4 4
// CHECK-NEXT: 49 49
// CHECK-NEXT: 105 105
