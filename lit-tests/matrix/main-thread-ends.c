// main ends its thread while another one, which calls lazy functions, goes on; the process ends with that one, after its handlers.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
void *worker(void *);
static void last(void) { puts("last"); }
int main(void) {
  pthread_t t;
  atexit(last);
  pthread_create(&t, 0, worker, 0);
  pthread_detach(t);
  pthread_exit(0);
}
//--- other.c
#include <stdio.h>
#include <unistd.h>
int more(int n) { return n + 1; }
void *worker(void *a) { usleep(50000); printf("worker %d\n", more(1)); return 0; }
