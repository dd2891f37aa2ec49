// Thread-local variables by __emutls_get_address, which libgcc.a and LLVM's helper library have.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang -pthread' '--flags=-femulated-tls -O2 -fPIE' --source=main.c --source=other.c --work=%t/objects --native=-pthread | FileCheck %s
//
// CHECK: 3 combinations, 0 differ

//--- main.c
#include <pthread.h>
#include <stdio.h>
extern __thread int shared;
int bump(void);
static __thread int mine = 5;
static void *run(void *who) {
  shared += 2;
  int bumped = bump();
  printf("%s %d %d\n", (char *)who, bumped, mine++);
  return 0;
}
int main(void) {
  pthread_t thread;
  run("main");
  pthread_create(&thread, 0, run, "thread");
  pthread_join(thread, 0);
  run("main");
}
//--- other.c
__thread int shared = 30;
int bump(void) { return ++shared; }
