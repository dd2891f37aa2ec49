// Thread-local variables: initial values in every thread, zero-filled ones, large alignment, pointers to other data; those of lazy files
// too, shared between files, in both granularities.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwin -O1 -c main.c && %darwin -O1 -c other.c && %darwin -O0 -c other.c -o other0.o
// RUN: %lazily main.o other.o | FileCheck %s
// RUN: %lazily main.o -lazy other.o | FileCheck %s
// RUN: %lazily -lazy-granularity=object main.o -lazy other0.o | FileCheck %s
// RUN: %lazily -lazy main.o -lazy other0.o | FileCheck %s
//
// CHECK: main: 5 0 9 text aligned
// CHECK-NEXT: main again: 6 2 10 text aligned
// CHECK-NEXT: thread: 5 0 9 text aligned
// CHECK-NEXT: thread again: 6 2 10 text aligned
// CHECK-NEXT: main at last: 6 2 10 text aligned
// CHECK-NEXT: status: 0

//--- main.c
#include <pthread.h>
#include <stdio.h>
extern __thread int initialized;
extern __thread const char *pointer;
static __thread long zeroes[100];
__thread _Alignas(128) char aligned = 9;
int *elsewhere(void);
void change(void);
static void show(const char *who) {
  int *same = elsewhere();
  printf("%s: %d %ld %d %s %s%s\n", who, initialized, zeroes[99], aligned, pointer,
         (unsigned long)&aligned % 128 == 0 ? "aligned" : "misaligned", same == &initialized ? "" : ", another variable");
}
static void *thread(void *unused) {
  show("thread");
  change();
  zeroes[99] += 2;
  aligned++;
  show("thread again");
  return 0;
}
int main(void) {
  pthread_t id;
  show("main");
  change();
  zeroes[99] += 2;
  aligned++;
  show("main again");
  pthread_create(&id, 0, thread, 0);
  pthread_join(id, 0);
  show("main at last");
}
//--- other.c
__thread int initialized = 5;
static const char text[] = "text";
__thread const char *pointer = text;
int *elsewhere(void) { return &initialized; }
void change(void) { initialized++; }
