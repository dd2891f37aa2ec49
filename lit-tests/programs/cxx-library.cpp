// The C++ library, with templates and inline variables that several files and the library itself define: threads, locks, futures, coroutines,
// file systems, streams, locales, regular expressions, polymorphic allocation.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=threads.cpp --source=values.cpp \
// RUN:     --work=%t/objects --native=-pthread -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- all.h
#include <coroutine>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <typeindex>
#include <vector>
inline int counter = 0;
inline int next() {
  static int calls = 0;
  return ++calls;
}
template <class T> struct Registry {
  static inline std::map<std::string, T> entries;
};
template <class T> T biggest = T(100);
struct Generator {
  struct promise_type {
    int value = 0;
    Generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(int n) { value = n; return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
};
Generator squares(int count);
void threads();
void *address_of_next();
std::type_index index_of_registry();
void values();
//--- main.cpp
#include "all.h"
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <locale>
#include <memory_resource>
#include <regex>
#include <sstream>
#include <unistd.h>
int main() {
  values();
  counter += 5;
  biggest<int> += 1;
  next();
  std::cout << "counter " << counter << " next " << next() << " biggest " << biggest<int> << " entries " << Registry<int>::entries.size() << ' '
            << (address_of_next() == (void *)next) << (index_of_registry() == typeid(Registry<int>)) << '\n';
  threads();
  Generator generator = squares(4);
  try {
    for (generator.handle.resume(); !generator.handle.done(); generator.handle.resume())
      std::cout << generator.handle.promise().value << ' ';
  } catch (const std::exception &error) {
    std::cout << "coroutine threw " << error.what() << std::endl;
  }
  generator.handle.destroy();

  namespace fs = std::filesystem;
  fs::path folder = fs::temp_directory_path() / ("rjitlink-" + std::to_string(getpid()));
  fs::create_directories(folder / "a" / "b");
  std::ofstream(folder / "a" / "file") << "text " << 12.5 << '\n';
  std::ifstream in(folder / "a" / "file");
  std::string word;
  double number;
  in >> word >> number;
  std::cout << word << ' ' << number << ' ' << fs::file_size(folder / "a" / "file") << ' '
            << std::distance(fs::recursive_directory_iterator(folder), fs::recursive_directory_iterator()) << '\n';
  fs::remove_all(folder);
  try {
    fs::file_size(folder);
  } catch (const fs::filesystem_error &error) {
    std::cout << error.code() << '\n';
  }
  std::ostringstream text;
  text << std::hex << std::setfill('*') << std::setw(8) << 48879 << std::boolalpha << true << std::put_money(1234);
  std::cout << text.str() << std::regex_replace(std::string(" abc123"), std::regex("([a-z]+)([0-9]+)"), " $2$1") << '\n';
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::vector<std::pmr::string> strings(&memory);
  strings.emplace_back("a string in the arena, too long for the inside of a string");
  std::cout << strings[0].size() << ' ' << std::use_facet<std::ctype<char>>(std::locale()).toupper('x') << std::endl;
  std::cin.exceptions(std::ios::eofbit);
  try {
    std::cin >> word;
  } catch (const std::ios::failure &) {
    std::cerr << "end of input" << std::endl;
    std::clog << "logged" << std::endl;
    return 6;
  }
}
//--- threads.cpp
#include "all.h"
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <semaphore>
#include <thread>
static std::once_flag once;
static std::mutex mutex;
static std::condition_variable changed;
static int produced = 0;
thread_local std::vector<int> mine{1, 2};
struct Wide { long a, b; };
static std::atomic<int> total;
void threads() {
  std::vector<std::thread> all;
  std::barrier together(4, []() noexcept { total += 1000; });
  for (int i = 0; i < 4; i++)
    all.emplace_back([&, i] {
      std::call_once(once, [] { std::cout << "once\n"; });
      mine.push_back(i);
      total += mine.size();
      together.arrive_and_wait();
      std::lock_guard lock(mutex);
      produced++;
      changed.notify_one();
    });
  std::unique_lock lock(mutex);
  changed.wait(lock, [] { return produced == 4; });
  lock.unlock();
  for (auto &thread : all)
    thread.join();
  std::promise<std::string> promise;
  std::future<std::string> future = promise.get_future();
  std::jthread sender([&] { promise.set_value_at_thread_exit("promised"); });
  std::packaged_task<int(int)> task([](int n) { return n * 2; });
  auto doubled = task.get_future();
  std::thread(std::move(task), 21).join();
  std::cout << future.get() << ' ' << doubled.get() << ' ' << total << ' ' << std::async(std::launch::deferred, next).get() << '\n';
}
//--- values.cpp
#include "all.h"
#include <algorithm>
#include <stdexcept>
static int at_start = (Registry<int>::entries["at start"] = 1);
Generator squares(int count) {
  for (int i = 1; i <= count; i++)
    co_yield i * i;
  throw std::runtime_error("at the end");
}
void *address_of_next() { return (void *)next; }
std::type_index index_of_registry() { return typeid(Registry<int>); }
void values() {
  counter += 10;
  biggest<int> += 10;
  Registry<int>::entries["in values"] = next();
}
