// Thread-local variables of all models in one program: static and extern, small and aligned, initialized and zero, of an archive member and of a
// shared library; in main, in a thread that started before the lazy file was called first, and in one that started after; errno.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --archived=member.c --shared=library.c --work=%t/objects \
// RUN:     --native=-pthread | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
extern __thread int shared_value, of_member, of_library;
extern __thread char page[100];
extern __thread const char *text;
__thread long defined_here = 8;
static __thread int mine = 3, zero;
static __thread int exec_model __attribute__((tls_model("initial-exec"))) = 40;
static __thread int local_model __attribute__((tls_model("local-dynamic"))) = 50;
int touch(int), member(void), library(void);
int *address_in_other(void);
static pthread_barrier_t barrier;
static void show(const char *who) {
  errno = 0;
  defined_here += touch(1);
  printf("%s: %d %d %ld %d %d %d %d %s %d %d\n", who, mine++, zero++, defined_here, shared_value, exec_model++, local_model++, of_member, text,
         (int)((uintptr_t)page % 4096), page[1]);
  printf("%s: %d %d %d %d %d\n", who, member(), library(), of_library, address_in_other() == &shared_value, errno);
}
static void *early(void *who) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  show(who);
  return 0;
}
static void *late(void *who) { show(who); return 0; }
int main(void) {
  pthread_t thread;
  pthread_barrier_init(&barrier, 0, 2);
  pthread_create(&thread, 0, early, "early");
  pthread_barrier_wait(&barrier);
  show("main");
  show("main");
  pthread_barrier_wait(&barrier);
  pthread_join(thread, 0);
  pthread_create(&thread, 0, late, "late");
  pthread_join(thread, 0);
}
//--- other.c
#include <errno.h>
__thread int shared_value = 11;
__thread char page[100] __attribute__((aligned(4096))) = {1, 2, 3};
__thread const char *text = "text";
extern __thread long defined_here;
static __thread int bss[10];
int touch(int n) { errno = 9; shared_value += n; return bss[3] += (int)defined_here; }
int *address_in_other(void) { return &shared_value; }
//--- member.c
__thread int of_member = 6;
static __thread char own = 'a';
int member(void) { return of_member++ + own++; }
//--- library.c
__thread int of_library = 70;
int library(void) { return of_library++; }
