// A lazy file of functions is not linked before one of them is called; a lazy file whose data is referred to is linked at once.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o
// RUN: %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: %clang -c %inputs/lazy/x.c -o x.o
// RUN: %rjitlink -noexec -show-linked-files main.o -lazy foo.o -lazy x.o | FileCheck %s --implicit-check-not='Linking foo.o'
//
// CHECK-DAG: Linking main.o
// CHECK-DAG: Linking x.o
// CHECK-DAG: Linking __orc_reentry_graph_#1
// CHECK-DAG: Linking <indirect stubs graph #1>

int foo(void);
extern int x;

int main(void) { return foo() - x; }
