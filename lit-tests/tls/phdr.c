// What a collector of garbage asks for: the first object that dl_iterate_phdr shows has thread-local memory, the same in every thread as
// __tls_get_addr gives for its module, and the program's variables are in it.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c && %clang -O1 -fPIC -c other.c
// RUN: %same main.o other.o | FileCheck %s
// RUN: %same main.o -lazy other.o | FileCheck %s
//
// CHECK: 1 1
// CHECK-NEXT: 1 1
// CHECK-NEXT: status: 0

//--- main.c
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdio.h>
extern __thread int other;
static __thread long own;
extern void *__tls_get_addr(size_t index[2]);
static int first(struct dl_phdr_info *info, size_t size, void *range) {
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_TLS) {
      size_t index[2] = {info->dlpi_tls_modid, 0};
      ((char **)range)[0] = __tls_get_addr(index);
      ((char **)range)[1] = ((char **)range)[0] + info->dlpi_phdr[i].p_memsz;
    }
  return 1;
}
static void *look(void *unused) {
  char *range[2] = {0, 0}, *volatile here[2] = {(char *)&own, (char *)&other};
  dl_iterate_phdr(first, range);
  for (int i = 0; i < 2; i++) printf(i ? " %d\n" : "%d", here[i] >= range[0] && here[i] < range[1]);
  return unused;
}
int main(void) {
  pthread_t thread;
  look(0);
  pthread_create(&thread, 0, look, 0);
  pthread_join(thread, 0);
}
//--- other.c
__thread int other = 5;
