// The C library knows the program by its name.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t/folder && cd %t && %clang -O1 -fPIC -c %s -o folder/main.o
// RUN: %rjitlink folder/main.o -- x 2>&1 | FileCheck %s
// RUN: %clang -O1 -fno-pie -c %s -o folder/main.o && %rjitlink -lazy folder/main.o 2>&1 | FileCheck %s
//
// CHECK: folder/main.o main.o 1
// CHECK: folder/main.o: says so

#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <stdio.h>

static int early;
__attribute__((constructor)) static void construct(int argc, char **argv) { early = program_invocation_name == argv[0]; }
int main(void) {
  printf("%s %s %d\n", program_invocation_name, program_invocation_short_name, early);
  error(0, 0, "says so");
  return 0;
}
