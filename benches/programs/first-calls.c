// First calls of many small functions, timed: first-calls latency | reentries | threads N | order N
//
// The functions are the generated table `functions` of `function_count` pointers; each `per_object` of them in a row come from one
// object, and the one at place k of its object answers its argument plus k.
//   latency    prints "object ns" or "call ns" for each call: `object` if it is the first call into its object file
//   reentries  calls each function, and then each reentry trampoline once more, which finds its function linked; prints "again ns" for those
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

// Calls all of `called` in order; took[i] becomes the ns of each.
static void call_all(function *const *called, long long *took) {
  for (int i = 0; i < function_count; i++) {
    long long start = now();
    int answer = called[i](7);
    took[i] = now() - start;
    wrong |= answer != i % per_object + 7;
  }
}

static void latency(void) {
  long long *took = calloc(function_count, sizeof *took);
  call_all(functions, took);
  for (int i = 0; i < function_count; i++)
    printf("%s %lld\n", i % per_object ? "call" : "object", took[i]);
  free(took);
}

// Where `stub` jumps now: it loads an address from its pointer, which is at a constant distance.
static function *led_to(function *stub) {
  const char *pointer;
#if defined __x86_64__
  // jmp *distance(%rip)
  struct __attribute__((packed)) { unsigned short jump; int distance; } code;
  memcpy(&code, (const char *)stub, sizeof code);
  if (code.jump != 0x25ff)
    exit(3);
  pointer = (const char *)stub + sizeof code + code.distance;
#elif defined __aarch64__
  // adrp x16, page; ldr x16, [x16, offset]; br x16
  unsigned code[3];
  memcpy(code, (const char *)stub, sizeof code);
  if ((code[0] & 0x9f00001f) != 0x90000010 || (code[1] & 0xffc003ff) != 0xf9400210 || code[2] != 0xd61f0200)
    exit(3);
  long pages = (int)((code[0] >> 5 & 0x7ffff) << 2 | (code[0] >> 29 & 3)) << 11 >> 11;
  pointer = (const char *)((unsigned long)stub & -4096ul) + pages * 4096 + (code[1] >> 10 & 0xfff) * 8;
#else
#error "what stubs look like there is not known here"
#endif
  function *target;
  memcpy(&target, pointer, sizeof target);
  return target;
}

static void reentries(void) {
  long long *took = calloc(function_count, sizeof *took);
  function **trampolines = calloc(function_count, sizeof *trampolines);
  for (int i = 0; i < function_count; i++)
    trampolines[i] = led_to(functions[i]);
  call_all(functions, took);
  // A pointer that leads elsewhere now led to a trampoline.
  for (int i = 0; i < function_count; i++)
    wrong |= trampolines[i] == led_to(functions[i]);
  call_all(trampolines, took);
  for (int i = 0; i < function_count; i++)
    printf("again %lld\n", took[i]);
  free(trampolines);
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
  else if (argc == 2 && !strcmp(argv[1], "reentries"))
    reentries();
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
