// target_clones and __builtin_cpu_supports: the compiler's own resolvers, which use libgcc's description of the processor.
//
// REQUIRES: x86_64
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=clones.c --work=%t/objects --native=-Wl,-z,now | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdio.h>
int sum(const int *, int), supports(void);
int main(void) {
  int numbers[100];
  for (int i = 0; i < 100; i++)
    numbers[i] = i;
  printf("%d %d\n", sum(numbers, 100), supports());
}
//--- clones.c
__attribute__((target_clones("avx2", "sse4.2", "default"))) int sum(const int *numbers, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++)
    sum += numbers[i] * numbers[i];
  return sum;
}
int supports(void) { __builtin_cpu_init(); return __builtin_cpu_supports("sse2") != 0; }
