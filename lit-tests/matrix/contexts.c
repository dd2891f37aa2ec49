// First calls in unusual places: in a context with a stack of 16 KiB, after a hand-written switch of stacks, in a signal handler on a small
// alternate stack, in a thread with the smallest stack, in children of fork and vfork-like exec, out of which longjmp leaves.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=lazy.c --work=%t/objects --native=-pthread | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
int first(int), second(int), third(int), fourth(int), fifth(int), in_child(int), in_child_too(int), jumps(int);
jmp_buf target;
static ucontext_t home, away;
static int result;
static void in_context(void) { result = first(1); }
static void on_signal(int signal) { result = second(signal > 0); }
static void *in_thread(void *n) { return (void *)(long)third((int)(long)n); }
static void in_switched(void) { result = fourth(4); }
void call_on_stack(void (*function)(void), void *top);
#ifdef __x86_64__
__asm__(".text\n.globl call_on_stack\n.type call_on_stack, @function\ncall_on_stack:\n push %rbp\n mov %rsp, %rbp\n mov %rsi, %rsp\n call *%rdi\n mov %rbp, %rsp\n"
        " pop %rbp\n ret\n.size call_on_stack, . - call_on_stack\n");
#else
__asm__(".text\n.globl call_on_stack\n.type call_on_stack, %function\ncall_on_stack:\n stp x29, x30, [sp, #-16]!\n mov x29, sp\n mov sp, x1\n blr x0\n mov sp, x29\n"
        " ldp x29, x30, [sp], #16\n ret\n.size call_on_stack, . - call_on_stack\n");
#endif
int main(void) {
  getcontext(&away);
  away.uc_stack.ss_sp = aligned_alloc(16, 16384);
  away.uc_stack.ss_size = 16384;
  away.uc_link = &home;
  makecontext(&away, in_context, 0);
  swapcontext(&home, &away);
  printf("context %d\n", result);
  stack_t stack = {.ss_sp = malloc(SIGSTKSZ < 16384 ? 16384 : SIGSTKSZ), .ss_size = SIGSTKSZ < 16384 ? 16384 : SIGSTKSZ};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  printf("signal %d\n", result);
  pthread_attr_t attributes;
  pthread_t thread;
  void *value;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, sysconf(_SC_THREAD_STACK_MIN) + 4096);
  pthread_create(&thread, &attributes, in_thread, (void *)3L);
  pthread_join(thread, &value);
  printf("thread %ld\n", (long)value);
  char *memory = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  call_on_stack(in_switched, memory + 16384);
  printf("switched %d\n", result);
  for (int i = 0; i < 3; i++) {
    int n = setjmp(target);
    if (!n)
      jumps(i);
    printf("jumped %d\n", n);
  }
  fflush(stdout);
  int status;
  if (fork() == 0)
    _exit(in_child(1));
  wait(&status);
  printf("child %d\n", WEXITSTATUS(status));
  fflush(stdout);
  for (int i = 0; i < 4; i++)
    if (fork() == 0)
      exit(in_child_too(i));
  int sum = 0;
  while (wait(&status) > 0)
    sum += WEXITSTATUS(status);
  printf("children %d\n", sum);
  printf("parent %d %d\n", in_child_too(5), fifth(2));
  signal(SIGALRM, SIG_DFL);
  alarm(1);
  for (;;)
    pause();
}
//--- lazy.c
#include <setjmp.h>
#include <stdio.h>
extern jmp_buf target;
int first(int n) { char text[100]; return snprintf(text, sizeof text, "%d bytes", n); }
int second(int n) { return n + 20; }
int third(int n) { return n + 30; }
int fourth(int n) { return n + 40; }
int fifth(int n) { return n + 50; }
int in_child(int n) { return n + 60; }
int in_child_too(int n) { return n * n; }
int jumps(int n) { longjmp(target, n + 1); }
