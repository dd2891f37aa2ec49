// Sixteen threads make the same first calls at the same time: all get the right answers, and each file is linked once.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c
// RUN: %clang -O1 -c -DSELF=f0 -DNEXT=f1 f.c -o f0.o && %clang -O1 -c -DSELF=f1 -DNEXT=f2 f.c -o f1.o
// RUN: %clang -O1 -c -DSELF=f2 -DNEXT=f3 f.c -o f2.o && %clang -O1 -c -DSELF=f3 -DNEXT=f0 f.c -o f3.o
// RUN: %rjitlink -num-threads=1 -show-linked-files main.o -lazy f0.o -lazy f1.o -lazy f2.o -lazy f3.o > one.out
// RUN: sort one.out | FileCheck %s --implicit-check-not='Linking f'
// RUN: %rjitlink -num-threads=16 -show-linked-files main.o -lazy f0.o -lazy f1.o -lazy f2.o -lazy f3.o > sixteen.out
// RUN: sort sixteen.out | FileCheck %s --implicit-check-not='Linking f'
// RUN: %same --native=-pthread --repeat=10 main.o -lazy f0.o -lazy f1.o -lazy f2.o -lazy f3.o
//
// CHECK: Linking f0.o
// CHECK-NEXT: Linking f1.o
// CHECK-NEXT: Linking f2.o
// CHECK-NEXT: Linking f3.o
// CHECK: sum 4432

//--- main.c
#include <pthread.h>
#include <stdio.h>
enum { THREADS = 16 };
static pthread_barrier_t start;
long f0(long), f1(long), f2(long), f3(long);
static long (*const functions[])(long) = {f0, f1, f2, f3};
static void *run(void *number) {
  pthread_barrier_wait(&start);
  return (void *)functions[(long)number % 4]((long)number + 8);
}
int main(void) {
  pthread_t threads[THREADS];
  long sum = 0;
  pthread_barrier_init(&start, 0, THREADS);
  for (long i = 0; i < THREADS; i++)
    pthread_create(&threads[i], 0, run, (void *)i);
  for (int i = 0; i < THREADS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    sum += (long)result;
  }
  printf("sum %ld\n", sum * 2);
}
//--- f.c
long NEXT(long);
long SELF(long n) { return n ? n + NEXT(n - 1) : 0; }
