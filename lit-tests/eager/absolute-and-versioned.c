// Absolute symbols have the value they say; a symbol version in a name (`realpath@GLIBC_2.17`) finds the function.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -fno-pie -c %s -o main.o
// RUN: %same --native=-no-pie main.o | FileCheck %s
//
// CHECK: 0x1234 /
// CHECK-NEXT: status: 0

#include <stdio.h>
#include <stdlib.h>

__asm__(".globl answer\nanswer = 0x1234");
#ifdef __x86_64__
__asm__(".symver realpath, realpath@GLIBC_2.3");
#else
__asm__(".symver realpath, realpath@GLIBC_2.17");
#endif
extern char answer[];
static char *volatile in_data = answer;

int main(void) {
  char path[5000];
  printf("%p %s\n", (void *)in_data, realpath("/.", path));
}
