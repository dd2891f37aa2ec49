// Symbols that a static linker defines: there, usable, and without anything between them that the program would run a second time.
//
// REQUIRES: elf
// RUN: %clang -c %s -o %t.o
// RUN: %same %t.o | FileCheck %s
// RUN: %same -lazy %t.o | FileCheck %s
//
// CHECK: own initializer
// CHECK: in order 1
// CHECK: preinit 0
// CHECK: ends agree 1
// CHECK: not null 1
// CHECK: inside 1 1
// CHECK: outside 1
// CHECK: size 1 1
// CHECK: header ELF 1

#include <stdio.h>

extern char _end[], end[], _edata[], edata[], _etext[], etext[], __bss_start[], __executable_start[];
extern const struct { unsigned char ident[16]; } __ehdr_start __attribute__((visibility("hidden")));
typedef void (*function)(void);
static int data = 5, zero;
extern function __preinit_array_start[], __preinit_array_end[], __init_array_start[], __init_array_end[];
extern function __fini_array_start[], __fini_array_end[];

__attribute__((constructor)) static void initializer(void) { puts("own initializer"); }

int main(void) {
  printf("in order %d\n", __executable_start <= _etext && _edata <= __bss_start && __bss_start <= _end &&
                              __init_array_start <= __init_array_end && __fini_array_start <= __fini_array_end);
  printf("preinit %d\n", (int)(__preinit_array_end - __preinit_array_start));
  printf("ends agree %d\n", end == _end && edata == _edata && etext == _etext);
  printf("not null %d\n", end && __init_array_start && __bss_start);
  printf("inside %d %d\n", (char *)main >= __executable_start && (char *)main < etext,
         (char *)&data >= __executable_start && (char *)&data < _edata && (char *)&zero < _end);
  char local;
  printf("outside %d\n", &local < __executable_start || &local >= _end);
  printf("size %d %d\n", _end - __executable_start > 1000, __executable_start[0] + 1 > 0);
  printf("header %.3s %d\n", __ehdr_start.ident + 1, __ehdr_start.ident[5]);
}
