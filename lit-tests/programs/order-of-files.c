// Files have the static program's order in memory, whichever is referred to first: code, data and the parts of a named set.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c first.c && %clang -O1 -fPIC -c second.c && %clang -O1 -fPIC -c third.c
// RUN: %same main.o first.o second.o third.o | FileCheck %s
// RUN: %same main.o -lazy first.o -lazy second.o -lazy third.o | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy first.o -lazy second.o -lazy third.o | FileCheck %s
//
// CHECK: code 1 1
// CHECK-NEXT: data 1 1
// CHECK-NEXT: set: 1 2 3
// CHECK-NEXT: status: 0

//--- main.c
#include <stdint.h>
#include <stdio.h>
// Only the third file refers to the others, so it is found first.
extern char *volatile code[], *volatile data[];
extern int __start_numbers[], __stop_numbers[];
int main(void) {
  printf("code %d %d\n", code[0] < code[1], code[1] < code[2]);
  printf("data %d %d\n", data[0] < data[1], data[1] < data[2]);
  printf("set:");
  for (int *number = __start_numbers; number < __stop_numbers; number++) printf(" %d", *number);
  printf("\n");
}
//--- first.c
__asm__(".text\n.globl first_begin\nfirst_begin: nop");
char first_data = 1;
__attribute__((section("numbers"), used)) static int number = 1;
//--- second.c
__asm__(".text\n.globl second_begin\nsecond_begin: nop");
char second_data = 2;
__attribute__((section("numbers"), used)) static int number = 2;
//--- third.c
__asm__(".text\n.globl third_begin\nthird_begin: nop");
char third_data = 3;
extern char third_begin, first_data, first_begin, second_data, second_begin;
char *volatile code[] = {&first_begin, &second_begin, &third_begin};
char *volatile data[] = {&first_data, &second_data, &third_data};
__attribute__((section("numbers"), used)) static int number = 3;
