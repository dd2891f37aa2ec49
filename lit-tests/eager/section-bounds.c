// `__start_SECTION` and `__stop_SECTION` bound the section of that name over all files; keeping it alive keeps all its pieces. It does not matter whether
// they are referred to weakly, nor whether the section comes with an archive member that is searched for later.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -DVALUE=2 -c part.c -o two.o && %clang -DVALUE=3 -c part.c -o three.o
// RUN: %same main.o two.o three.o | FileCheck %s
// RUN: %same main.o -lazy two.o -lazy three.o | FileCheck %s
// RUN: %clang -DWEAK -c main.c -o weak.o
// RUN: %same weak.o two.o three.o | FileCheck %s
// RUN: %same -lazy weak.o -lazy two.o -lazy three.o | FileCheck %s
// RUN: %clang -c late.c member.c && rm -f member.a && llvm-ar rcs member.a member.o
// RUN: %same late.o member.a | FileCheck %s --check-prefix=LATE
// RUN: %same -lazy late.o -lazy member.a | FileCheck %s --check-prefix=LATE
// RUN: %clang -DWEAK -c late.c && %same late.o member.a | FileCheck %s --check-prefix=LATE
//
// CHECK: 3 entries: 1 2 3
// CHECK-NEXT: absent 1
// LATE: 1 entry: 7

//--- main.c
#include <stdio.h>
__attribute__((section("table"), used)) static const int one = 1;
#ifdef WEAK
__attribute__((weak, visibility("hidden")))
#endif
extern const int __start_table[], __stop_table[];
extern const int __start_absent[] __attribute__((weak));
int main(void) {
  printf("%d entries:", (int)(__stop_table - __start_table));
  for (const int *entry = __start_table; entry != __stop_table; entry++)
    printf(" %d", *entry);
  printf("\nabsent %d\n", __start_absent == 0);
}
//--- part.c
__attribute__((section("table"), used)) static const int entry = VALUE;
//--- late.c
#include <stdio.h>
#ifdef WEAK
__attribute__((weak))
#endif
extern const int __start_late[], __stop_late[];
int member(void);
int main(void) {
  const int *start = __start_late, *stop = __stop_late;
  printf("%d entry: %d\n", (int)(stop - start), member());
}
//--- member.c
__attribute__((section("late"), used)) static const int entry = 7;
int member(void) { return entry; }
