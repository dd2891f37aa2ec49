// Functions chosen at run time: ifunc called and taken the address of, in the same file and in another, before main; through a library too.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=indirect.c --shared=library.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdio.h>
#include <string.h>
int chosen(int), (*address_in_file(void))(int), call_in_file(int), through_library(int (*)(int), int);
static int (*table[])(int) = {chosen};
static int early;
__attribute__((constructor)) static void before(void) { early = chosen(1); }
int main(void) {
  printf("%d %d %d %d\n", chosen(2), call_in_file(3), table[0](4), early);
  printf("%d\n", table[0] == chosen);
  printf("%d %d\n", through_library(chosen, 5), through_library(address_in_file(), 6));
  void *(*copy)(void *, const void *, size_t) = memcpy;
  char text[8];
  copy(text, "copied", 7);
  puts(text);
}
//--- indirect.c
static int asked;
static int twice(int n) { return n * 2; }
static int thrice(int n) { return n * 3; }
static int (*choose(void))(int) { return asked++ < 100 ? thrice : twice; }
int chosen(int) __attribute__((ifunc("choose")));
int (*address_in_file(void))(int) { return chosen; }
int call_in_file(int n) { return chosen(n) + 1; }
//--- library.c
int through_library(int (*function)(int), int n) { return function(n) + 1000; }
