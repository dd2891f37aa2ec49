// Objects are as aligned as they ask to be: 64 bytes, a page, 64 KiB; zero-filled and initialized, in several files.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -Dmain=unused -DN=1 -c %s -o other.o
// RUN: %same main.o other.o | FileCheck %s
//
// CHECK: 0 0 0 0 sum 0
// CHECK-NEXT: status: 0

#include <stdio.h>
static _Alignas(64) char cache_line[3] = {1};
static _Alignas(4096) char page[5];
static _Alignas(65536) char big_page[70000];
static const _Alignas(4096) char constant[10] = {1, 2};
static char odd = 1;
int main(void) {
  int sum = odd - 1;
  for (unsigned i = 0; i < sizeof big_page; i++)
    sum += big_page[i];
  printf("%lu %lu %lu %lu sum %d\n", (unsigned long)cache_line % 64, (unsigned long)page % 4096, (unsigned long)big_page % 65536,
         (unsigned long)constant % 4096, sum);
}
