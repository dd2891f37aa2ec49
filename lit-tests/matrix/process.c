// The program and its process: arguments, environment and envp, auxiliary vector, standard streams, exit status beyond a byte, output that nobody flushed,
// page protections, /proc/self.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects '--arguments=a -b --c=d x' | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
extern char data[], constant[];
int function(void);
static sigjmp_buf back;
static void on_fault(int signal) { siglongjmp(back, 1); }
static int faults(volatile char *at) {
  if (sigsetjmp(back, 1))
    return 1;
  *at = *at;
  return 0;
}
int main(int argc, char **argv, char **envp) {
  for (int i = 1; i < argc; i++)
    puts(argv[i]);
  printf("%d %d %d\n", argv[argc] == 0, argv[0] != 0, envp == environ);
  printf("%d %d\n", getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE), getpid() == gettid());
  signal(SIGSEGV, on_fault);
  signal(SIGBUS, on_fault);
  printf("%d %d %d\n", faults(data), faults(constant), faults((char *)(void *)function));
  int read = getchar();
  printf("%d %d", read, function());
  return 300 + function();
}
//--- other.c
char data[] = "data";
extern const char constant[];
const char constant[] = "constant";
int function(void) { return 5; }
