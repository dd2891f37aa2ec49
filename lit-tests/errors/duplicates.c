// Two strong definitions are an error naming both files; weak ones, and one in an archive member nobody needs, are not.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c foo.c -o foo1.o && %clang -c foo.c -o foo2.o
// RUN: llvm-ar rcs lib.a foo2.o
// RUN: not %rjitlink main.o foo1.o foo2.o 2>&1 | FileCheck %s
// RUN: not %rjitlink -noexec main.o foo1.o foo2.o 2>&1 | FileCheck %s
// RUN: not %rjitlink main.o -lazy foo1.o -lazy foo2.o 2>&1 | FileCheck %s
// RUN: not %rjitlink main.o foo1.o -lazy foo2.o 2>&1 | FileCheck %s
// RUN: %same main.o foo1.o lib.a
//
// CHECK: rjitlink: error: In foo2.o, duplicate definition of symbol '{{_?}}foo' (first defined in foo1.o)

//--- main.c
int foo(void);
int main(void) { return foo(); }
//--- foo.c
int foo(void) { return 42; }
