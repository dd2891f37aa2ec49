// Pieces of .init and .fini: run before constructors and after destructors, in the order of files; the C library's start files, which
// begin and end what they are pieces of in a static link, may be given too.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -O1 -fPIC -c %s -o main.o && %clang -O1 -fPIC -DOTHER -c %s -o other.o
// RUN: %same main.o other.o | FileCheck %s
// RUN: %same main.o -lazy other.o | FileCheck %s
// RUN: %same -lazy-granularity=object -lazy main.o -lazy other.o | FileCheck %s
// RUN: %rjitlink %{crt}/crti.o main.o other.o %{crt}/crtn.o | FileCheck %s
//
// CHECK: init main
// CHECK-NEXT: init other
// CHECK-NEXT: constructor main
// CHECK-NEXT: main
// CHECK-NEXT: destructor main
// CHECK-NEXT: fini main
// CHECK-NEXT: fini other

#include <stdio.h>

#ifdef __x86_64__
#define PIECE(section, function) __asm__(".section " section ",\"ax\"\n\tcall " function "\n\t.text")
#else
#define PIECE(section, function) __asm__(".section " section ",\"ax\"\n\tbl " function "\n\t.text")
#endif

#ifdef OTHER
void init_other(void) { puts("init other"); }
void fini_other(void) { puts("fini other"); }
PIECE(".init", "init_other");
PIECE(".fini", "fini_other");
#else
void init_main(void) { puts("init main"); }
void fini_main(void) { puts("fini main"), fflush(stdout); }
PIECE(".init", "init_main");
PIECE(".fini", "fini_main");
void init_other(void);
__attribute__((constructor)) static void construct(void) { puts("constructor main"); }
__attribute__((destructor)) static void destruct(void) { puts("destructor main"); }
int main(void) {
  puts("main");
  return !init_other;
}
#endif
