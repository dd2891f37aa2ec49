// Threads whose first calls link files with absolute 32-bit addresses at the same time agree on the addresses of libc's symbols.
// The main file is position-independent: what its memory has to be shows in the lazy files only.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c
// RUN: %clang -O1 -fno-pie -DNAME=part0 -c part.c -o part0.o
// RUN: %clang -O1 -fno-pie -DNAME=part1 -c part.c -o part1.o
// RUN: %clang -O1 -fno-pie -DNAME=part2 -c part.c -o part2.o
// RUN: %clang -O1 -fno-pie -DNAME=part3 -c part.c -o part3.o
// RUN: %same --repeat=10 --native=-no-pie main.o -lazy part0.o -lazy part1.o -lazy part2.o -lazy part3.o | FileCheck %s
// RUN: %same --repeat=5 --native=-no-pie -lazy main.o -lazy-granularity=object -lazy part0.o -lazy part1.o -lazy part2.o -lazy part3.o | FileCheck %s
//
// CHECK: 4 of 4 agree
// CHECK-NEXT: status: 0

//--- main.c
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern void part0(void **), part1(void **), part2(void **), part3(void **);
static void (*const parts[])(void **) = {part0, part1, part2, part3};
static void *found[4][8];
static pthread_barrier_t barrier;

static void *run(void *part) {
  long number = (long)part;
  pthread_barrier_wait(&barrier);
  parts[number](found[number]);
  return 0;
}

int main(void) {
  pthread_t threads[4];
  pthread_barrier_init(&barrier, 0, 4);
  for (long n = 0; n < 4; n++)
    pthread_create(&threads[n], 0, run, (void *)n);
  void *expected[8] = {&stdout, &environ, &optarg, (void *)puts, (void *)strcmp, (void *)qsort, (void *)free, &stderr};
  int agree = 0;
  for (int n = 0; n < 4; n++) {
    pthread_join(threads[n], 0);
    agree += memcmp(found[n], expected, sizeof expected) == 0;
  }
  printf("%d of 4 agree\n", agree);
}
//--- part.c
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void NAME(void **found) {
  void *own[8] = {&stdout, &environ, &optarg, (void *)puts, (void *)strcmp, (void *)qsort, (void *)free, &stderr};
  memcpy(found, own, sizeof own);
}
