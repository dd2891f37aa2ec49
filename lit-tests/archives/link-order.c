// Archive members come in the order in which a static linker loads them, not in the one in which references ask for them: their
// constructors, what is between __start_ and __stop_ symbols, and where they are in memory.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c late.c
// RUN: %clang -DN=1 -c member.c -o member1.o && %clang -DN=3 -c member.c -o member3.o && %clang -DN=4 -c member.c -o member4.o
// RUN: %clang -DN=5 -c member.c -o member5.o && %clang -DN=7 -c member.c -o member7.o
// RUN: %clang -DN=2 -DPULLS=member9 -c member.c -o member2.o && %clang -DN=8 -DPULLS=member1 -c member.c -o member8.o
// RUN: %clang -DN=9 -DPULLS=member5 -c member.c -o member9.o
//
// Main asks for 3, 8 and 2. Member 8 pulls member 1, before it; member 2 pulls 9 in the second archive, and that 5 in the first.
// RUN: llvm-ar rcs first.a member1.o member2.o member3.o member4.o member5.o member8.o
// RUN: llvm-ar rcs second.a member7.o member9.o
//
// RUN: %same main.o first.a second.a late.o | FileCheck %s
// RUN: %same main.o -lazy first.a -lazy second.a late.o | FileCheck %s
// RUN: %same -lazy main.o -lazy first.a -lazy second.a -lazy late.o | FileCheck %s
// RUN: %same -lazy-granularity=object -lazy main.o -lazy first.a -lazy second.a -lazy late.o | FileCheck %s
// RUN: %same -num-threads=0 main.o first.a second.a late.o | FileCheck %s
// RUN: %same main.o late.o second.a first.a | FileCheck %s --check-prefix=LATER
// RUN: %same first.a main.o second.a late.o | FileCheck %s --check-prefix=LATER
// RUN: %same -lazy first.a -lazy main.o -lazy second.a -lazy late.o | FileCheck %s --check-prefix=LATER
//
// CHECK: initialized: 0 2 3 8 1 9 99 5{{$}}
// CHECK-NEXT: listed: 0 2 3 8 1 9 99 5{{$}}
// CHECK-NEXT: in memory: ascending
// CHECK-NEXT: status: 0
// LATER: initialized: 0 99 2 3 8 1 9 5{{$}}
// LATER-NEXT: listed: 0 99 2 3 8 1 9 5{{$}}
// LATER-NEXT: in memory: ascending
//
//--- list.h
extern int order[32], count;
extern const int *places[32];
#define FILE_NUMBER(n)                                                                                                  \
  static const int number __attribute__((section("numbers"), used)) = n;                                               \
  static int variable = n + 1;                                                                                          \
  __attribute__((constructor)) static void initialize(void) {                                                           \
    places[count] = &variable;                                                                                          \
    order[count++] = variable - 1;                                                                                      \
  }
//--- main.c
#include "list.h"
#include <stdio.h>
int order[32], count;
const int *places[32];
FILE_NUMBER(0)
extern const int __start_numbers[], __stop_numbers[];
int member2(void), member3(void), member8(void), late(void);
int main(void) {
  int sum = member3() + member8() + member2() + late();
  printf("initialized:");
  for (int i = 0; i < count; i++)
    printf(" %d", order[i]);
  printf("\nlisted:");
  for (const int *number = __start_numbers; number < __stop_numbers; number++)
    printf(" %d", *number);
  int descents = 0;
  for (int i = 1; i < count; i++)
    descents += places[i] < places[i - 1];
  printf("\nin memory: %s\n", descents ? "not in order" : "ascending");
  return sum == 0;
}
//--- late.c
#include "list.h"
FILE_NUMBER(99)
int late(void) { return 99; }
//--- member.c
#include "list.h"
#define PASTE(a, b) a##b
#define NAME(n) PASTE(member, n)
FILE_NUMBER(N)
#ifdef PULLS
int PULLS(void);
int NAME(N)(void) { return PULLS() + N; }
#else
int NAME(N)(void) { return N; }
#endif
