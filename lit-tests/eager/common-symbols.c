// Common symbols: one object of the largest size and alignment; a definition wins over all of them.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fcommon -c main.c && %clang -fcommon -c small.c && %clang -fcommon -c large.c && %clang -c defined.c
// RUN: %same main.o small.o large.o defined.o | FileCheck %s
// RUN: %same large.o defined.o small.o main.o | FileCheck %s
// RUN: %same main.o -lazy small.o -lazy large.o -lazy defined.o | FileCheck %s
//
// CHECK: 5 5 zero 0 aligned 1 defined 77 77
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
char buffer[4];
int has_definition;
int *small(void), *large(void);
int from_large(void);
int main(void) {
  *small() = 5;
  printf("%d %d zero %d aligned %d defined %d %d\n", *(int *)buffer, *large(), from_large(), (unsigned long)buffer % 64 == 0, has_definition, *(&has_definition));
}
//--- small.c
char buffer[4];
int has_definition;
int *small(void) { return (int *)buffer; }
//--- large.c
_Alignas(64) char buffer[5000];
int *large(void) { return (int *)buffer; }
int from_large(void) {
  int sum = 0;
  for (int i = 4; i < 5000; i++)
    sum += buffer[i];
  return sum;
}
//--- defined.c
int has_definition = 77;
