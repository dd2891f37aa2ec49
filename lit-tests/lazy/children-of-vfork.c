// First calls in children of vfork leave nothing behind in their parent, whose memory they use.
//
// REQUIRES: elf, linux
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -ffunction-sections -c functions.c
// RUN: %same main.o -lazy functions.o | FileCheck %s
//
// CHECK: 0 more descriptors, few more mappings
// CHECK-NEXT: status: 0

//--- functions.h
#define TEN(x) F(x##0) F(x##1) F(x##2) F(x##3) F(x##4) F(x##5) F(x##6) F(x##7) F(x##8) F(x##9)
#define ALL TEN(f1) TEN(f2) TEN(f3) TEN(f4)
//--- functions.c
#include "functions.h"
int sum;
#define F(name) int name(int x) { sum += x; return x; }
ALL
//--- main.c
#include "functions.h"
#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#define F(name) int name(int);
ALL
#undef F
#define F(name) name,
static int (*volatile const table[])(int) = {ALL};
static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}
static int mappings(void) {
  int count = 0;
  FILE *file = fopen("/proc/self/maps", "r");
  for (int c; (c = getc(file)) != EOF;)
    count += c == '\n';
  fclose(file);
  return count;
}
int main(void) {
  int status;
  table[0](1);
  table[1](1);
  int descriptors_before = descriptors(), mappings_before = mappings();
  for (int i = 2; i < 40; i += 2) {
    pid_t child = vfork();
    if (child == 0) {
      table[i](1);
      _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status || table[i + 1](1) != 1)
      return 1;
  }
  int more = mappings() - mappings_before;
  printf("%d more descriptors, %s more mappings\n", descriptors() - descriptors_before, more < 20 ? "few" : "many");
}
