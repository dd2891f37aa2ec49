// A symbol that nothing defines is often in a library that was forgotten: the message says in which.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o
// RUN: not %rjitlink main.o 2>&1 | FileCheck %s
//
// CHECK: rjitlink: error: Symbols not found: [ deflateEnd, omp_get_num_threads, really_missing ]
// CHECK-NEXT: deflateEnd is referred to by main.o
// CHECK: {{^ +}}{{try -lgomp -lz$}}

int deflateEnd(void *), omp_get_num_threads(void), really_missing(void);
int main(void) { return deflateEnd(0) + omp_get_num_threads() + really_missing(); }
