// A function that begins a page is code that the program copies or maps, as libffi's closures do: its address is that of its own code.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIE -c main.c && %clang -O1 -fPIE -c table.c
// RUN: %same main.o -lazy table.o | FileCheck %s
// RUN: %same main.o table.o | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy table.o | FileCheck %s
//
// CHECK: 7 8 7

//--- main.c
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
int first(void), other(void), last(void);
int (*copied(const void *code))(void) {
  char *copy = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(copy, code, 16);
  mprotect(copy, 0x10000, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(copy, copy + 16);
  return (int (*)(void))copy;
}
int main(void) { printf("%d %d %d\n", copied((void *)first)(), other(), first()); }
//--- table.c
#define FUNCTION(x) ".globl " #x "\n.type " #x ", STT_FUNC\n" #x ":\n"
#ifdef __x86_64__
#define ANSWER(n) " movl $" #n ", %eax\n ret\n"
#else
#define ANSWER(n) " mov w0, #" #n "\n ret\n"
#endif
__asm__(".text\n.p2align 12\n" FUNCTION(first) ANSWER(7) ".p2align 4\n" FUNCTION(other) ANSWER(8));
