// Symbols that no file defines: -abs, -alias, -sectcreate, -phony-externals, -no-process-syms.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c maybe.c && %clang -fPIC -c alone.c && %clang -fPIC -c blob.c
//
// An address that is a value.
// RUN: %rjitlink main.o -abs size=0x2a -abs flags=017 -alias say=puts | FileCheck %s
// CHECK: 42 15
// CHECK: said
//
// RUN: %rjitlink -sectcreate=__data,blob.txt@blob=0,blob_tail=4 blob.o | FileCheck %s --check-prefix=BLOB
// BLOB: abcd efgh
//
// RUN: not %rjitlink maybe.o 2>&1 | FileCheck %s --check-prefix=MAYBE
// RUN: %rjitlink -phony-externals maybe.o | FileCheck %s --check-prefix=NULL
// MAYBE: Symbols not found: [ maybe ]
// NULL: null 1
//
// The process's symbols are not there, but what a test answers with is.
// RUN: not %rjitlink -no-process-syms maybe.o -phony-externals=false 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not %rjitlink -no-process-syms alone.o
// RUN: not %rjitlink -no-process-syms=false alone.o
// NOTHING: Symbols not found: [ maybe, printf ]

//--- main.c
#include <stdio.h>
extern char size[], flags[];
int say(const char *);
int main(void) {
  printf("%d %d\n", (int)(long)size, (int)(long)flags);
  say("said");
  return 0;
}
//--- maybe.c
int printf(const char *, ...);
int maybe(void);
int main(void) {
  int (*volatile f)(void) = maybe;
  printf("null %d\n", f == 0);
  return 0;
}
//--- alone.c
int main(void) { return 3; }
//--- blob.c
#include <stdio.h>
extern const char blob[], blob_tail[];
int main(void) {
  printf("%.4s %.4s\n", blob, blob_tail);
  return 0;
}
//--- blob.txt
abcdefgh
