// Indirect functions: the resolver's answer is called; the address is the same everywhere and callable.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c indirect.c
// RUN: %same main.o indirect.o | FileCheck %s
// RUN: %same main.o -lazy indirect.o | FileCheck %s
// RUN: %clang -fno-pie -c main.c -o main-nopie.o && %clang -fno-pie -c indirect.c -o indirect-nopie.o
// RUN: %same --native=-no-pie main-nopie.o indirect-nopie.o | FileCheck %s
//
// CHECK: 42 42 42 1
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
int chosen(void), through(void);
int (*address(void))(void);
extern int (*const in_data)(void);
int main(void) {
  int (*local)(void) = chosen;
  printf("%d %d %d %d\n", chosen(), through(), in_data(), local() == 42 && address()() == 42);
}
//--- indirect.c
static int good(void) { return 42; }
static int bad(void) { return 1; }
static volatile int use_good = 1;
static int (*resolve(void))(void) { return use_good ? good : bad; }
__attribute__((ifunc("resolve"))) int chosen(void);
int through(void) { return chosen(); }
int (*address(void))(void) { return chosen; }
int (*const in_data)(void) = chosen;
