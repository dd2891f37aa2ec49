// Tables of distances to functions, as relative vtables are: functions of the same file, of other files and of shared libraries, at places in the table that
// are not its beginning; what they lead to is called.
//
// REQUIRES: x86_64
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=table.c --source=functions.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

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
#ifdef __aarch64__
#define RELOCATION "R_AARCH64_PLT32"
#else
#define RELOCATION "R_X86_64_PLT32"
#endif
#define ENTRY(function, offset) " .reloc ., " RELOCATION ", " #function "+" #offset "\n .4byte 0\n"
__asm__(".section .rodata\n.balign 4\n.globl from_table, from_self\n"
        "from_table:\n" ENTRY(atol, 0) ENTRY(strlen, 4) ENTRY(near, 8) ENTRY(other, 12)
        "from_self:\n" ENTRY(atol, 0) ENTRY(strlen, 0) ENTRY(near, 0) ENTRY(other, 0) ".text\n");
long near(const char *s) { return s[0]; }
//--- functions.c
long other(const char *s) { return s[1]; }
