// perf makes a profile with names of what is linked lazily.
//
// REQUIRES: perf-record
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -g -O1 -c %s -DLAZY -o lazy.o && %clang -g -O1 -c %s -o main.o
// RUN: env JITDUMPDIR=. perf record -q -k mono -o dumped.data %rjitlink -perf-support main.o -lazy lazy.o
// RUN: perf inject --jit -i dumped.data -o injected.data
// RUN: perf report -i injected.data --stdio --sort=symbol 2> report.err | FileCheck %s
// RUN: perf record -q -o mapped.data %rjitlink -perf-map main.o -lazy lazy.o > pid
// RUN: perf report -i mapped.data --stdio --sort=symbol 2> report.err | FileCheck %s
// RUN: %python -c "import os; os.remove('/tmp/perf-' + open('pid').read().strip() + '.map')"
//
// CHECK: hot_and_lazy

int hot_and_lazy(int);
#ifdef LAZY
int hot_and_lazy(int count) {
  int sum = 0;
  for (int i = 0; i < count; i++)
    sum ^= (sum + i) * count;
  return sum;
}
#else
#include <stdio.h>
#include <unistd.h>
int main(void) {
  printf("%d\n", getpid());
  return hot_and_lazy(200000000) == 7;
}
#endif
