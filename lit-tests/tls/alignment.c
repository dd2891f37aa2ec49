// Thread-local variables aligned to a page, in threads with small stacks: the reserve does not come out of those.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c other.c
// RUN: %same main.o other.o | FileCheck %s
// RUN: %same main.o -lazy other.o | FileCheck %s
//
// CHECK: 0 0 0 page 40
// CHECK-NEXT: 0 0 0 page 40
// CHECK-NEXT: same size: 1
// CHECK-NEXT: status: 0

//--- main.c
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
extern __thread char page[200];
extern __thread char line[64];
int lazy(int);
static __thread char byte = 1;
static __thread long aligned __attribute__((aligned(1024)));
static int below(void *at, int align) { return (uintptr_t)at % align + byte - 1; }
static void *run(void *unused) {
  volatile char room[2000];
  memset((char *)room, 4, sizeof room);
  printf("%d %d %d %s %d\n", below(page, 4096), below(line, 64), below(&aligned, 1024), page, lazy(room[77]));
  return unused;
}
int main(void) {
  size_t before, after, smallest = sysconf(_SC_THREAD_STACK_MIN);
  // Room for the native program's variables, but not for the reserve.
  if (smallest < 24 << 10) smallest = 24 << 10;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, smallest);
  pthread_attr_getstacksize(&attributes, &before);
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, 0);
    if (error) return printf("%s\n", strerror(error));
    pthread_join(thread, 0);
  }
  pthread_attr_getstacksize(&attributes, &after);
  printf("same size: %d\n", before == after);
}
//--- other.c
__thread char page[200] __attribute__((aligned(4096))) = "page";
__thread char line[64] __attribute__((aligned(64)));
static __thread int ten = 10;
int lazy(int factor) { return ten * factor; }
