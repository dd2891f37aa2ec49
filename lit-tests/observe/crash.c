// A program that dies of a signal says where it was, and dies of that signal.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -g -O0 -fno-inline -ffunction-sections -c main.c lazy.c
// RUN: %clang -O0 -ffunction-sections -c lazy.c -o bare.o
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy lazy.o -- null 2>&1 | FileCheck %s --check-prefix=NULL
// RUN: %clang -g -gz=zlib -O0 -fno-inline -ffunction-sections -c lazy.c -o zlib.o
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy zlib.o -- null 2>&1 | FileCheck %s --check-prefix=COMPRESSED
// RUN: %clang -g -gz=zstd -O0 -fno-inline -ffunction-sections -c lazy.c -o zstd.o
// RUN: %python status.py SIGSEGV %rjitlink main.o zstd.o -- null 2>&1 | FileCheck %s --check-prefix=COMPRESSED
// RUN: %python status.py SIGSEGV %rjitlink main.o lazy.o -- null 2>&1 | FileCheck %s --check-prefix=NULL
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy bare.o -- null 2>&1 | FileCheck %s --check-prefix=BARE
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy lazy.o -- call 2>&1 | FileCheck %s --check-prefix=CALL
// RUN: %python status.py SIGABRT %rjitlink main.o -lazy lazy.o -- abort 2>&1 | FileCheck %s --check-prefix=ABORT
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy lazy.o -- stack 2>&1 | FileCheck %s --check-prefix=STACK
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy lazy.o -- thread 2>&1 | FileCheck %s --check-prefix=THREAD
// RUN: %python status.py SIGSEGV %rjitlink main.o -lazy lazy.o -- raise 2>&1 | FileCheck %s --check-prefix=RAISE
// RUN: %python status.py SIGABRT %rjitlink main.o -lazy lazy.o -- heap 2>&1 | FileCheck %s --check-prefix=HEAP
//
// It finds no handlers but its own, which work as ever; and can be spared all that.
// RUN: %same main.o -lazy lazy.o -- handlers | FileCheck %s --check-prefix=HANDLERS
// RUN: %python status.py SIGSEGV %rjitlink -crash-backtrace=false main.o -lazy lazy.o -- null > off.out 2>&1
// RUN: FileCheck %s --check-prefix=OFF --implicit-check-not=rjitlink < off.out
// RUN: not %rjitlink -crash-backtrace=maybe main.o 2>&1 | FileCheck %s --check-prefix=MISUSE
//
// NULL: rjitlink: the program dies of SIGSEGV (invalid memory access) at address 0x8
// NULL-NEXT: #0 {{.*}} in store + 0x{{[0-9a-f]+}} at {{.*}}lazy.c:7 (lazy.o, .text.store + 0x
// NULL-NEXT: #1 {{.*}} in crash + 0x{{[0-9a-f]+}} at {{.*}}lazy.c:25 (lazy.o, .text.crash + 0x
// NULL-NEXT: #2 {{.*}} in main + 0x{{[0-9a-f]+}} at {{.*}}main.c:3 (main.o, .text.main + 0x
// NULL-NOT: #3
// COMPRESSED: #0 {{.*}} in store + 0x{{[0-9a-f]+}} at {{.*}}lazy.c:7 (z{{.*}}.o, .text.store + 0x
// COMPRESSED-NEXT: #1 {{.*}} in crash + 0x{{[0-9a-f]+}} at {{.*}}lazy.c:25
// BARE: #0 {{.*}} in store + 0x{{[0-9a-f]+}} (bare.o, .text.store + 0x
// BARE-NEXT: #1 {{.*}} in crash + 0x{{[0-9a-f]+}} (bare.o, .text.crash + 0x
// CALL: dies of SIGSEGV (invalid memory access) at address 0x0
// CALL-NEXT: #0 {{.*}}(no code is known there)
// CALL-NEXT: #1 {{.*}} in crash + {{.*}}lazy.c:27
// CALL-NEXT: #2 {{.*}} in main
// ABORT: dies of SIGABRT (abort)
// ABORT: in abort + 0x{{[0-9a-f]+}} ({{.*}}libc.so.6)
// ABORT-NEXT: in crash + {{.*}}lazy.c:29
// STACK: dies of SIGSEGV (stack overflow)
// STACK: in recurse + {{.*}}lazy.c:10 {{.*}} times)
// THREAD: dies of SIGSEGV (invalid memory access) at address 0x8
// THREAD-NEXT: #0 {{.*}} in store
// THREAD-NEXT: #1 {{.*}} in thread + {{.*}}lazy.c:14
// RAISE: dies of SIGSEGV
// RAISE: in crash + {{.*}}lazy.c:35
// HEAP: dies of SIGABRT
// HEAP: in crash + {{.*}}lazy.c:39
// HANDLERS: handler 0, stack disabled: 1, signal 0
// HANDLERS-NEXT: caught
// HANDLERS-NEXT: caught again on a stack of its own
// OFF: died of SIGSEGV
// MISUSE: rjitlink: error: {{.*}}maybe

//--- status.py
import signal, subprocess, sys
done = subprocess.run(sys.argv[2:], stderr=subprocess.STDOUT)
print(f"died of {sys.argv[1]}" if done.returncode == -getattr(signal, sys.argv[1]) else f"unexpected end: {done.returncode}")
sys.exit(done.returncode != -getattr(signal, sys.argv[1]))
//--- main.c
void crash(const char *how);
int main(int argc, char **argv) {
  crash(argv[1]);
  return 0;
}
//--- lazy.c
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void store(volatile int *place) { *place = 1; }
static int recurse(int depth) {
  volatile char room[2000] = {0};
  return depth < 0 ? 0 : recurse(depth + 1) + room[0];
}
static void *thread(void *unused) {
  (void)unused;
  store((int *)8);
  return 0;
}
static sigjmp_buf back;
static void handler(int signal) {
  (void)signal;
  siglongjmp(back, 1);
}
static void handlers(void);
void crash(const char *how) {
  if (!strcmp(how, "null"))
    store((int *)8);
  if (!strcmp(how, "call"))
    ((void (*volatile)(void))0)();
  if (!strcmp(how, "abort"))
    abort();
  if (!strcmp(how, "stack"))
    printf("%d\n", recurse(0));
  pthread_t other;
  if (!strcmp(how, "thread") && !pthread_create(&other, 0, thread, 0))
    pthread_join(other, 0);
  if (!strcmp(how, "raise")) raise(SIGSEGV);
  char *memory = malloc(10);
  if (!strcmp(how, "heap")) {
    memset(memory - 16, 0x41, 32);
    free(memory);
  }
  if (!strcmp(how, "handlers"))
    handlers();
}
static void handlers(void) {
  struct sigaction old, own = {.sa_handler = handler};
  stack_t stack;
  sigaltstack(0, &stack);
  sigaction(SIGSEGV, &own, &old);
  printf("handler %ld, stack disabled: %d, signal %ld\n", (long)old.sa_handler, stack.ss_flags == SS_DISABLE,
         (long)signal(SIGBUS, SIG_IGN));
  fflush(stdout);
  if (!sigsetjmp(back, 1))
    store((int *)8);
  puts("caught");
  fflush(stdout);
  static char memory[65536];
  stack = (stack_t){.ss_sp = memory, .ss_size = sizeof memory};
  sigaltstack(&stack, 0);
  own.sa_flags = SA_ONSTACK;
  sigaction(SIGSEGV, &own, 0);
  if (!sigsetjmp(back, 1))
    printf("%d\n", recurse(0));
  puts("caught again on a stack of its own");
  fflush(stdout);
  signal(SIGSEGV, SIG_DFL);
  store((int *)8);
}
