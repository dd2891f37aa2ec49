// `-noexec -show-linked-files` prints llvm-jitlink's lines (save the differences support/peer.py lists).
//
// REQUIRES: llvm-jitlink
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c foo.c && %clang -c x.c && %clang -c unused.c && %clang -c both.c
// RUN: llvm-ar rcs lib.a unused.o foo.o x.o && llvm-ar rcsT thin.a unused.o foo.o x.o
// RUN: %peer -noexec -show-linked-files main.o foo.o x.o
// RUN: %peer -noexec -show-linked-files main.o -lazy foo.o -lazy x.o
// RUN: %peer -noexec -show-linked-files main.o -lazy foo.o x.o
// RUN: %peer -noexec -show-linked-files main.o -lazy both.o -lazy unused.o
// RUN: %peer -noexec -show-linked-files main.o lib.a
// RUN: %peer -noexec -show-linked-files main.o thin.a
// RUN: %peer -noexec -show-linked-files main.o -lazy lib.a
// RUN: %peer -show-linked-files main.o foo.o x.o
// RUN: %peer -show-linked-files main.o -lazy foo.o -lazy x.o
// RUN: %peer -show-linked-files main.o -lazy lib.a
// RUN: %peer -show-linked-files -lazy main.o -lazy both.o

//--- main.c
#include <stdio.h>
int foo(void);
extern int x;
int main(void) {
  printf("%d\n", foo() - x);
  return 7;
}
//--- foo.c
int foo(void) { return 42; }
//--- x.c
int x = 42;
//--- both.c
int x = 1;
int foo(void) { return x; }
//--- unused.c
int unused(void) { return 1; }
