// First calls where they are unusual: in a new context, in a signal handler on its own stack, deep in a recursion, in a child, in a child's
// child; siglongjmp out of a handler; alarm and pause in main; what the kernel and the loader tell a program.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=leaf.c --work=%t/objects --native=-pthread \
// RUN:     | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
int in_context(int, int), in_handler(int), deep(int), in_child(int), in_grandchild(int), depth(int);
double in_float_context(double);
void crash(int *);
static ucontext_t main_context, other_context;
static sigjmp_buf back;
static volatile sig_atomic_t alarms;
static volatile int result;
static void context(int a, int b) {
  for (;;) {
    result = in_context(a, b) + (int)in_float_context(2.5);
    swapcontext(&other_context, &main_context);
    a++;
  }
}
static void on_segv(int signal, siginfo_t *info, void *unused) { siglongjmp(back, in_handler((int)(long)info->si_addr)); }
static void on_alarm(int signal) { alarms++; }
int main(void) {
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = malloc(65536);
  other_context.uc_stack.ss_size = 65536;
  makecontext(&other_context, (void (*)(void))context, 2, 20, 3);
  for (int i = 0; i < 3; i++) {
    swapcontext(&main_context, &other_context);
    printf("context %d\n", result);
  }
  stack_t stack = {.ss_size = 65536, .ss_sp = malloc(65536)};
  struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  sigaltstack(&stack, 0);
  sigaction(SIGSEGV, &action, 0);
  for (int i = 0; i < 2; i++) {
    int n = sigsetjmp(back, 1);
    if (!n)
      crash((int *)48L);
    printf("back %d\n", n);
  }
  printf("deep %d\n", deep(20000));
  fflush(stdout);
  if (fork() == 0) {
    if (fork() == 0)
      _exit(in_grandchild(3));
    int status;
    wait(&status);
    _exit(in_child(WEXITSTATUS(status)));
  }
  int status;
  wait(&status);
  printf("child %d, parent %d\n", WEXITSTATUS(status), in_child(1));
  signal(SIGALRM, on_alarm);
  ualarm(20000, 0);
  while (!alarms)
    pause();
  void *frames[100];
  int here = backtrace(frames, 100);
  printf("alarms %d, depth %d %d\n", alarms, depth(0) - here, depth(5) - here);
  printf("%d %d %s %d\n", getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE), environ && environ[0], getenv("LANG"),
         getauxval(AT_SECURE) != 0);
  raise(SIGTERM);
}
//--- leaf.c
#include <execinfo.h>
#include <unwind.h>
int in_context(int a, int b) { return a * b; }
double in_float_context(double d) { return d * 4; }
int in_handler(int address) { return address + 1; }
int in_child(int n) { return n + 10; }
int in_grandchild(int n) { return n + 4; }
void crash(int *address) { *(volatile int *)address = 1; }
int deep(int n) { return n ? deep(n - 1) + (n & 1) : 5; }
static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *frames) {
  ++*(int *)frames;
  return _URC_NO_REASON;
}
__attribute__((noinline)) int depth(int more) {
  if (more)
    return depth(more - 1) + (*(volatile int *)&more > 100);
  void *frames[100];
  int seen = backtrace(frames, 100), counted = 0;
  _Unwind_Backtrace(count, &counted);
  return seen == counted ? seen : -1000;
}
