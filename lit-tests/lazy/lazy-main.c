// `main` itself may be lazy; no input is linked before the program starts.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: %same -lazy main.o -lazy foo.o | FileCheck %s
// RUN: %rjitlink -noexec -show-linked-files -lazy main.o -lazy foo.o | FileCheck %s --allow-empty --check-prefix=NOEXEC
//
// CHECK: in foo
// CHECK: status: 42
// NOEXEC-NOT: Linking {{main|foo}}.o

int foo(void);
int main(void) { return foo(); }
