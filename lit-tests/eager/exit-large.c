// The memory of a large program is taken down when it has ended, by another process. Its status, its output and the end of that are those of a small one.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o
// RUN: %same main.o | FileCheck %s --check-prefixes=CHECK,STATUS
// RUN: %same -num-threads=1 main.o | FileCheck %s --check-prefixes=CHECK,STATUS
//
// Who reads its output sees the end of it.
// RUN: not %rjitlink main.o | cat | FileCheck %s
//
// CHECK: 1 in 20 MiB
// CHECK-NEXT: the last handler
// STATUS: status: 3

#include <stdio.h>
#include <stdlib.h>

static char data[20 << 20] = {1};

static void last(void) { printf("the last handler\n"); }

int main(void) {
  atexit(last);
  printf("%d in %zu MiB\n", data[0], sizeof data >> 20);
  return 3;
}
