// thread_local objects: constructed at first use in each thread, in two files and of an inline variable, destroyed when the thread ends and in main at
// the end, before static objects; static locals that are thread-local; a thread that registers more while it ends.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++17' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=other.cpp --work=%t/objects --native=-pthread \
// RUN:     -lstdc++ | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- noisy.h
#include <cstdio>
struct Noisy {
  const char *name;
  int n;
  Noisy(const char *name, int n) : name(name), n(n) { std::printf("%s %d\n", name, n); }
  ~Noisy() { std::printf("~%s %d\n", name, n); }
};
inline thread_local Noisy vague("inline", 1);
extern thread_local Noisy elsewhere;
template <class T> struct Holder { static thread_local T value; };
template <class T> thread_local T Holder<T>::value = T(5);
int in_other(int);
//--- main.cpp
#include "noisy.h"
#include <thread>
static Noisy global("global", 0);
static thread_local Noisy mine("mine", 2);
int main() {
  std::printf("main %d\n", in_other(1));
  std::thread([] {
    mine.n += 10;
    std::printf("thread %d %d %d\n", in_other(2), mine.n, Holder<int>::value++);
  }).join();
  vague.n += 100;
  std::printf("main %d %d %d\n", in_other(3), mine.n, Holder<int>::value);
}
//--- other.cpp
#include "noisy.h"
thread_local Noisy elsewhere("elsewhere", 3);
struct Last {
  ~Last() { static thread_local Noisy registered_late("registered late", 9); }
};
int in_other(int n) {
  static thread_local Noisy local("static local", n);
  static thread_local Last last;
  Holder<int>::value += n;
  return local.n + vague.n + elsewhere.n++;
}
