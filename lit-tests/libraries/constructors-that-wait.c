// The constructor of a library that the program opens waits for a thread, which calls functions that are linked only then, of the kind that the process is
// asked for something: weak references, the address of the C library's own, thread-local variables. A thread that opens a library has the loader's
// lock until its constructors have run, so whoever links must do without.
//
// What the first library brings, functions called later may use; what was weak and absent at the start stays null.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -shared waits.c -o waits.so && %clang -fPIC -shared -DBRINGS waits.c -o brings.so && %clang -fPIC -shared theirs.c -o libtheirs.so
// RUN: %clang -O1 -fPIE -c main.c && %clang -O1 -fPIE -c weak.c && %clang -O1 -fPIE -c late.c && %clang -O1 -fPIE -c variable.c
// RUN: %clang -O1 -fno-pie -fno-pic -c address.c && %clang -O1 -fPIE address.c -c -o address-pie.o
// RUN: %python limit.py %rjitlink main.o -lazy weak.o -lazy late.o -lazy address-pie.o -lazy variable.o -L. -ltheirs | FileCheck %s
// RUN: %python limit.py %rjitlink main.o -lazy weak.o -lazy late.o -lazy address.o -lazy variable.o -L. -ltheirs | FileCheck %s
//
// CHECK: weak 0 1, stdout 1, variable 5
// CHECK-NEXT: brought 42
// CHECK-NEXT: absent 0, error 0

//--- limit.py
import subprocess
import sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, timeout=60, check=True)
print(done.stdout.decode(), end="")
//--- waits.c
void wait_for_thread(void);
__attribute__((constructor)) static void construct(void) { wait_for_thread(); }
#ifdef BRINGS
int brought(void) { return 42; }
int absent;
#endif
//--- main.c
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
int weak_absent(void), weak_present(void), address_of_stream(void), variable_of_library(void), late(void);
static void *run(void *unused) {
  printf("weak %d %d, ", weak_absent(), weak_present());
  printf("stdout %d, ", address_of_stream());
  printf("variable %d\n", variable_of_library());
  return unused;
}
void wait_for_thread(void) {
  static int called;
  pthread_t thread;
  if (called++)
    return;
  pthread_create(&thread, 0, run, 0);
  pthread_join(thread, 0);
}
int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (!dlopen("./waits.so", RTLD_NOW) || !dlopen("./brings.so", RTLD_NOW | RTLD_GLOBAL))
    return puts(dlerror());
  const char *error = dlerror();
  printf("brought %d\n", late());
  printf("absent %d, error %d\n", weak_absent(), error != 0);
}
//--- weak.c
__attribute__((weak)) extern int absent, abs(int);
int weak_absent(void) { return &absent != 0; }
int weak_present(void) { return abs != 0; }
//--- late.c
int brought(void);
int late(void) { return brought(); }
//--- address.c
#include <stdio.h>
#include <stdlib.h>
static FILE **stream = &stdout;
static int (*function)(int) = abs;
int address_of_stream(void) { return *stream == stdout && function(-1) == 1; }
//--- variable.c
extern __thread int theirs;
int variable_of_library(void) { return theirs; }
//--- theirs.c
__thread int theirs = 5;
