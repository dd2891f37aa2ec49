// What is never called is never linked, nor what only it needs: the missing symbol and the second file do no harm.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c foo.c && %clang -c bar.c
// RUN: %rjitlink -show-linked-files main.o -lazy foo.o -lazy bar.o | FileCheck %s --implicit-check-not='Linking foo.o' --implicit-check-not='Linking bar.o'
//
// CHECK: Linking main.o

//--- main.c
int foo(int);
int main(int argc, char **argv) { return argc > 100 ? foo(argc) : 0; }
//--- foo.c
int bar(int), missing(int);
int foo(int n) { return bar(n) + missing(n); }
//--- bar.c
int bar(int n) { return n; }
