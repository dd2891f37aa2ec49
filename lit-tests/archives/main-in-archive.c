// The entry point may come from an archive, as in a static link: nothing else has to refer to it.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && llvm-ar rcs libmain.a main.o
// RUN: %same libmain.a | FileCheck %s
// RUN: %same -lazy libmain.a | FileCheck %s
// RUN: not %rjitlink -entry=nowhere libmain.a 2>&1 | FileCheck %s --check-prefix=NOWHERE
//
// CHECK: from an archive
// CHECK-NEXT: status: 4
// NOWHERE: rjitlink: error: Symbols not found: [ {{_?}}nowhere ]

#include <stdio.h>

int main(void) {
  puts("from an archive");
  return 4;
}
