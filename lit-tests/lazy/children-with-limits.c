// Children that may open no file, or write none, make first calls. The first file that a program opens has the number that it has natively.
//
// REQUIRES: elf, linux
// UNSUPPORTED: emulated
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -ffunction-sections -c functions.c
// RUN: %same main.o -lazy functions.o | FileCheck %s
// RUN: %same -lazy main.o -lazy functions.o | FileCheck %s
//
// CHECK: first file: 3
// CHECK-NEXT: no files: 2
// CHECK-NEXT: no bytes: 3
// CHECK-NEXT: neither: 4
// CHECK-NEXT: status: 0

//--- main.c
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int one(void), two(void), three(void), four(void);
static void forbid(int what) {
  struct rlimit none = {0, 0};
  setrlimit(what, &none);
}
static void try(const char *name, int files, int bytes, int (*function)(void)) {
  int status;
  fflush(stdout);
  if (fork() == 0) {
    if (files)
      forbid(RLIMIT_NOFILE);
    if (bytes)
      forbid(RLIMIT_FSIZE);
    _exit(function());
  }
  wait(&status);
  printf("%s: %d\n", name, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}
int main(void) {
  if (one() != 1)
    return 1;
  printf("first file: %d\n", open("/dev/null", O_RDONLY));
  try("no files", 1, 0, two);
  try("no bytes", 0, 1, three);
  try("neither", 1, 1, four);
}
//--- functions.c
int one(void) { return 1; }
int two(void) { return 2; }
int three(void) { return 3; }
int four(void) { return 4; }
