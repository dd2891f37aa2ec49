// As much stack as the program would have: a recursion through almost all of 8 MiB, at whose end a first call is.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#include <stdio.h>
#include <sys/resource.h>
int deep(int);
int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  printf("%ld %d\n", (long)limit.rlim_cur, deep(7600));
}
//--- other.c
#include <string.h>
int leaf(int), deep(int);
int leaf(int n) { return n; }
int deep(int n) {
  volatile char frame[1024];
  memset((void *)frame, n, sizeof frame);
  return n == 0 ? leaf(1) : deep(n - 1) + frame[5] * 0 + 1;
}
