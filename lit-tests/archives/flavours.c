// Archives of every kind: GNU, BSD, Darwin, thin, with the 64-bit index, without an index; eager and lazy. Members are numbered
// over all members, those that are no objects included.
//
// RUN: rm -rf %t && split-file %s %t && cd %t && mkdir sub
// RUN: %clang -c main.c && %clang -c a.c -o a_name_of_more_than_sixteen_bytes.o && %clang -c b.c -o sub/b.o && %clang -c c.c
// RUN: llvm-ar rcs gnu.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: llvm-ar rcs --format=bsd bsd.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: llvm-ar rcs --format=darwin darwin.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: llvm-ar rcS none.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: llvm-ar rcsT thin.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: env SYM64_THRESHOLD=0 llvm-ar rcs sym64.a text.txt a_name_of_more_than_sixteen_bytes.o sub/b.o c.o
// RUN: %rjitlink -show-linked-files main.o gnu.a | FileCheck %s -DLIB=gnu.a --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o bsd.a | FileCheck %s -DLIB=bsd.a --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o darwin.a | FileCheck %s -DLIB=darwin.a --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o none.a | FileCheck %s -DLIB=none.a --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o thin.a | FileCheck %s -DLIB=thin.a --implicit-check-not='(c.o)'
// RUN: %rjitlink -show-linked-files main.o sym64.a | FileCheck %s -DLIB=sym64.a --implicit-check-not='(c.o)'
// RUN: %same main.o -lazy gnu.a && %same main.o -lazy thin.a && %rjitlink main.o -lazy none.a && %rjitlink main.o -lazy darwin.a
// RUN: mkdir elsewhere && cd elsewhere && %rjitlink ../main.o ../thin.a
//
// CHECK-DAG: Linking main.o
// CHECK-DAG: Linking [[LIB]][1](a_name_of_more_than_sixteen_bytes.o)
// CHECK-DAG: Linking [[LIB]][2]({{(sub/)?}}b.o)

//--- text.txt
no object
//--- main.c
int a(void);
int main(void) { return a() - 3; }
//--- a.c
int b(void);
int a(void) { return b() + 1; }
//--- b.c
int b(void) { return 2; }
//--- c.c
int a(void), missing(void);
int c(void) { return a() + missing(); }
