// The program and the loader: dlopen, dlsym, RTLD_NEXT, dladdr, dl_iterate_phdr; an allocator of the program's own that the C library uses too;
// weak references; functions chosen at run time.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=leaf.c --work=%t/objects --native=-ldl | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int chosen(int), has_weak(void);
extern int allocations;
static int count(struct dl_phdr_info *info, size_t size, void *seen) { return *(int *)seen += strstr(info->dlpi_name, "libc.so") != 0, 0; }
int main(void) {
  void *library = dlopen("libm.so.6", RTLD_NOW);
  double (*cosine)(double) = (double (*)(double))dlsym(library, "cos");
  Dl_info info;
  int libc = 0;
  printf("%g %d %s\n", cosine(0), dladdr((void *)cosine, &info) != 0, strrchr(info.dli_fname, '/') + 1);
  dl_iterate_phdr(count, &libc);
  printf("%d %d %d\n", libc, dlsym(RTLD_DEFAULT, "no_such_function") == 0, dlopen("no-such-library.so", RTLD_NOW) == 0);
  printf("%s\n", strstr(dlerror(), "cannot open") != 0 ? "cannot open" : "other error");
  dlclose(library);
  free(strdup("mine"));
  free(calloc(1, 3));
  printf("chosen %d, weak %d, allocated %d\n", chosen(4), has_weak(), allocations);
}
//--- leaf.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
int allocations;
void *calloc(size_t count, size_t size) {
  static void *(*next)(size_t, size_t);
  if (!next)
    next = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
  allocations += count == 1 && size == 3;
  return next(count, size);
}
static int by_two(int n) { return n * 2; }
static int (*resolve(void))(int) { return by_two; }
__attribute__((ifunc("resolve"))) int chosen(int);
extern int weak_function(void) __attribute__((weak));
int has_weak(void) { return weak_function ? weak_function() : 77; }
