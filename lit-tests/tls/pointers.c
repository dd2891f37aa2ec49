// What the initial value of a thread-local variable points to, code that calls and data with addresses, is linked as everything
// else in the file, although nothing else may refer to it.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c cache.c && %clang -O1 -fPIC -ffunction-sections -fdata-sections -c cache.c -o sections.o
// RUN: %same main.o cache.o | FileCheck %s
// RUN: %same main.o sections.o | FileCheck %s
// RUN: %same main.o -lazy cache.o | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy cache.o | FileCheck %s
//
// CHECK: 43 forty
// CHECK-NEXT: 44
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
struct cache {
  long value;
  int (*compute)(int);
  const char **names;
};
extern __thread struct cache cache;
int other(int);
int main(void) {
  printf("%d %s\n", cache.compute(3), cache.names[1]);
  printf("%d\n", other(4));
}
//--- cache.c
#include <stdlib.h>
struct cache {
  long value;
  int (*compute)(int);
  const char **names;
};
int other(int number) { return atoi("40") + number; }
static int compute(int number) { return abs(-40) + number; }
static const char *names[] = {"four", "forty"};
__thread struct cache cache = {5, compute, names};
