// What cannot be kept is linked as without a cache, every time: lazy files that lack something nobody calls, code for low addresses.
// Options that are about linking contradict a cache.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c -o main.o && %clang -O1 -fPIC -ffunction-sections -c lacking.c -o lacking.o
// RUN: %rjitlink -cache-dir=cache main.o -lazy lacking.o | FileCheck %s
// RUN: %rjitlink -cache-dir=cache main.o -lazy lacking.o | FileCheck %s
// RUN: not %rjitlink -cache-dir=cache lacking.o 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not %rjitlink -cache -show-linked-files main.o 2>&1 | FileCheck %s --check-prefix=CONTRADICTION
// RUN: touch file && not %rjitlink -cache-dir=file/cache main.o 2>&1 | FileCheck %s --check-prefix=DIRECTORY
//
// CHECK: called
// ERROR: rjitlink: error: Symbols not found: [ main
// CONTRADICTION: rjitlink: error: -cache cannot be combined with -show-linked-files: a program from the cache is not linked
// DIRECTORY: rjitlink: error: cannot make the cache directory 'file/cache'; choose another with -cache-dir

//--- main.c
int called(void);
int main(void) { return called(); }
//--- lacking.c
#include <stdio.h>
void exists_nowhere(void);
int called(void) { puts("called"); return 0; }
void uncalled(void) { exists_nowhere(); }
