// Calls a function of another file a million times at a stretch, fifteen times over, and prints the best time of one call in picoseconds.
#include <stdio.h>
#include <time.h>

int callee(int);

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void) {
  long best = 1L << 60;
  int n = callee(0);
  for (int repeat = 0; repeat < 15; repeat++) {
    long start = now();
    for (int i = 0; i < 1000000; i++)
      n = callee(n);
    long took = now() - start;
    best = took < best ? took : best;
  }
  printf("%ld\n", best / 1000);
  return n != 15000001;
}
