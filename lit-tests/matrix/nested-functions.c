// GNU C's functions in functions: their addresses are those of code on the stack, of main and of a thread that starts later. (clang has none.)
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#include <stdio.h>
int apply(int (*f)(int), int n), on_a_thread(int n);
#ifdef __clang__
static int captured = 5;
static int add(int x) { return x + captured++; }
#endif
int main(void) {
#ifndef __clang__
  int captured = 5;
  int add(int x) { return x + captured++; }
#endif
  printf("%d %d\n", apply(add, 1), captured);
  printf("%d\n", on_a_thread(4));
}
//--- other.c
#include <pthread.h>
int apply(int (*f)(int), int n) { return f(n) * 2; }
#ifdef __clang__
static void *run(void *n) { return (void *)(long)apply((int (*)(int))n, 3); }
static int thrice(int x) { return x * 3; }
#else
static void *run(void *n) {
  int thrice(int x) { return x * 3 + (n == 0); }
  return (void *)(long)apply(thrice, 3);
}
#endif
int on_a_thread(int n) {
  pthread_t thread;
  void *result;
#ifdef __clang__
  pthread_create(&thread, 0, run, thrice);
#else
  pthread_create(&thread, 0, run, &n);
#endif
  pthread_join(thread, &result);
  return (int)(long)result + n;
}
