// Shared libraries use the definitions of a program from the cache as they use those of a linked one: its operator new, its inline functions.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t && %clangxx -O1 -fPIE -c %s -o main.o
// RUN: %same -cache-dir=cache main.o -lstdc++ | FileCheck %s
// RUN: %same -cache-dir=cache main.o -lstdc++ | FileCheck %s
// RUN: env RUST_LOG=debug %rjitlink -cache-dir=cache main.o -lstdc++ 2>&1 | FileCheck %s --implicit-check-not=linking
//
// CHECK: the library allocates here: 1

#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
static int allocations;
void *operator new(std::size_t size) {
  allocations++;
  return std::malloc(size);
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
int main() {
  int before = allocations;
  std::logic_error error("a text that is long enough to be on the heap and not in the string itself");
  std::printf("the library allocates here: %d\n", allocations > before);
}
