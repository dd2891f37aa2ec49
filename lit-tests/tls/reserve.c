// -tls-reserve makes room for variables with constant offsets; the program notices nothing of how.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIE -c main.c && %clang -O1 -fPIE -c big.c
// RUN: not %rjitlink main.o big.o
// RUN: %rjitlink -tls-reserve=600 main.o -lazy big.o -- a "b c" | FileCheck %s
// RUN: env LD_PRELOAD= RUST_MIN_STACK=3000000 %rjitlink main.o -tls-reserve 4Mb big.o -- a "b c" | FileCheck %s --check-prefixes=CHECK,SET
// RUN: %rjitlink -noexec -tls-reserve=4Mb main.o big.o
//
// CHECK: main.o a b c
// SET-NEXT: LD_PRELOAD= RUST_MIN_STACK=3000000
// CHECK-NEXT: 7 0 5
// CHECK-NEXT: 7 0 6
// CHECK-NEXT: 7 0 7
// CHECK-NEXT: 9

//--- main.c
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
extern __thread char big[500000];
extern __thread int initial;
int lazy(void);
static __thread int own = 5;
static void *run(void *add) {
  char room[100000];
  memset(room, *(int *)add, sizeof room);
  big[499999] = lazy();
  printf("%d %d %d\n", initial, big[100], own + room[77777]);
  return add;
}
int main(int argc, char **argv) {
  printf("%s %s %s\n", strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], argv[1], argv[2]);
  char *preload = getenv("LD_PRELOAD"), *stack = getenv("RUST_MIN_STACK");
  if (preload || stack) printf("LD_PRELOAD=%s RUST_MIN_STACK=%s\n", preload, stack);
  for (char **variable = environ; *variable; variable++)
    if (strstr(*variable, "RJITLINK_TLS")) puts(*variable);
  int numbers[] = {0, 1, 2};
  run(&numbers[0]);
  pthread_t thread;
  pthread_create(&thread, 0, run, &numbers[1]);
  pthread_join(thread, 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_create(&thread, &attributes, run, &numbers[2]);
  pthread_join(thread, 0);
  printf("%d\n", big[499999]);
  return 0;
}
//--- big.c
__thread char big[500000];
__thread int initial = 7;
int lazy(void) { return initial + 2 + big[3]; }
