// Functions and data of the process: libc's, libm's; the same addresses as everybody else in the process sees.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -fPIC -c %s -o pic.o && %clang -fno-pie -c %s -o nopie.o && %clang -O2 -fPIE -c %s -o pie.o
// RUN: %same pic.o -lm | FileCheck %s
// RUN: %same pie.o -lm | FileCheck %s
// RUN: %same --native=-no-pie nopie.o -lm | FileCheck %s
//
// CHECK: cosine -1 errno 2 same 1 1 environ 1
// CHECK-NEXT: through stdout
// CHECK-NEXT: sorted 1 2 3
// CHECK-NEXT: status: 0

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static void *(*const in_data)(size_t) = malloc;
static FILE **const stdout_in_data = &stdout;

int main(int argc, char **argv) {
  int values[] = {3, 1, 2};
  errno = 0;
  int error = access("/nonexistent", F_OK) ? errno : 0;
  double cosine = cos(acos(-1.0) * argc);
  printf("cosine %g errno %d same %d %d environ %d\n", cosine, error, (void *)in_data == dlsym(RTLD_DEFAULT, "malloc"), *stdout_in_data == stdout,
         environ != 0 && environ[0] != 0);
  fputs("through stdout\n", stdout);
  qsort(values, 3, sizeof *values, compare);
  printf("sorted %d %d %d\n", values[0], values[1], values[2]);
}
