// `-lazy` before an archive, or before -l: members are linked as their functions are called, the others never.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c a.c && %clang -c b.c && %clang -c c.c && %clang -c d.c
// RUN: llvm-ar rcs libabc.a a.o b.o c.o d.o
// RUN: %rjitlink -show-linked-files main.o -lazy libabc.a | FileCheck %s --check-prefixes=CHECK,PATH --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o -L. -lazy -labc | FileCheck %s --check-prefixes=CHECK,SEARCH --implicit-check-not='(c.o)'
// RUN: %rjitlink -noexec -show-linked-files main.o -lazy libabc.a | FileCheck %s --check-prefix=NOEXEC --implicit-check-not='libabc.a['
// RUN: %same main.o -lazy libabc.a
//
// CHECK: Linking main.o
// PATH-DAG: Linking libabc.a[0](a.o)
// PATH-DAG: Linking libabc.a[1](b.o)
// SEARCH-DAG: Linking {{(./)?}}libabc.a[0](a.o)
// SEARCH-DAG: Linking {{(./)?}}libabc.a[1](b.o)
// CHECK: a 5
// NOEXEC: Linking main.o

//--- main.c
#include <stdio.h>
int a(int), c(int);
int main(int argc, char **argv) {
  printf("a %d\n", argc > 100 ? c(1) : a(2));
  fflush(stdout);
}
//--- a.c
int b(int);
int a(int n) { return b(n) + 1; }
//--- b.c
int b(int n) { return n * 2; }
//--- c.c
int c(int n) { return n; }
//--- d.c
int d(int n) { return n; }
