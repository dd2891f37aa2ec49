// What only static helper libraries have: atexit, at_quick_exit and pthread_atfork of libc_nonshared.a; arithmetic and checks of libgcc.a; and the
// linker's own symbols.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=arithmetic.c --work=%t/objects --native=-pthread | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
extern char _end[], __bss_start[], _DYNAMIC[] __attribute__((weak)), __ehdr_start[] __attribute__((weak));
extern void (*__init_array_start[])(void) __attribute__((weak)), (*__init_array_end[])(void) __attribute__((weak));
extern char start_of_data __attribute__((weak));
void arithmetic(int);
static void at_exit(void) { puts("atexit"); }
static void at_quick(void) { puts("at_quick_exit"); fflush(stdout); }
static void prepare(void) { puts("prepare"); fflush(stdout); }
static void parent(void) { puts("parent"); }
static void child(void) { puts("child"); fflush(stdout); }
int main(int argc, char **argv) {
  struct stat status;
  atexit(at_exit), at_quick_exit(at_quick), pthread_atfork(prepare, parent, child);
  printf("%d %d %d\n", stat("/", &status), S_ISDIR(status.st_mode), fstat(0, &status) + lstat("/", &status));
  fflush(stdout);
  if (fork() == 0)
    quick_exit(5);
  int end;
  wait(&end);
  printf("%d\n", WEXITSTATUS(end));
  arithmetic(argc);
  printf("%d %d\n", _end >= __bss_start, __init_array_end >= __init_array_start);
}
//--- arithmetic.c
#include <complex.h>
#include <stdio.h>
void arithmetic(int one) {
  __int128 wide = (__int128)one << 100;
  unsigned __int128 unsigned_wide = (unsigned __int128)wide + 12345;
  printf("%lld %lld\n", (long long)(wide / (one + 6) >> 64), (long long)(unsigned_wide % 1000003));
  printf("%d %d\n", __builtin_popcountll(one * 0xf0f0ull), __builtin_clzll(one) + __builtin_ctzll(one * 64) + __builtin_parityll(one * 7));
  double complex z = (1.5 + one * I) * (2 - 3 * I) / (one + 1 * I);
  printf("%g %g %g\n", creal(z), cimag(z), (double)(float)wide);
  double d = (double)wide, e = (double)unsigned_wide;
  printf("%g %g %lld\n", d, e, (long long)((__int128)(d * one) >> 90));
  printf("%g\n", __builtin_powi(1.5, one * 10));
  volatile long counter = one;
  __atomic_fetch_add(&counter, 5, __ATOMIC_SEQ_CST);
  long expected = 6, sum = 0;
  int swapped = __atomic_compare_exchange_n(&counter, &expected, 9, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  int add;
  sum = __builtin_add_overflow(one, 2147483647, &add);
  printf("%d %ld %ld\n", swapped, counter, sum);
}
