// A first call leaves the program's malloc alone: a signal handler that interrupted it may make one.
//
// REQUIRES: elf, linux
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -ffunction-sections -c functions.c && %clangxx -O1 -ffunction-sections -c -I. throwing.cpp
// RUN: %clang -O1 -shared -fPIC counter.c -o libcounter.so
// RUN: env LD_PRELOAD=%t/libcounter.so %rjitlink main.o -lazy functions.o -lazy throwing.o | FileCheck %s
//
// CHECK: first thread: 55, 0 calls of malloc and its like
// CHECK-NEXT: second thread: 1055, 0 calls of malloc and its like

//--- counter.c
#include <stddef.h>
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void __libc_free(void *);
__thread int allocations __attribute__((tls_model("initial-exec")));
int count_allocations(void) { return allocations; }
void *malloc(size_t size) { allocations++; return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { allocations++; return __libc_calloc(number, size); }
void *realloc(void *memory, size_t size) { allocations++; return __libc_realloc(memory, size); }
void free(void *memory) { allocations++; __libc_free(memory); }
//--- main.c
#include <pthread.h>
#include <stdio.h>
int a0(int), a1(int), a2(int), a3(int), a4(int), b5(int), b6(int), b7(int), b8(int), b9(int);
int c0(int), c1(int), c2(int), c3(int), c4(int), d5(int), d6(int), d7(int), d8(int), d9(int);
int count_allocations(void);
static int (*volatile const first[])(int) = {a0, a1, a2, a3, a4, b5, b6, b7, b8, b9};
static int (*volatile const second[])(int) = {c0, c1, c2, c3, c4, d5, d6, d7, d8, d9};
static void *thread(void *is_second) {
  int sum = is_second ? 1000 : 0;
  int before = count_allocations();
  for (int i = 0; i < 10; i++)
    sum += (is_second ? second : first)[i](1);
  int calls = count_allocations() - before;
  printf("%s thread: %d, %d calls of malloc and its like\n", is_second ? "second" : "first", sum, calls);
  return 0;
}
int main(void) {
  pthread_t id;
  thread(0);
  pthread_create(&id, 0, thread, &id);
  pthread_join(id, 0);
}
//--- functions.c
#define FUNCTION(name, n) int name##n(int x) { return x + n; }
#define FIVE(name) FUNCTION(name, 0) FUNCTION(name, 1) FUNCTION(name, 2) FUNCTION(name, 3) FUNCTION(name, 4)
FIVE(a) FIVE(c)
//--- throwing.cpp
#define FUNCTION(name, n) extern "C" int name##n(int x) try { if (x > 1000) throw x; return x + n; } catch (int y) { return y; }
#define FIVE(name) FUNCTION(name, 5) FUNCTION(name, 6) FUNCTION(name, 7) FUNCTION(name, 8) FUNCTION(name, 9)
FIVE(b) FIVE(d)
