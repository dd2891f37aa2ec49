// The program replaces functions of shared libraries by some that call the next definition: pthread_create and __cxa_throw, which the C++ library calls, and fopen.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=other.cpp --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.cpp
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <atomic>
extern std::atomic<int> threads, throws, opened;
int main() {
  std::thread([] {}).join();
  std::thread([] {}).join();
  try { throw std::runtime_error("x"); } catch (std::exception &) {}
  try { std::string().at(3); } catch (std::exception &) {}
  std::FILE *f = std::fopen("/dev/null", "r");
  std::fclose(f);
  std::printf("%d %d %d\n", threads.load(), throws.load(), opened.load());
}
//--- other.cpp
#include <atomic>
#include <cstdio>
#include <dlfcn.h>
#include <pthread.h>
#include <typeinfo>
std::atomic<int> threads, throws, opened;
extern "C" int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) noexcept {
  static auto real = (decltype(&pthread_create))dlsym(RTLD_NEXT, "pthread_create");
  threads++;
  return real(t, a, f, x);
}
extern "C" [[noreturn]] void __cxa_throw(void *o, std::type_info *i, void (*d)(void *)) {
  static auto real = (void (*)(void *, std::type_info *, void (*)(void *)))dlsym(RTLD_NEXT, "__cxa_throw");
  throws++;
  real(o, i, d);
  __builtin_unreachable();
}
extern "C" FILE *fopen(const char *p, const char *m) {
  static auto real = (decltype(&fopen))dlsym(RTLD_NEXT, "fopen");
  opened++;
  return real(p, m);
}
