// Threads that started before a lazy file was first called see its variables' initial values, as threads that start later do;
// a file of which nothing is ever called is not linked, only its variables are.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c lazy.c && %clang -O1 -fPIC -c idle.c
// RUN: %same main.o -lazy lazy.o -lazy idle.o | FileCheck %s
// RUN: %same main.o -lazy -lazy-granularity=object lazy.o -lazy idle.o | FileCheck %s
// RUN: %same main.o lazy.o idle.o | FileCheck %s
// RUN: %rjitlink -show-linked-files -lazy-granularity=object main.o -lazy lazy.o -lazy idle.o | FileCheck %s --check-prefix=FILES
//
// CHECK: early: value 5, name five, pointer 6
// CHECK-NEXT: main: value 5, name five, pointer 6
// CHECK-NEXT: main: value 8, name five, pointer 6
// CHECK-NEXT: late: value 5, name five, pointer 6
// CHECK-NEXT: status: 0
// FILES-NOT: idle.o

//--- main.c
#include <pthread.h>
#include <stdio.h>
void say(const char *who);
void never(void);
static pthread_barrier_t started;
static void *early(void *unused) {
  pthread_barrier_wait(&started);
  say("early");
  return unused;
}
static void *late(void *unused) {
  say("late");
  return unused;
}
int main(int argc, char **argv) {
  pthread_t threads[2];
  pthread_barrier_init(&started, 0, 2);
  pthread_create(&threads[0], 0, early, 0);
  pthread_barrier_wait(&started);
  pthread_join(threads[0], 0);
  say("main");
  say("main");
  pthread_create(&threads[1], 0, late, 0);
  pthread_join(threads[1], 0);
  if (argc > 5) never();
}
//--- lazy.c
#include <stdio.h>
static int six = 6;
static __thread int value = 5;
__thread const char *name = "five";
static __thread int *pointer = &six;
void say(const char *who) {
  printf("%s: value %d, name %s, pointer %d\n", who, value, name, *pointer);
  value += 3;
}
//--- idle.c
static __thread int idle = 1;
void never(void) { idle++; }
