// A file that asks for executable stacks gets them, also in threads that start later; others do not. A program with one is not kept in the cache.
//
// REQUIRES: gcc, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%gcc' '--flags=-O0|-O2' '--flags=-fPIE|-fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
// RUN: %gcc -O2 -fPIE -c main.c -o main.o && %gcc -O2 -fPIE -c other.c -o other.o
// RUN: %rjitlink -cache-dir=%t/cache -cache main.o other.o > first.txt && %rjitlink -cache-dir=%t/cache -cache main.o other.o > second.txt
// RUN: diff first.txt second.txt
// RUN: %gcc -O2 -fPIE -c plain.c -o plain.o
// RUN: %same plain.o
// A larger reserve of thread-local memory changes nothing of that, and what is said is said once, also where the process starts again for stacks.
// RUN: %rjitlink -tls-reserve=600 plain.o | FileCheck %s --check-prefix=PLAIN
// RUN: %rjitlink -tls-reserve=600 main.o other.o > third.txt && diff first.txt third.txt
// RUN: %rjitlink -show-linked-files main.o other.o | FileCheck %s --check-prefix=ONCE
//
// PLAIN: rw-p
// ONCE: Linking main.o
// ONCE-NOT: Linking main.o
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#include <stdio.h>
int apply(int (*)(int), int), on_a_thread(int);
int main(void) {
  int captured = 5;
  int add(int n) { return n + captured++; }
  int result = apply(add, 1);
  printf("%d %d %d\n", result, captured, on_a_thread(4));
}
//--- other.c
#include <pthread.h>
int apply(int (*f)(int), int n) { return f(n) * 2; }
__attribute__((noinline)) static void *nested(void *by) {
  int times(int n) { return n * *(int *)by; }
  return (void *)(long)apply(times, 3);
}
// The nested function's code is kept off the page of the thread's control block: qemu forbids writing to pages it ran code from,
// and the kernel refuses to wait on a futex in such a page, so pthread_join would abort; with a native program just so.
static void *run(void *by) {
  volatile char room[16384];
  room[0] = 1;
  void *result = nested(by);
  room[0] = 2;
  return result;
}
int on_a_thread(int by) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, run, &by);
  pthread_join(thread, &result);
  return (int)(long)result;
}
//--- plain.c
#include <stdio.h>
#include <string.h>
int main(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, maps))
    if (strstr(line, "[stack]"))
      printf("%.4s\n", strchr(line, ' ') + 1);
}
