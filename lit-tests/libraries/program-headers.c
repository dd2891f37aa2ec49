// The loader's list of objects, as the program sees it and as a shared library does, a collector of garbage for instance: the program is the first one, without a name, and
// its data and code are in it, of lazy files too; the library's own are in another one. So it is when the program is started from the cache.
//
// REQUIRES: elf, linux
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -shared -DNAME=by_library find.c -o libfind.so && %clang -O1 -fPIE -DNAME=by_program -c find.c && %clang -O1 -fPIE -c main.c
// RUN: %clang -O1 -fPIE -c other.c
// RUN: %rjitlink main.o find.o other.o -L. -lfind | FileCheck %s
// RUN: %rjitlink main.o find.o -lazy other.o -L. -lfind | FileCheck %s
// RUN: %rjitlink -cache -cache-dir=cache main.o find.o other.o -L. -lfind | FileCheck %s
// RUN: %rjitlink -cache -cache-dir=cache main.o find.o other.o -L. -lfind | FileCheck %s
//
// CHECK: data 0 0, code 0 0, library 1 1, nowhere 0 0

//--- find.c
#define _GNU_SOURCE
#include <link.h>
struct search {
  unsigned long address;
  int is_in_other;
};
static int look(struct dl_phdr_info *info, size_t size, void *data) {
  struct search *search = data;
  for (int n = 0; n < info->dlpi_phnum; n++) {
    unsigned long start = info->dlpi_addr + info->dlpi_phdr[n].p_vaddr;
    if (info->dlpi_phdr[n].p_type == PT_LOAD && search->address - start < info->dlpi_phdr[n].p_memsz)
      return 1 + (info->dlpi_name[0] != 0 || search->is_in_other);
  }
  search->is_in_other = 1;
  return 0;
}
// 0: in the first object, which has no name. 1: in another one. -1: in none.
int NAME(const void *address) {
  struct search search = {(unsigned long)address, 0};
  return dl_iterate_phdr(look, &search) - 1;
}
//--- other.c
int other(void) { return 1; }
//--- main.c
#include <stdio.h>
#include <stdlib.h>
int by_library(const void *), by_program(const void *), other(void);
static int data = 1;
int main(void) {
  void *memory = malloc(1);
  printf("data %d %d, code %d %d, library %d %d, nowhere %d %d\n", by_library(&data), by_program(&data), by_library((void *)other) + other() - 1,
         by_program((void *)other), by_library((void *)by_library), by_program((void *)by_library), by_library(memory) + 1, by_program(memory) + 1);
}
