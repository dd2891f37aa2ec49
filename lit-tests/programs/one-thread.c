// A program of which everything is linked has one thread, as it has without a linker, however many have linked it.
//
// REQUIRES: elf, linux
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t && %python many.py 100
// RUN: %clang -c main.c many*.c
// RUN: %rjitlink -num-threads=4 main.o many*.o | FileCheck %s
// RUN: %rjitlink main.o many*.o | FileCheck %s
//
// CHECK: one thread, many7 is 7

//--- many.py
import sys

for n in range(int(sys.argv[1])):
    with open(f"many{n}.c", "w") as file:
        file.write(f"int many{n}(void) {{ return {n}; }}\n")
//--- main.c
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
int many7(void);
static int threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(tasks)) != 0;)
    count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}
int main(void) {
  // They are told to end, and nobody waits for that.
  for (int tries = 0; tries < 2000 && threads() > 1; tries++)
    usleep(1000);
  printf("%s, many7 is %d\n", threads() == 1 ? "one thread" : "more threads", many7());
}
