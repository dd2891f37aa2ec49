// Exceptions in every way they are used: across files, through callbacks of the C library and of templates, stored, sent to another thread, nested,
// out of constructors and lambdas, of types that other files define; terminate; unwinding by pthread_exit and pthread_cancel.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=throw.cpp --source=types.cpp \
// RUN:     --work=%t/objects --native=-pthread --arguments=all --arguments=noexcept --arguments=uncaught --arguments=handler -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
//
// CHECK: 24 combinations, 0 differ

//--- all.h
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <typeinfo>
struct Base {
  virtual ~Base();
  virtual int number() const;
};
struct Side {
  virtual ~Side() {}
  int side = 11;
};
struct Derived : Base, virtual Side {
  int number() const override;
};
struct Cleanup {
  const char *name;
  ~Cleanup() { std::printf("cleanup %s%s\n", name, std::uncaught_exceptions() ? " while unwinding" : ""); }
};
[[noreturn]] void throw_derived();
void throw_string(const std::string &), rethrow(), nested(int), sleep_forever(void *), leave_thread();
int compare_throwing(const void *, const void *);
std::exception_ptr stored();
Base *make(bool derived);
void calls_back(void (*)(int), int) noexcept(false);
void never_throws() noexcept;
struct Member {
  Member(int n) try : value(n ? n : throw std::out_of_range("zero")) {
  } catch (const std::exception &error) {
    std::printf("function try block: %s\n", error.what());
  }
  int value;
};
Member *new_member(int);
//--- main.cpp
#include "all.h"
#include <algorithm>
#include <any>
#include <functional>
#include <future>
#include <pthread.h>
#include <thread>
#include <unistd.h>
#include <variant>
#include <vector>
static void all() {
  try {
    Cleanup cleanup{"main"};
    throw_derived();
  } catch (const Side &side) {
    std::printf("side %d, number %d\n", side.side, dynamic_cast<const Base &>(side).number());
  }
  try {
    throw_string("thrown string");
  } catch (const std::runtime_error &error) {
    std::printf("%s\n", error.what());
  }
  int numbers[] = {5, 3, 9, 1, 7};
  try {
    qsort(numbers, 5, sizeof(int), compare_throwing);
  } catch (int n) {
    std::printf("out of qsort %d\n", n);
  }
  try {
    std::sort(numbers, numbers + 5, [](int a, int b) { return compare_throwing(&a, &b) < 0; });
  } catch (int n) {
    std::printf("out of sort %d\n", n);
  }
  std::exception_ptr pointer = stored();
  std::thread([&] {
    try {
      std::rethrow_exception(pointer);
    } catch (const Base &base) {
      std::printf("stored %d %d\n", base.number(), typeid(base) == typeid(Derived));
    }
  }).join();
  try {
    rethrow();
  } catch (const char *text) {
    std::printf("rethrown %s\n", text);
  }
  try {
    nested(3);
  } catch (const std::exception &error) {
    std::function<void(const std::exception &)> show = [&](const std::exception &error) {
      std::printf("nested: %s\n", error.what());
      try {
        std::rethrow_if_nested(error);
      } catch (const std::exception &inner) {
        show(inner);
      }
    };
    show(error);
  }
  try {
    new_member(0);
  } catch (const std::logic_error &error) {
    std::printf("constructor: %s\n", error.what());
  }
  try {
    calls_back([](int n) { if (n == 2) throw std::string("back"); }, 4);
  } catch (std::string &text) {
    std::printf("through a callback: %s\n", text.c_str());
  }
  try {
    std::any_cast<int>(std::any(1.0));
  } catch (std::bad_any_cast &) {
    std::puts("bad any cast");
  }
  try {
    std::get<0>(std::variant<int, char>('x'));
  } catch (std::bad_variant_access &) {
    std::puts("bad variant access");
  }
  try {
    std::vector<int>().at(1);
  } catch (std::out_of_range &) {
    std::puts("out of range, from the library");
  }
  try {
    Base *base = make(false);
    dynamic_cast<Derived &>(*base);
  } catch (std::bad_cast &) {
    std::puts("bad cast");
  }
  std::printf("cast %d %d\n", dynamic_cast<Derived *>(make(true)) != nullptr, dynamic_cast<Derived *>(make(false)) != nullptr);
  auto result = std::async(std::launch::async, [] { throw_string("from a task"); });
  try {
    result.get();
  } catch (std::runtime_error &error) {
    std::printf("%s\n", error.what());
  }
  pthread_t thread;
  void *value;
  pthread_create(&thread, nullptr, [](void *) -> void * { Cleanup cleanup{"thread that exits"}; leave_thread(); return nullptr; }, nullptr);
  pthread_join(thread, &value);
  std::printf("thread gives %ld\n", (long)value);
  pthread_create(&thread, nullptr, [](void *) -> void * {
    Cleanup cleanup{"cancelled thread"};
    try {
      sleep_forever(nullptr);
    } catch (...) {
      std::puts("cancellation caught");
      throw;
    }
    return nullptr; }, nullptr);
  pthread_cancel(thread);
  pthread_join(thread, &value);
  std::printf("cancelled %d\n", value == PTHREAD_CANCELED);
}
int main(int, char **argv) {
  switch (argv[1][0]) {
  case 'a':
    all();
    return 0;
  case 'n':
    std::set_terminate([] { std::puts("terminate"); std::fflush(stdout); _exit(9); });
    never_throws();
    return 1;
  case 'h':
    std::set_terminate([] {
      try {
        std::rethrow_exception(std::current_exception());
      } catch (Derived &derived) {
        std::printf("terminated by %d\n", derived.number());
      }
      std::exit(8);
    });
    throw_derived();
  default:
    throw_string("uncaught");
  }
}
//--- throw.cpp
#include "all.h"
#include <pthread.h>
#include <unistd.h>
void throw_derived() {
  Cleanup cleanup{"throw_derived"};
  throw Derived();
}
void throw_string(const std::string &text) {
  Cleanup cleanup{"throw_string"};
  throw std::runtime_error(text);
}
int compare_throwing(const void *a, const void *b) {
  if (*(const int *)a == 9 || *(const int *)b == 9)
    throw 9;
  return *(const int *)a - *(const int *)b;
}
std::exception_ptr stored() {
  try {
    throw_derived();
  } catch (...) {
    return std::current_exception();
  }
}
void rethrow() {
  try {
    try {
      throw "text";
    } catch (...) {
      Cleanup cleanup{"rethrow"};
      throw;
    }
  } catch (int) {
    std::puts("never");
  }
}
void nested(int depth) {
  try {
    if (depth == 0)
      throw std::invalid_argument("innermost");
    nested(depth - 1);
  } catch (...) {
    std::throw_with_nested(std::runtime_error("depth " + std::to_string(depth)));
  }
}
Member *new_member(int n) { return new Member(n); }
void never_throws() noexcept {
  Cleanup cleanup{"never_throws"};
  throw_derived();
}
void sleep_forever(void *) {
  Cleanup cleanup{"sleep_forever"};
  for (;;)
    pause();
}
void leave_thread() {
  Cleanup cleanup{"leave_thread"};
  pthread_cleanup_push([](void *text) { std::puts((const char *)text); }, (void *)"cleanup handler");
  pthread_exit((void *)5L);
  pthread_cleanup_pop(0);
}
//--- types.cpp
#include "all.h"
Base::~Base() {}
int Base::number() const { return 1; }
int Derived::number() const { return 2; }
Base *make(bool derived) { return derived ? new Derived : new Base; }
void calls_back(void (*callback)(int), int n) {
  Cleanup cleanup{"calls_back"};
  for (int i = 0; i < n; i++)
    callback(i);
}
