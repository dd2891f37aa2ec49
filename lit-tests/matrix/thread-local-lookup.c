// dlsym finds thread-local variables of the program, of lazy files too: those of the thread that asks.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --native=-rdynamic --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <pthread.h>
extern _Thread_local int counter;
int *addr(void);
static void *run(void *a) { int *p = dlsym(RTLD_DEFAULT, "counter"); counter = 9; printf("%d %d\n", p == &counter, p ? *p : -1); return 0; }
int main(void) {
  int *p = dlsym(RTLD_DEFAULT, "counter");
  printf("%d %d\n", p == &counter, p == addr());
  pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0);
  void *h = dlopen(0, RTLD_NOW);
  printf("%d\n", dlsym(h, "counter") == (void*)addr());
}
//--- other.c
_Thread_local int counter = 4;
int *addr(void) { return &counter; }
