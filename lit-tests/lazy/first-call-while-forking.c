// A signal handler makes first calls while its thread forks; and a thread forks when it has all but ended, while others link: the child
// must not find the linker locked.
//
// REQUIRES: elf
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c handler.c && %clang -O1 -c ending.c && %clang -O1 -ffunction-sections -c functions.c
// RUN: %same --native=-pthread handler.o -lazy functions.o | FileCheck --check-prefix=HANDLER %s
// RUN: %same --native=-pthread ending.o -lazy functions.o | FileCheck --check-prefix=ENDING %s
//
// HANDLER: all called
// HANDLER-NEXT: status: 0
// ENDING: 0 children failed
// ENDING-NEXT: status: 0

//--- functions.h
#define TEN(x) F(x##0) F(x##1) F(x##2) F(x##3) F(x##4) F(x##5) F(x##6) F(x##7) F(x##8) F(x##9)
#define HUNDRED(x) TEN(x##0) TEN(x##1) TEN(x##2) TEN(x##3) TEN(x##4) TEN(x##5) TEN(x##6) TEN(x##7) TEN(x##8) TEN(x##9)
#define ALL HUNDRED(f1) HUNDRED(f2) HUNDRED(f3) HUNDRED(f4) HUNDRED(f5) HUNDRED(f6) HUNDRED(f7) HUNDRED(f8)
enum { COUNT = 800 };
//--- functions.c
#include "functions.h"
int sum;
#define F(name) int name(int x) { sum += x; return x; }
ALL
//--- table.h
#include "functions.h"
#define F(name) int name(int);
ALL
#undef F
#define F(name) name,
static int (*volatile const table[])(int) = {ALL};
//--- handler.c
#include "table.h"
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int next;
static void handler(int signal) {
  if (next < COUNT)
    table[next++](1);
}
int main(void) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, 0);
  struct itimerval often = {{0, 300}, {0, 300}};
  setitimer(ITIMER_REAL, &often, 0);
  while (next < COUNT) {
    pid_t child = fork();
    if (child == 0)
      _exit(0);
    waitpid(child, 0, 0);
  }
  puts("all called");
}
//--- ending.c
#include "table.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_key_t key;
static int next, failed;
static int take(void) { return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED); }
static void fork_and_call(void *unused) {
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    int number = take() + 7;
    _exit(number < COUNT && table[number](1) != 1);
  }
  int status;
  waitpid(child, &status, 0);
  __atomic_fetch_add(&failed, status != 0, __ATOMIC_RELAXED);
}
static void *end(void *unused) {
  fork_and_call(0);
  pthread_setspecific(key, &key);
  return 0;
}
static void *call(void *unused) {
  for (int number; (number = take()) < COUNT;) {
    table[number](1);
    usleep(50);
  }
  return 0;
}
int main(void) {
  pthread_t callers[3], ending[4];
  pthread_key_create(&key, fork_and_call);
  for (int i = 0; i < 3; i++)
    pthread_create(&callers[i], 0, call, 0);
  while (__atomic_load_n(&next, __ATOMIC_RELAXED) < COUNT) {
    for (int i = 0; i < 4; i++)
      pthread_create(&ending[i], 0, end, 0);
    for (int i = 0; i < 4; i++)
      pthread_join(ending[i], 0);
  }
  for (int i = 0; i < 3; i++)
    pthread_join(callers[i], 0);
  printf("%d children failed\n", failed);
}
