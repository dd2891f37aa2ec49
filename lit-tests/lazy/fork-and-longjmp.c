// First calls after fork, in a signal handler on an alternate stack, on a small thread stack; a longjmp out of a lazy body.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -c leaf.c
// RUN: %clang -O1 -c -DLEAF=in_child leaf.c -o child.o && %clang -O1 -c -DLEAF=in_handler leaf.c -o handler.o
// RUN: %clang -O1 -c -DLEAF=in_thread leaf.c -o thread.o && %clang -O1 -c jump.c
// RUN: %same --native=-pthread main.o -lazy child.o -lazy handler.o -lazy thread.o -lazy jump.o | FileCheck %s
//
// CHECK: child 42
// CHECK-NEXT: handler 42
// CHECK-NEXT: thread 42
// CHECK-NEXT: jumped 5
// CHECK-NEXT: status: 0

//--- main.c
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int in_child(void), in_handler(void), in_thread(void);
void jump(jmp_buf, int);
static volatile int handled;
static void handler(int signal) { handled = in_handler(); }
static void *thread(void *unused) { return (void *)(long)in_thread(); }
int main(void) {
  int status;
  if (fork() == 0)
    _exit(in_child());
  wait(&status);
  printf("child %d\n", WEXITSTATUS(status));

  stack_t stack = {.ss_size = 65536, .ss_sp = malloc(65536)};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, 0);
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  printf("handler %d\n", handled);

  pthread_attr_t attributes;
  pthread_t id;
  void *result;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 131072 > PTHREAD_STACK_MIN ? 131072 : PTHREAD_STACK_MIN);
  pthread_create(&id, &attributes, thread, 0);
  pthread_join(id, &result);
  printf("thread %d\n", (int)(long)result);

  jmp_buf buffer;
  int n = setjmp(buffer);
  if (!n)
    jump(buffer, 5);
  printf("jumped %d\n", n);
}
//--- leaf.c
#ifndef LEAF
#define LEAF leaf
#endif
int LEAF(void) { return 42; }
//--- jump.c
#include <setjmp.h>
void jump(jmp_buf buffer, int n) { longjmp(buffer, n); }
