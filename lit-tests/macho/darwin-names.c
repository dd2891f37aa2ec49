// What Darwin's compilers and headers call otherwise than other C libraries: errno, the standard streams, the stack protector, what loops
// and mathematical functions are optimized to; and variable arguments, which arm64 code passes on the stack.
//
// RUN: %darwin -O2 -fstack-protector-all -c %s -o %t.o
// RUN: llvm-nm -u %t.o | FileCheck %s --check-prefix=NAMES
// RUN: %lazily %t.o | FileCheck %s
// RUN: %lazily -lazy %t.o | FileCheck %s
//
// NAMES-DAG: ___error
// NAMES-DAG: ___stack_chk_guard
// NAMES-DAG: ___stdoutp
// NAMES-DAG: _memset_pattern16
// NAMES-DAG: ___sincos_stret
//
// CHECK: errno 34
// CHECK-NEXT: pattern abcabc 42
// CHECK-NEXT: sincos 1
// CHECK-NEXT: 1 2.5 three 4 5 6 7 8 9.25 ten
// CHECK-NEXT: to a string: -1 0.5
// CHECK-NEXT: scanned 12 3.5 word
// CHECK-NEXT: status: 0

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void fill(long *to, long n, long value) {
  for (long i = 0; i < n; i++)
    to[i] = value;
}

int main(int argc, char **argv) {
  errno = 0;
  strtol("99999999999999999999999", 0, 10);
  fprintf(stdout, "errno %d\n", errno);

  long values[42];
  fill(values, 41 + argc, 0xabcabc);
  printf("pattern %lx %d\n", values[41], (int)(sizeof values / sizeof *values));

  double angle = argc * 0.5;
  double s = sin(angle), c = cos(angle);
  printf("sincos %.3g\n", s * s + c * c);

  printf("%d %g %s %ld %d %d %d %d %g %s\n", 1, 2.5, "three", 4L, 5, 6, 7, 8, 9.25, "ten");
  char buffer[64];
  snprintf(buffer, sizeof buffer, "to a string: %d %g", -1, 0.5);
  puts(buffer);

  int n;
  float x;
  char word[8];
  int found = sscanf("12 3.5 word", "%d %f %7s", &n, &x, word);
  printf("scanned %d %g %s\n", n, x, found == 3 ? word : "?");
}
