// First calls in children made by vfork, which share the parent's memory while it waits, and in the parent afterwards.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie|-O2 -fPIE -ffunction-sections' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int first(int), second(int), third(int), fourth(int);
int main(void) {
  for (int i = 0; i < 3; i++) {
    int pid = vfork(), status;
    if (pid == 0) _exit(i == 0 ? first(1) : i == 1 ? second(2) : fourth(3));
    waitpid(pid, &status, 0);
    printf("%d %d\n", WEXITSTATUS(status), third(i));
  }
  printf("%d %d\n", first(5), second(6));
}
//--- other.c
static int a, b, c;
int first(int n) { return ++a + n; }
int second(int n) { return ++b + 10 * n; }
int third(int n) { return ++c + n; }
int fourth(int n) { return 100 + n; }
