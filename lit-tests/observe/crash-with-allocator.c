// A program that has an allocator of its own, which cannot be used any more when the program crashes: the report needs memory for the
// unwinder, and does not ask the program for it.
//
// RUN: %clang -O0 -c %s -o %t.o
// RUN: not --crash %rjitlink %t.o 2>&1 | FileCheck %s
// RUN: not --crash %rjitlink -lazy %t.o 2>&1 | FileCheck %s
//
// CHECK: the program dies of SIGSEGV (invalid memory access) at address 0x8
// CHECK-NEXT: #0 {{.*}} in crash
// CHECK-NEXT: #1 {{.*}} in main
#include <stddef.h>
#include <string.h>

static _Alignas(16) char memory[1 << 20];
static size_t used;
static int *broken;

void *malloc(size_t size) {
  char *block = memory + used;
  used += (size + 31) & ~(size_t)15;
  if (broken)
    *broken = 1;
  *(size_t *)block = size;
  return block + 16;
}

void free(void *block) {}

void *calloc(size_t count, size_t size) { return malloc(count * size); }

void *realloc(void *block, size_t size) {
  void *moved = malloc(size);
  if (block)
    memcpy(moved, block, size < ((size_t *)block)[-2] ? size : ((size_t *)block)[-2]);
  return moved;
}

void crash(void) {
  broken = (int *)8;
  *broken = 1;
}

int main(void) {
  crash();
  return 0;
}
