// Weak references nobody defines are null: functions, data, in code and in data; they pull nothing and are no error.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -fPIC -c %s -o pic.o && %clang -O2 -fno-pie -c %s -o nopie.o && %clang -O2 -fPIE -c %s -o pie.o
// RUN: %same pic.o | FileCheck %s
// RUN: %same pie.o | FileCheck %s
// RUN: %same --native=-no-pie nopie.o | FileCheck %s
//
// CHECK: 0 0 0 present 1
// CHECK-NEXT: status: 0

#include <stdio.h>

__attribute__((weak)) extern int absent(void);
__attribute__((weak)) extern int absent_data[];
__attribute__((weak)) extern int puts(const char *);
int (*volatile in_data)(void) = absent;

int main(void) {
  if (absent)
    absent();
  printf("%d %d %d present %d\n", absent != 0, absent_data != 0, in_data != 0, puts != 0);
}
