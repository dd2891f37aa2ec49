// What the C++ library starts by itself: call_once, async, futures, coroutines that suspend in one file and are resumed in another, file systems,
// streams; the library's thread-local variables are found.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=tasks.cpp --work=%t/objects --native=-pthread \
// RUN:     -lstdc++ -lgcc_s | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- task.h
#include <coroutine>
#include <exception>
struct Task {
  struct promise_type {
    int value = 0;
    std::exception_ptr error;
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int n) { value = n; return {}; }
    void return_value(int n) { value = n; }
    void unhandled_exception() { error = std::current_exception(); }
  };
  std::coroutine_handle<promise_type> handle;
};
Task counts(int), fails(int);
void once(), background();
//--- main.cpp
#include "task.h"
#include <cstdio>
#include <stdexcept>
#include <thread>
int main() {
  Task task = counts(3);
  for (; !task.handle.done(); task.handle.resume())
    std::printf("%d ", task.handle.promise().value);
  std::printf("= %d\n", task.handle.promise().value);
  task.handle.destroy();
  Task bad = fails(2);
  std::thread([&] { while (!bad.handle.done()) bad.handle.resume(); }).join();
  try {
    std::rethrow_exception(bad.handle.promise().error);
  } catch (const std::exception &error) {
    std::puts(error.what());
  }
  bad.handle.destroy();
  std::thread first(once), second(once);
  first.join(), second.join();
  background();
}
//--- tasks.cpp
#include "task.h"
#include <cstdio>
#include <filesystem>
#include <future>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
Task counts(int n) {
  int sum = 0;
  for (int i = 1; i <= n; i++) {
    co_yield i;
    sum += i;
  }
  co_return sum;
}
Task fails(int n) {
  std::string text = "failed after " + std::to_string(n);
  while (n--)
    co_yield n;
  throw std::runtime_error(text);
}
static std::once_flag flag;
void once() { std::call_once(flag, [] { std::puts("once"); }); }
void background() {
  auto one = std::async(std::launch::async, [] { return 20; });
  auto two = std::async(std::launch::deferred, [] { return 22; });
  std::promise<std::string> promise;
  std::future<std::string> future = promise.get_future();
  std::thread thread([&] { promise.set_exception(std::make_exception_ptr(std::out_of_range("far out"))); });
  try {
    future.get();
  } catch (const std::out_of_range &error) {
    std::cout << error.what() << std::endl;
  }
  thread.join();
  std::cout << one.get() + two.get() << ' ' << std::filesystem::path("/a/b/../c.txt").lexically_normal().string() << ' '
            << std::filesystem::exists("/") << std::endl;
}
