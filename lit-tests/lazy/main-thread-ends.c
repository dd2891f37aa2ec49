// A program whose main thread has ended goes on with its other threads and ends with the last of them, whatever threads the linker has.
//
// REQUIRES: linux, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c -o main.o && %clang -O1 -fPIC -c other.c -o other.o
// RUN: timeout 60 %rjitlink main.o -lazy other.o | FileCheck %s
// An emulator has a thread of its own, which is taken for one of the program's where the linker has threads.
// RUN: %if emulated %{ true %} %else %{ timeout 60 %rjitlink -num-threads=2 main.o -lazy other.o | FileCheck %s %}
// RUN: %if emulated %{ true %} %else %{ timeout 60 %rjitlink -speculate=simple -num-threads=3 main.o -lazy other.o | FileCheck %s %}
//
// CHECK: worker 2
// CHECK-NEXT: last

//--- main.c
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
void *worker(void *);
static void last(void) { puts("last"); }
static pthread_t self;
int main(void) {
  pthread_t thread;
  self = pthread_self();
  atexit(last);
  pthread_create(&thread, 0, worker, &self);
  pthread_detach(thread);
  pthread_exit(0);
}
//--- other.c
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
int more(int n) { return n + 1; }
void *worker(void *first) {
  pthread_join(*(pthread_t *)first, 0);
  usleep(100000);
  printf("worker %d\n", more(1));
  return 0;
}
