// `-l` and `-L`: glued or separate, before or after; the first folder that has the library is the one; an archive or a shared library.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t/one %t/two %t/shared && cd %t
// RUN: %clang -c %s -o main.o && %clang -DVALUE=1 -c %s -o one.o && %clang -DVALUE=2 -c %s -o two.o && %clang -DVALUE=3 -fPIC -shared %s -o shared/libvalue.so
// RUN: llvm-ar rcs one/libvalue.a one.o && llvm-ar rcs two/libvalue.a two.o
// RUN: %rjitlink main.o -Lone -Ltwo -lvalue | FileCheck %s --check-prefix=ONE
// RUN: %rjitlink main.o -lvalue -L two -L one | FileCheck %s --check-prefix=TWO
// RUN: %rjitlink main.o -L=shared -l value | FileCheck %s --check-prefix=SHARED
// RUN: %rjitlink main.o -preload=shared/libvalue.so | FileCheck %s --check-prefix=SHARED
// RUN: not %rjitlink main.o -lnosuch 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not %rjitlink main.o -preload=nosuch.so 2>&1 | FileCheck %s --check-prefix=PRELOAD
//
// ONE: value 1
// TWO: value 2
// SHARED: value 3
// NONE: rjitlink: error: {{.*}}could not find library for -lnosuch
// PRELOAD: rjitlink: error: {{.*}}nosuch.so

#ifdef VALUE
int value(void) { return VALUE; }
#else
#include <stdio.h>
int value(void);
int main(void) { printf("value %d\n", value()); }
#endif
