// Lazy files in JITDylibs of their own: a name means what the caller's link order says, and a first call keeps to that.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c b.c && %clang -DVALUE=1 -c value.c -o one.o && %clang -DVALUE=2 -c value.c -o two.o
// RUN: %rjitlink main.o -lazy one.o -lb -jd=b -lazy b.o -lazy two.o | FileCheck %s
// RUN: %rjitlink -show-linked-files main.o -lazy one.o -lb -jd=b -lazy b.o -lazy two.o | FileCheck %s --check-prefix=LINKED
// RUN: not %rjitlink main.o -lazy one.o -jd=b -lazy b.o -lazy two.o 2>&1 | FileCheck %s --check-prefix=UNLINKED
//
// A weak reference finds what another JITDylib has in the link order, as a strong one does, and otherwise nothing.
// RUN: %clang -c weak.c
// RUN: %rjitlink weak.o -lb -jd=b b.o two.o | FileCheck %s --check-prefix=THERE
// RUN: %rjitlink weak.o -lb -jd=b -lazy b.o -lazy two.o | FileCheck %s --check-prefix=THERE
// RUN: %rjitlink -jd=b -lazy b.o -lazy two.o -jd=main weak.o -lb | FileCheck %s --check-prefix=THERE
// RUN: %rjitlink weak.o -jd=b b.o two.o | FileCheck %s --check-prefix=ABSENT
//
// CHECK: main sees 1, b sees 2
// LINKED-DAG: Linking one.o
// LINKED-DAG: Linking two.o
// LINKED-DAG: Linking b.o
// THERE: weakly 2
// ABSENT: weakly -1
// UNLINKED: rjitlink: error: Symbols not found:
// UNLINKED-NEXT: through_b is referred to by main.o

//--- main.c
#include <stdio.h>
int value(void), through_b(void);
int main(void) { printf("main sees %d, b sees %d\n", value(), through_b()); }
//--- weak.c
#include <stdio.h>
#ifdef __APPLE__
__attribute__((weak_import))
#else
__attribute__((weak))
#endif
int through_b(void);
int main(void) { printf("weakly %d\n", through_b ? through_b() : -1); }
//--- b.c
int value(void);
int through_b(void) { return value(); }
//--- value.c
int value(void) { return VALUE; }
