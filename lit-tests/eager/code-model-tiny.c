// AArch64's tiny code model: everything within 1 MiB of everything else, data of shared libraries too, which code that is not position-independent refers to as
// its own. A program that is larger is told what to do.
//
// REQUIRES: aarch64, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang -mcmodel=tiny' '--flags=-O0|-O2' '--flags=-fPIC|-fPIE|-fno-pie' --source=main.c --source=other.c --source=third.c \
// RUN:     --work=%t/objects | FileCheck %s
// RUN: %clang -mcmodel=tiny -O2 -fno-pie -c main.c -o main.o && %clang -O2 -fno-pie -c other.c -o other.o && %clang -O2 -c third.c -o third.o
// RUN: %same --native=-no-pie main.o -lazy other.o -lazy third.o
// RUN: %clang -mcmodel=tiny -fno-pie -c large.c -o large.o
// RUN: not %rjitlink large.o 2>&1 | FileCheck %s --check-prefix=LARGE
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ
// LARGE: error: {{.*}} code of the tiny model has to have everything within 1 MiB, and this program is larger than that: compile it with -mcmodel=small

//--- main.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
int counter = 3, zero, add(int), *address(void), next(void);
extern int table[1000];
static const char *const words[] = {"one", "two", "three"};
static int (*const functions[])(int) = {add, abs};
int (*volatile compare)(const char *, const char *) = strcmp;
extern __thread int own, uninitialized;
extern void nowhere(void) __attribute__((weak));
int main(void) {
  fprintf(stdout, "%d %d %s\n", add(counter), zero, words[counter % 3]);
  fprintf(stderr, "%d\n", environ != 0);
  printf("%d %d\n", functions[0](10), functions[1](-5));
  printf("%d %d %d\n", address() == &counter, table[999], compare("a", "a"));
  own += 5;
  uninitialized--;
  printf("%d %d %d %d\n", own, uninitialized, next(), next());
  printf("%d\n", nowhere == 0);
}
//--- other.c
#include <stdio.h>
extern int counter;
int table[1000] = {[999] = 17};
__thread int own = 8, uninitialized;
int add(int n) { fflush(stdout); counter += n; return counter; }
int *address(void) { return &counter; }
//--- third.c
#include <errno.h>
static int count(void) { static int calls; errno = ++calls; return errno; }
int next(void) { return count() * 2; }
//--- large.c
char large[4 << 20], other[4 << 20];
int main(void) { return large[3 << 20] + other[1]; }
