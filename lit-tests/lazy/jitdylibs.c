// Lazy files in JITDylibs of their own: a name means what the caller's link order says, and a first call keeps to that.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c b.c && %clang -DVALUE=1 -c value.c -o one.o && %clang -DVALUE=2 -c value.c -o two.o
// RUN: %rjitlink main.o -lazy one.o -lb -jd=b -lazy b.o -lazy two.o | FileCheck %s
// RUN: %rjitlink -show-linked-files main.o -lazy one.o -lb -jd=b -lazy b.o -lazy two.o | FileCheck %s --check-prefix=LINKED
// RUN: not %rjitlink main.o -lazy one.o -jd=b -lazy b.o -lazy two.o 2>&1 | FileCheck %s --check-prefix=UNLINKED
//
// CHECK: main sees 1, b sees 2
// LINKED-DAG: Linking one.o
// LINKED-DAG: Linking two.o
// LINKED-DAG: Linking b.o
// UNLINKED: rjitlink: error: Symbols not found:
// UNLINKED-NEXT: through_b is referred to by main.o

//--- main.c
#include <stdio.h>
int value(void), through_b(void);
int main(void) { printf("main sees %d, b sees %d\n", value(), through_b()); }
//--- b.c
int value(void);
int through_b(void) { return value(); }
//--- value.c
int value(void) { return VALUE; }
