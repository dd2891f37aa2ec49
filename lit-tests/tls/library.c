// Variables of shared libraries: with a constant offset where the library is small, else by calls of __tls_get_addr, which code
// that needs an offset cannot make.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -DSIZE=8 -shared library.c -o libsmall.so && %clang -O1 -fPIC -DSIZE=100000 -shared library.c -o libbulky.so
// RUN: %clang -O1 -fPIC -c main.c && %rjitlink main.o -preload=./libsmall.so | FileCheck %s
// RUN: %clang -O1 -fPIE -c main.c && %rjitlink main.o -preload=./libsmall.so | FileCheck %s
// RUN: not %rjitlink main.o -preload=./libbulky.so 2>&1 | FileCheck %s --check-prefix=BULKY
// RUN: not %rjitlink main.o 2>&1 | FileCheck %s --check-prefix=MISSING
//
// CHECK: 6 1
// CHECK-NEXT: 6 1
// CHECK-NEXT: 7 1
// BULKY: error: In main.o, symbol library_variable: the variable's library was loaded with dynamic thread-local storage
// MISSING: error: Symbols not found

//--- main.c
#include <pthread.h>
#include <stdio.h>
extern __thread int library_variable;
int *library_address(void);
static void *run(void *unused) {
  library_variable++;
  printf("%d %d\n", library_variable, library_address() == &library_variable);
  return unused;
}
int main(void) {
  pthread_t thread;
  run(0);
  pthread_create(&thread, 0, run, 0);
  pthread_join(thread, 0);
  run(0);
}
//--- library.c
__thread char bulk[SIZE];
__thread int library_variable = 5;
int *library_address(void) { return &library_variable; }
