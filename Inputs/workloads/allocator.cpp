// What uses an allocator that the program brings along: the C library, the C++ library, threads, exceptions, libraries opened at run time.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <iostream>
#include <malloc.h>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
extern "C" int mallctl(const char *, void *, size_t *, void *, size_t);
static size_t allocated() {
  unsigned long epoch = 1;
  size_t bytes = 0, size = sizeof bytes;
  mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
  mallctl("stats.allocated", &bytes, &size, nullptr, 0);
  return bytes;
}
int main() {
  std::map<int, std::string> strings;
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; n++)
    threads.emplace_back([n] {
      std::vector<void *> blocks;
      for (int i = 0; i < 2000; i++)
        blocks.push_back(malloc(i * 3 % 5000 + n));
      for (void *block : blocks)
        free(block);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < 1000; i++)
    strings[i] = std::to_string(i) + std::string(40, 'y');
  size_t before = allocated();
  std::vector<char *> copies;
  for (int i = 0; i < 1000; i++)
    copies.push_back(strdup(std::string(1000, 'x').c_str()));
  std::printf("copies of the C library are counted: %d\n", allocated() >= before + 1000 * 1000);
  for (char *copy : copies)
    free(copy);
  char *line = nullptr, *path = realpath("/usr/..", nullptr);
  size_t size = 0;
  FILE *file = tmpfile();
  std::fputs("line\n", file);
  std::rewind(file);
  std::printf("%ld %s %s", (long)getline(&line, &size, file), path, line);
  free(line), free(path), fclose(file);
  std::ostringstream stream;
  stream << strings.size() << ' ' << strings[5].size();
  std::cout << stream.str() << std::endl;
  setenv("A", "short", 1), setenv("A", "a longer value", 1);
  try {
    throw std::string(getenv("A"));
  } catch (std::string &text) {
    std::puts(text.c_str());
  }
  void *library = dlopen("libm.so.6", RTLD_NOW);
  std::printf("%d %d\n", library != nullptr, dlopen("libnosuch.so", RTLD_NOW) == nullptr);
  std::puts(dlerror());
  return 8;
}
