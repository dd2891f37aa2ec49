// Tables of distances to functions, of the program and of shared libraries, at places that are not the table's beginning. Not compared with a native program: many
// systems' linkers do not know the relocation yet.
//
// REQUIRES: aarch64, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
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

//--- main.c
#include <stdio.h>
#include <stdint.h>
extern const int32_t from_table[4], from_self[4];
typedef long function(const char *);
int main(void) {
  const char *const words[] = {"77", "four", "12", "sixsix"};
  for (int i = 0; i < 4; i++) {
    function *a = (function *)((intptr_t)from_table + from_table[i]), *b = (function *)((intptr_t)&from_self[i] + from_self[i]);
    printf("%ld %ld\n", a(words[i]), b(words[i]));
  }
}
//--- table.c
#define ENTRY(function, offset) " .reloc ., R_AARCH64_PLT32, " #function "+" #offset "\n .word 0\n"
__asm__(".section .rodata\n.balign 4\n.globl from_table, from_self\n"
        "from_table:\n" ENTRY(atol, 0) ENTRY(strlen, 4) ENTRY(near, 8) ENTRY(other, 12)
        "from_self:\n" ENTRY(atol, 0) ENTRY(strlen, 0) ENTRY(near, 0) ENTRY(other, 0) ".text\n");
long near(const char *s) { return s[0]; }
//--- functions.c
long other(const char *s) { return s[1]; }
