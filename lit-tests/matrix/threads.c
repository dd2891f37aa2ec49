// Threads: first calls from eight threads at once, key destructors, cancellation with cleanup handlers, mutexes and condition variables, a lazy
// function as a thread's start, exit in a thread while others run.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=lazy.c --work=%t/objects --native=-pthread | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int one(int), two(int), three(int), four(int), five(int);
void *start(void *), destroy(void *), ends(void *);
static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int done, once_count;
static void count(void) { once_count++; }
static void *race(void *n) {
  pthread_barrier_wait(&barrier);
  int sum = 0;
  for (int i = 0; i < 50; i++)
    sum += one(i) + two(i) + three(i) + four(i) + five(i);
  pthread_once(&once, count);
  pthread_mutex_lock(&mutex);
  if (++done == 8)
    pthread_cond_signal(&condition);
  pthread_mutex_unlock(&mutex);
  return (void *)(long)sum;
}
static void *waits(void *unused) {
  pthread_cleanup_push(ends, "cancelled");
  for (;;)
    pause();
  pthread_cleanup_pop(0);
}
static void at_exit(void) { puts("at exit"); }
static void *leaves(void *unused) { exit(7); }
int main(void) {
  pthread_t threads[8], thread;
  void *result;
  long sum = 0;
  pthread_barrier_init(&barrier, 0, 8);
  for (int i = 0; i < 8; i++)
    pthread_create(&threads[i], 0, race, 0);
  pthread_mutex_lock(&mutex);
  while (done < 8)
    pthread_cond_wait(&condition, &mutex);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 8; i++)
    pthread_join(threads[i], &result), sum += (long)result;
  printf("%ld %d\n", sum, once_count);
  pthread_key_t key;
  pthread_key_create(&key, (void (*)(void *))destroy);
  pthread_create(&thread, 0, start, &key);
  pthread_join(thread, &result);
  printf("%s\n", (char *)result);
  pthread_create(&thread, 0, waits, 0);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%d\n", result == PTHREAD_CANCELED);
  atexit(at_exit);
  pthread_create(&thread, 0, leaves, 0);
  pthread_join(thread, 0);
  for (;;)
    pause();
}
//--- lazy.c
#include <pthread.h>
#include <stdio.h>
int one(int n) { return n; }
int two(int n) { return n * 2; }
int three(int n) { return n * 3; }
int four(int n) { return one(n) * 4; }
int five(int n) { return two(n) * 5; }
void destroy(void *what) { printf("destroyed %s\n", (char *)what); }
void *start(void *key) { pthread_setspecific(*(pthread_key_t *)key, "value"); return "started"; }
void ends(void *what) { puts(what); }
