// A child of vfork that dies of a signal is not reported: it has its parent's memory, in which nobody has crashed. Its parent's own crash is, afterwards.
//
// REQUIRES: elf, linux
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -c crashes.c
// RUN: not --crash %rjitlink main.o -lazy crashes.o 2>&1 | FileCheck %s
//
// CHECK-NOT: rjitlink:
// CHECK: the child has died of signal 11
// CHECK-NEXT: rjitlink: the program dies of SIG
// CHECK: in crashes_again
// CHECK-NOT: rjitlink:

//--- main.c
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
void crashes(void), crashes_again(void);
int main(void) {
  int status;
  setvbuf(stdout, 0, _IONBF, 0);
  int child = vfork();
  if (child == 0) {
    crashes();
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("the child has died of signal %d\n", WTERMSIG(status));
  crashes_again();
}
//--- crashes.c
void crashes(void) { *(volatile int *)8 = 1; }
void crashes_again(void) { *(volatile int *)8 = 1; }
