// Lazy functions that only the C library calls: comparisons, walks, conversions of printf, streams of the program's own, timers, fork and exit handlers,
// destructors of keys.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <ftw.h>
#include <printf.h>
#include <pthread.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int compare(const void *, const void *), compare_r(const void *, const void *, void *), visit(const char *, const struct stat *, int, struct FTW *);
void walk(const void *, VISIT, int), notified(union sigval), left(int, void *), prepare(void), parent(void), child(void), in_thread(void *);
int print_point(FILE *, const struct printf_info *, const void *const *), point_size(const struct printf_info *, size_t, int *, int *);
ssize_t cookie_write(void *, const char *, size_t);
void *first_of_thread(void *);
extern sem_t done;
extern int visited, walked, parents;
static __thread int own;
int main(void) {
  int values[] = {5, 3, 9, 1, 7}, key = 7, weight = -1;
  qsort(values, 5, sizeof *values, compare);
  printf("%d %d %ld\n", values[0], values[4], (long)((int *)bsearch(&key, values, 5, sizeof key, compare) - values));
  qsort_r(values, 5, sizeof *values, compare_r, &weight);
  printf("%d\n", values[0]);
  void *root = 0;
  for (int i = 0; i < 5; i++) tsearch(&values[i], &root, compare);
  twalk(root, walk);
  nftw("/proc/self/task", visit, 4, FTW_PHYS);
  printf("%d %d\n", walked, visited > 0);
  register_printf_specifier('Q', print_point, point_size);
  int point[2] = {4, 5};
  printf("%Q|\n", point);
  FILE *f = fopencookie(&key, "w", (cookie_io_functions_t){.write = cookie_write});
  setvbuf(f, 0, _IONBF, 0);
  fprintf(f, "abc");
  fclose(f);
  sem_init(&done, 0, 0);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified, .sigev_value.sival_int = 77};
  timer_t timer;
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 1000000}, 0);
  sem_wait(&done);
  pthread_atfork(prepare, parent, child);
  fflush(stdout);
  if (fork() == 0) _exit(3);
  int status;
  wait(&status);
  printf("%d %d\n", WEXITSTATUS(status), parents);
  pthread_key_t k;
  pthread_key_create(&k, in_thread);
  pthread_t t;
  pthread_create(&t, 0, first_of_thread, &k);
  pthread_join(t, 0);
  on_exit(left, "leaving");
  return 6;
}
//--- other.c
#define _GNU_SOURCE
#include <ftw.h>
#include <printf.h>
#include <pthread.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
sem_t done;
int visited, walked;
int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int compare_r(const void *a, const void *b, void *w) { return *(int *)w * compare(a, b); }
void walk(const void *n, VISIT v, int depth) { if (v == postorder || v == leaf) walked += **(int *const *)n; }
int visit(const char *p, const struct stat *s, int type, struct FTW *f) { visited++; return 0; }
int print_point(FILE *f, const struct printf_info *i, const void *const *args) { const int *p = *(int *const *)args[0]; return fprintf(f, "<%d,%d>", p[0], p[1]); }
int point_size(const struct printf_info *i, size_t n, int *types, int *sizes) { if (n > 0) types[0] = PA_POINTER, sizes[0] = sizeof(int *); return 1; }
ssize_t cookie_write(void *c, const char *b, size_t n) { printf("%d %.*s\n", *(int *)c, (int)n, b); return n; }
void notified(union sigval v) { printf("timer %d\n", v.sival_int); sem_post(&done); }
void prepare(void) { write(1, "prepare\n", 8); }
int parents;
void parent(void) { parents++; }
void child(void) { write(1, "child\n", 6); }
void in_thread(void *p) { printf("key %d\n", *(int *)p); }
void *first_of_thread(void *k) { static int v = 31; pthread_setspecific(*(pthread_key_t *)k, &v); return 0; }
void left(int status, void *text) { printf("%d %s\n", status, (char *)text); }
