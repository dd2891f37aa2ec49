// The process ends as the program does: main's result, exit() with its handlers, _exit(), a signal; buffered output is written.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o
// RUN: %same main.o -args return | FileCheck %s --check-prefix=RETURN
// RUN: %same main.o -args large | FileCheck %s --check-prefix=LARGE
// RUN: %same main.o -args exit | FileCheck %s --check-prefix=EXIT
// RUN: %same main.o -args thread | FileCheck %s --check-prefix=THREAD
// RUN: %same main.o -args quick | FileCheck %s --check-prefix=QUICK
// RUN: %same main.o -args abort | FileCheck %s --check-prefix=ABORT
// RUN: %same main.o -args segv | FileCheck %s --check-prefix=SEGV
// RUN: not %rjitlink main.o -args exit
//
// RETURN: no newline at the end; handler{{$}}
// RETURN: status: 7
// LARGE: status: 44
// EXIT: no newline at the end; handler{{$}}
// EXIT: status: 9
// THREAD: no newline at the end; handler{{$}}
// THREAD: status: 11
// QUICK-NOT: handler
// QUICK: status: 10
// ABORT: signal: 6
// SEGV: signal: 11

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void handler(void) { printf("handler\n"); }
static void *leave(void *unused) { exit(11); }

int main(int argc, char **argv) {
  pthread_t thread;
  atexit(handler);
  printf("no newline at the end; ");
  switch (argv[1][0]) {
  case 'r':
    return 7;
  case 'l':
    return 300;
  case 'e':
    exit(9);
  case 't':
    pthread_create(&thread, 0, leave, 0);
    pthread_join(thread, 0);
    return 1;
  case 'q':
    _exit(10);
  case 'a':
    abort();
  default:
    *(volatile int *)8 = 1;
  }
}
