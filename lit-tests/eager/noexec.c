// `-noexec` links and does not run; it needs no way to run, and reports what a run would.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -DMISSING -c %s -o missing.o
// RUN: %rjitlink -noexec main.o | count 0
// RUN: %rjitlink --noexec -show-linked-files main.o | FileCheck %s
// RUN: not %rjitlink -noexec missing.o 2>&1 | FileCheck %s --check-prefix=MISSING
//
// CHECK: Linking main.o
// CHECK-NOT: ran
// MISSING: rjitlink: error: Symbols not found:
// MISSING-NEXT: missing is referred to by missing.o

#include <stdio.h>

int missing(void);

int main(void) {
  puts("ran");
#ifdef MISSING
  return missing();
#endif
}
