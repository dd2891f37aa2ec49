// Thread-local variables of its own and of tls.c, in the main thread and in others.
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

__thread int counted = 7;
static __thread int mine, other;
static __thread char buffer[100] = "hello";
extern __thread int shared;
extern __thread int *pointer;
extern __thread long block[8] __attribute__((aligned(64)));
extern __thread short weak __attribute__((weak));
int bump(void), *where(void);
const char *text(void);

static void *run(void *name) {
  int a = bump(), b = bump();
  mine += 3, other += mine, counted++;
  printf("%s: %d %d %d %d %d %d %s %d %d %s %d %d\n", (char *)name, a, b, shared, counted, mine, other, buffer, *pointer,
         where() == &shared, text(), (int)((uintptr_t)block % 64), weak);
  buffer[0] = 'J', block[3] = weak += 2;
  errno = 5;
  return 0;
}

static void start(char *name) {
  pthread_t thread;
  pthread_create(&thread, 0, run, name);
  pthread_join(thread, 0);
}

int main(void) {
  start("before");
  run("main");
  start("after");
  run("main again");
  printf("%d\n", errno);
}
