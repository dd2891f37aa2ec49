// `__start_SECTION` and `__stop_SECTION` bound the section of that name over all files; keeping it alive keeps all its pieces.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -DVALUE=2 -c part.c -o two.o && %clang -DVALUE=3 -c part.c -o three.o
// RUN: %same main.o two.o three.o | FileCheck %s
// RUN: %same main.o -lazy two.o -lazy three.o | FileCheck %s
//
// CHECK: 3 entries: 1 2 3
// CHECK-NEXT: absent 1

//--- main.c
#include <stdio.h>
__attribute__((section("table"), used)) static const int one = 1;
extern const int __start_table[], __stop_table[];
extern const int __start_absent[] __attribute__((weak));
int main(void) {
  printf("%d entries:", (int)(__stop_table - __start_table));
  for (const int *entry = __start_table; entry != __stop_table; entry++)
    printf(" %d", *entry);
  printf("\nabsent %d\n", __start_absent == 0);
}
//--- part.c
__attribute__((section("table"), used)) static const int entry = VALUE;
