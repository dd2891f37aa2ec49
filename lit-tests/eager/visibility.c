// Hidden, internal and protected symbols bind within the program, across files; static ones of the same name stay apart.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c other.c
// RUN: %same main.o other.o | FileCheck %s
// RUN: %same main.o -lazy other.o | FileCheck %s
//
// CHECK: 1 2 3 4 static 10 20
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
__attribute__((visibility("hidden"))) int hidden(void);
__attribute__((visibility("internal"))) int internal(void);
__attribute__((visibility("protected"))) int protected(void);
__attribute__((visibility("hidden"))) extern int hidden_data;
int other_static(void);
static int same_name(void) { return 10; }
int main(void) { printf("%d %d %d %d static %d %d\n", hidden(), internal(), protected(), hidden_data, same_name(), other_static()); }
//--- other.c
__attribute__((visibility("hidden"))) int hidden(void) { return 1; }
__attribute__((visibility("internal"))) int internal(void) { return 2; }
__attribute__((visibility("protected"))) int protected(void) { return 3; }
__attribute__((visibility("hidden"))) int hidden_data = 4;
__attribute__((noinline)) static int same_name(void) { return 20; }
int other_static(void) { return same_name(); }
