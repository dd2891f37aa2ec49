// Shared libraries and linker scripts, as `-l` and as files; `-l:` with a file's name; those of the system.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t/lib && cd %t
// RUN: %clang -c %s -o main.o && %clang -DONE -c %s -o one.o && %clang -DTWO -fPIC -shared %s -o libtwo.so
// RUN: llvm-ar rcs lib/libone.a one.o && cp libtwo.so lib/two.so
// RUN: echo "/* both */ OUTPUT_FORMAT(elf64-little) GROUP ( libone.a AS_NEEDED ( two.so ) )" > lib/libboth.so
// RUN: echo "INPUT(-lboth)" > lib/libagain.so
// RUN: %rjitlink main.o lib/libone.a libtwo.so | FileCheck %s
// RUN: %rjitlink main.o libtwo.so -Llib -l:libone.a -lazy -l:libone.a | FileCheck %s
// RUN: %rjitlink main.o -Llib -lboth | FileCheck %s
// RUN: %rjitlink main.o -Llib -lagain | FileCheck %s
// RUN: %rjitlink main.o lib/libboth.so | FileCheck %s
// RUN: %rjitlink -show-linked-files main.o -Llib -lazy -lboth | FileCheck %s --check-prefix=LAZY
// RUN: %rjitlink main.o -Llib -lboth -lc -lm -lpthread | FileCheck %s
//
// What is wrong names the script.
// RUN: echo "INPUT(nosuch.a)" > lib/libbad.so && echo "SECTIONS { }" > lib/libworse.so && echo "INPUT(a" > open.so
// RUN: not %rjitlink main.o -Llib -lbad 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not %rjitlink main.o open.so 2>&1 | FileCheck %s --check-prefix=OPEN
// RUN: not %rjitlink main.o lib/libworse.so 2>&1 | FileCheck %s --check-prefix=NEITHER
// RUN: not %rjitlink main.o -Llib -l:nosuch 2>&1 | FileCheck %s --check-prefix=DIRECTORIES
//
// CHECK: one 1, two 2, exits 0
// CHECK-NEXT: at exit
// LAZY: Linking main.o
// LAZY: Linking {{.*}}libone.a
// LAZY: one 1, two 2
// BAD: rjitlink: error: {{.*}}'nosuch.a', which linker script lib/libbad.so names, does not exist; not in any of
// BAD-NEXT: lib
// OPEN: rjitlink: error: linker script open.so: line {{.*}}: the list of INPUT has no end
// NEITHER: rjitlink: error: lib/libworse.so does not contain a relocatable object file or archive
// DIRECTORIES: could not find library for -l:nosuch; say where it is with -L; not in any of
// DIRECTORIES-NEXT: {{^ +}}lib
// DIRECTORIES-NEXT: {{^ +}}/

#if defined(ONE)
int one(void) { return 1; }
#elif defined(TWO)
int two(void) { return 2; }
#else
#include <stdio.h>
#include <stdlib.h>
int one(void), two(void);
static void last(void) { puts("at exit"); }
int main(void) { printf("one %d, two %d, exits %d\n", one(), two(), atexit(last)); }
#endif
