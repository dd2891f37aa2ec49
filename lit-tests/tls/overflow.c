// More thread-local variables than the reserve has room for: those without accesses that need constant offsets get blocks of their own.
// Calls of __tls_get_addr and descriptors, from C and C++, in threads before and after, with destructors, in lazy files.
//
// REQUIRES: gcc
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %gcc -O1 -fPIE -ftls-model=initial-exec -c static.c
// RUN: %gcc -O1 -fPIC %{trad} -c main.c && %gcc -O1 -fPIC %{trad} -c big.c && %gxx -O1 -fPIC %{trad} -c own.cpp
// RUN: %same main.o big.o static.o own.o -lstdc++ | FileCheck %s
// RUN: %same -lazy main.o -lazy big.o -lazy static.o -lazy own.o -lstdc++ | FileCheck %s
// RUN: %gcc -O0 -fPIC %{desc} -c main.c && %gcc -O1 -fPIC %{desc} -c big.c && %gxx -O1 -fPIC %{desc} -c own.cpp
// RUN: %same main.o big.o static.o own.o -lstdc++ | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy big.o -lazy static.o -lazy own.o -lstdc++ | FileCheck %s
//
// CHECK: before: 1 12 7
// CHECK-NEXT: main: 11 1 12 7 0 0 kept 1.5
// CHECK-NEXT: after: 11 1 12 7 0 0 kept 1.5
// CHECK-NEXT: destroyed 4 23
// CHECK-NEXT: main again: 13 2 13 8
// CHECK-NEXT: status: 0

//--- main.c
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
extern __thread char big[1 << 20];
extern __thread int in_data[20000];
extern __thread char aligned[100];
extern __thread long counter;
int *local(int which);
void own(int value);
int static_count(void);
// A vector that is in a register across an access.
static double around(double x) { return x + big[77] + 0.5; }
static void all(const char *name) {
  double x = around(1.0);
  printf("%s: %d %d %d %d %d %d %s %g\n", name, in_data[11], big[5] + 1, static_count(), in_data[7], big[1 << 19],
         (int)((uintptr_t)aligned % 16384), aligned, x);
}
static pthread_barrier_t barrier;
static void *before(void *unused) {
  int d = in_data[7];
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  printf("before: %d %d %d\n", *local(0), static_count(), d);
  return unused;
}
static void *after(void *name) {
  all(name);
  big[1 << 19] = 4;
  own(4);
  counter += 10;
  return name;
}
int main(void) {
  pthread_t thread;
  pthread_barrier_init(&barrier, 0, 2);
  pthread_create(&thread, 0, before, 0);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, 0);
  all("main");
  in_data[11] = 13;
  big[5] = 1;
  in_data[7]++;
  pthread_create(&thread, 0, after, "after");
  pthread_join(thread, 0);
  printf("main again: %d %d %d %d\n", in_data[11], big[5] + 1, static_count(), in_data[7]);
  return 0;
}
//--- big.c
__thread char big[1 << 20];
__thread int in_data[20000] = {[7] = 7, [11] = 11};
__thread char aligned[100] __attribute__((aligned(16384))) = "kept";
static __thread int one = 1, two[9000];
// Several variables of one file: the local dynamic model.
int *local(int which) { two[which] += one; return which ? two : &one; }
//--- static.c
__thread long counter = 11;
int static_count(void) { return ++counter; }
//--- own.cpp
#include <cstdio>
extern thread_local char big[1 << 20];
extern "C" int static_count();
struct Own {
  int value = 0;
  char room[40000];
  ~Own() { std::printf("destroyed %d %d\n", big[1 << 19], static_count()); }
};
thread_local Own object;
extern "C" void own(int value) { object.value = value; }
