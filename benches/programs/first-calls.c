// First calls of many small functions, timed: first-calls latency | first-calls threads N | first-calls order N
//
// The functions are the generated table `functions` of `function_count` pointers; each `per_object` of them in a row come from one
// object, and the one at place k of its object answers its argument plus k.
//   latency    prints "object ns" or "call ns" for each call: `object` if it is the first call into its object file
//   threads N  N threads share all calls, thread t taking every Nth; prints the ns from the first thread's start to the last thread's end
//   order N    one thread makes all calls, in the order in which those N would, one after another; prints the ns
// The exit status is 1 if an answer was wrong.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int function(int);
extern function *const functions[];
extern const int function_count, per_object;

static pthread_barrier_t barrier;
static int thread_count, orders = 1;
static long long *started, *ended;
static int wrong;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void latency(void) {
  long long *took = calloc(function_count, sizeof *took);
  for (int i = 0; i < function_count; i++) {
    long long start = now();
    int answer = functions[i](7);
    took[i] = now() - start;
    wrong |= answer != i % per_object + 7;
  }
  for (int i = 0; i < function_count; i++)
    printf("%s %lld\n", i % per_object ? "call" : "object", took[i]);
  free(took);
}

static void *share(void *first) {
  long number = (long)first;
  int mine = 0, stride = thread_count * orders;
  pthread_barrier_wait(&barrier);
  started[number] = now();
  for (int begin = (int)number; begin < stride; begin += thread_count)
    for (int i = begin; i < function_count; i += stride)
      mine |= functions[i](7) != i % per_object + 7;
  ended[number] = now();
  if (mine)
    __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  return 0;
}

static void threads(void) {
  pthread_t *all = calloc(thread_count, sizeof *all);
  started = calloc(thread_count, sizeof *started);
  ended = calloc(thread_count, sizeof *ended);
  pthread_barrier_init(&barrier, 0, thread_count);
  for (long t = 0; t < thread_count; t++)
    if (pthread_create(&all[t], 0, share, (void *)t))
      exit(2);
  for (int t = 0; t < thread_count; t++)
    pthread_join(all[t], 0);
  long long start = started[0], end = ended[0];
  for (int t = 1; t < thread_count; t++) {
    start = started[t] < start ? started[t] : start;
    end = ended[t] > end ? ended[t] : end;
  }
  printf("%lld\n", end - start);
  free(started);
  free(ended);
  free(all);
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "latency"))
    latency();
  else if (argc == 3 && !strcmp(argv[1], "threads") && (thread_count = atoi(argv[2])) > 0)
    threads();
  else if (argc == 3 && !strcmp(argv[1], "order") && (orders = atoi(argv[2])) > 0) {
    thread_count = 1;
    threads();
  }
  else
    return 2;
  return wrong;
}
