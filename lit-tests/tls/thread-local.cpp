// thread_local objects are constructed on first use in each thread and destroyed when the thread ends; the C++ library's own
// thread-local variables (std::call_once, std::async) are found.
//
// The C++ library makes calls of libgcc.a for atomic operations unless told not to.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -Wno-option-ignored -mno-outline-atomics -O1 -fPIC -c main.cpp && %clangxx -Wno-option-ignored -mno-outline-atomics -O1 -fPIC -c other.cpp
// RUN: %same main.o other.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
// RUN: %same main.o -lazy other.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
// RUN: %clangxx -Wno-option-ignored -mno-outline-atomics -O1 -fPIE -c main.cpp && %clangxx -Wno-option-ignored -mno-outline-atomics -O0 -fPIE -c other.cpp
// RUN: %same main.o -lazy other.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
//
// CHECK: construct 1
// CHECK-NEXT: main 6
// CHECK-NEXT: construct 2
// CHECK-NEXT: construct 1
// CHECK-NEXT: thread 29 1
// CHECK-NEXT: destroy 1
// CHECK-NEXT: destroy 3
// CHECK-NEXT: once
// CHECK-NEXT: construct 2
// CHECK-NEXT: destroy 3
// CHECK-NEXT: async 26
// CHECK-NEXT: construct 2
// CHECK-NEXT: main 2 5
// CHECK-NEXT: destroy 2
// CHECK-NEXT: destroy 1
// CHECK-NEXT: status: 0

//--- noisy.h
#include <cstdio>
struct Noisy {
  int number;
  explicit Noisy(int number) : number(number) { std::printf("construct %d\n", number); }
  ~Noisy() { std::printf("destroy %d\n", number); }
};
inline thread_local int vague = 5;
extern thread_local Noisy other;
int touch();
//--- main.cpp
#include "noisy.h"
#include <future>
#include <mutex>
#include <thread>
thread_local Noisy first(1);
std::once_flag flag;
int main() {
  std::printf("main %d\n", first.number + vague);
  std::thread([] {
    vague = 9;
    int touched = touch();
    std::printf("thread %d %d\n", touched, first.number);
  }).join();
  std::call_once(flag, [] { std::puts("once"); });
  std::call_once(flag, [] { std::puts("twice"); });
  auto future = std::async(std::launch::async, [] { return touch() + 1; });
  int result = future.get();
  std::printf("async %d\n", result);
  int number = other.number;
  std::printf("main %d %d\n", number, vague);
}
//--- other.cpp
#include "noisy.h"
thread_local Noisy other(2);
int touch() { return other.number++ * 10 + vague; }
