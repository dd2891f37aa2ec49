// A signal that the program blocks and waits for is taken by no thread of the linker: it has such here, since there are many files. Nor is one that a handler takes.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t && %python many.py 100
// RUN: %clang -c main.c many*.c
// RUN: %python lazily.py %rjitlink -num-threads=4 main.o | FileCheck %s
// RUN: %rjitlink -num-threads=4 main.o many*.o | FileCheck %s
//
// CHECK: waited for 1, handled by main 1000 times of 1000

//--- many.py
import sys

for n in range(int(sys.argv[1])):
    with open(f"many{n}.c", "w") as file:
        file.write(f"int many{n}(void) {{ return {n}; }}\n")
//--- lazily.py
import glob
import subprocess
import sys

files = [word for name in sorted(glob.glob("many*.o")) for word in ("-lazy", name)]
sys.exit(subprocess.run(sys.argv[1:] + files).returncode)
//--- main.c
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int many7(void);
static pthread_t here;
static volatile int handled;
static void handle(int signal) { handled += pthread_equal(here, pthread_self()) != 0; }
int main(void) {
  sigset_t set;
  int taken = 0;
  here = pthread_self();
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, 0);
  kill(getpid(), SIGUSR1);
  sigwait(&set, &taken);
  signal(SIGUSR2, handle);
  for (int n = 0; n < 1000; n++)
    kill(getpid(), SIGUSR2);
  printf("waited for %d, handled by main %d times of %d\n", many7() == 7 && taken == SIGUSR1, handled, 1000);
}
