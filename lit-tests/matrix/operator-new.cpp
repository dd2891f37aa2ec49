// The program replaces operator new and delete: the C++ library's own strings and streams use them too.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++17' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=memory.cpp --work=%t/objects -lstdc++ | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.cpp
#include <cstdio>
#include <locale>
#include <sstream>
#include <string>
extern long news, deletes;
struct alignas(64) Aligned { char bytes[64]; };
int main() {
  long before = news;
  {
    std::ostringstream stream;
    for (int i = 0; i < 1000; i++)
      stream << "number " << i << ' ';
    std::string text = stream.str();
    std::printf("%zu %d\n", text.size(), news > before);
  }
  std::printf("balanced %d\n", news - before == deletes);
  Aligned *aligned = new Aligned;
  std::printf("%d\n", (int)(reinterpret_cast<unsigned long>(aligned) % 64));
  delete aligned;
  int *array = new int[100];
  delete[] array;
  std::printf("%ld\n", news - before - deletes);
  try {
    new char[1UL << 60];
  } catch (const std::bad_alloc &) {
    std::puts("bad_alloc");
  }
}
//--- memory.cpp
#include <cstdlib>
#include <new>
long news, deletes;
void *operator new(std::size_t size) {
  if (size > 1UL << 40)
    throw std::bad_alloc();
  news++;
  return std::malloc(size);
}
void operator delete(void *memory) noexcept { deletes += memory != nullptr; std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }
void *operator new(std::size_t size, std::align_val_t align) { news++; return std::aligned_alloc((std::size_t)align, size); }
void operator delete(void *memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void *memory, std::size_t, std::align_val_t) noexcept { operator delete(memory); }
