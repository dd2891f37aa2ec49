// Several JITDylibs: the same symbol in two, hidden symbols and archives, aliases and lazy functions across.
//
// RUN: rm -rf %t && split-file %s %t && cd %t && %clang -fPIC -c main.c a.c b.c hidden.c user.c
// RUN: llvm-ar rcs libb.a b.o
//
// RUN: %rjitlink main.o -lA -jd=A a.o | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: %rjitlink main.o -lA -jd=A -lazy a.o | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: %rjitlink -lazy main.o -lA -jd=A -lazy a.o | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: %rjitlink -alias=name_of_a=A:name_of_a main.o -jd=A -lazy a.o | FileCheck %s --check-prefixes=CHECK,OWN
// RUN: %rjitlink main.o -alias=main:name_of_a=A:own -jd=A -lazy a.o | FileCheck %s --check-prefixes=CHECK,ALIAS
// CHECK: main: main's
// OWN: A: A's
// ALIAS: A: A's
//
// JITDylibs that link against each other in a row see only the next one.
// RUN: not %rjitlink user.o -lA -jd=A a.o -lB -jd=B b.o 2>&1 | FileCheck %s --check-prefix=NEXT
// RUN: %rjitlink user.o -lA -lB -jd=A a.o -jd=B b.o | FileCheck %s --check-prefix=BOTH
// NEXT: Symbols not found: [ only_b ]
// BOTH: b 2
//
// What is hidden is seen within its JITDylib only.
// RUN: not %rjitlink user.o -lB -jd=B hidden.o 2>&1 | FileCheck %s --check-prefix=NEXT
// RUN: not %rjitlink user.o -alias only_b=B:only_b -jd=B hidden.o 2>&1 | FileCheck %s --check-prefix=NEXT
// RUN: not %rjitlink user.o -lB -jd=B -load_hidden=libb.a 2>&1 | FileCheck %s --check-prefix=NEXT
// RUN: not %rjitlink user.o -lB -jd=B -L. -hidden-lb 2>&1 | FileCheck %s --check-prefix=NEXT
// RUN: %rjitlink user.o hidden.o | FileCheck %s --check-prefix=BOTH
// RUN: %rjitlink user.o -load_hidden libb.a | FileCheck %s --check-prefix=BOTH
// RUN: %rjitlink user.o -L. -hidden-lb | FileCheck %s --check-prefix=BOTH
//
// All members, wanted or not.
// RUN: %rjitlink -noexec -show-linked-files user.o libb.a | FileCheck %s --check-prefix=ONE
// RUN: %rjitlink -noexec -show-init-es -all_load main.o -abs name_of_a=1 libb.a | FileCheck %s --check-prefix=ALL
// ONE: Linking libb.a[0](b.o)
// ALL: "only_b": <not resolved>  [Callable] Never-Searched (Materializer 0x{{.*}}, libb.a[0](b.o))
//
// The environment's directories come after -L.
// RUN: env LD_LIBRARY_PATH=%t %rjitlink -search-sys-lib user.o -lb | FileCheck %s --check-prefix=BOTH
// RUN: not env LD_LIBRARY_PATH=%t %rjitlink user.o -lb

//--- main.c
#include <stdio.h>
const char *own(void) { return "main's"; }
const char *name_of_a(void);
int main(void) {
  printf("main: %s\n", own());
  printf("A: %s\n", name_of_a());
  return 0;
}
//--- a.c
const char *own(void) { return "A's"; }
const char *name_of_a(void) { return own(); }
//--- b.c
int only_b(void) { return 2; }
//--- hidden.c
__attribute__((visibility("hidden"))) int only_b(void) { return 2; }
//--- user.c
#include <stdio.h>
int only_b(void);
int main(void) {
  printf("b %d\n", only_b());
  return 0;
}
