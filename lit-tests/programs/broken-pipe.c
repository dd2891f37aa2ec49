// A program whose reader has gone away dies of SIGPIPE, as ever; what starts it finds the signal as it was.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t && %clang -c %s -o main.o
// RUN: %same main.o | FileCheck %s
//
// CHECK: SIGPIPE is at its default: 1
// CHECK: signal: 13

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  struct sigaction action;
  sigaction(SIGPIPE, 0, &action);
  printf("SIGPIPE is at its default: %d\n", action.sa_handler == SIG_DFL);
  fflush(stdout);
  int ends[2];
  if (pipe(ends))
    return 1;
  close(ends[0]);
  return write(ends[1], "x", 1) == 1;
}
