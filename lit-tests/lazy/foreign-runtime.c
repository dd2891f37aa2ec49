// A runtime of another architecture is refused by name, not executed.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: llvm-mc -filetype=obj -triple=riscv64-linux-gnu /dev/null -o foreign.o && llvm-ar rcs foreign.a foreign.o
// RUN: not %rjitlink -orc-runtime=foreign.a main.o -lazy foo.o 2>&1 | FileCheck %s
//
// CHECK: rjitlink: error:
// CHECK: foreign.a
// CHECK-NOT: in foo

int foo(void);
int main(void) { return foo(); }
