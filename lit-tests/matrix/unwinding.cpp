// Unwinding: backtraces through lazy frames, exceptions out of a first call on a thread and on a small context, forced unwinding of a thread through cleanups,
// a foreign exception raised with the unwinder's own functions, exceptions in constructors of static locals, many throws.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++17' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=lazy.cpp --work=%t/objects --native=-pthread --native=-rdynamic \
// RUN:     --arguments=all --arguments=noexcept --arguments=uncaught --arguments=destructor -lstdc++ -lgcc_s | FileCheck %s
//
// CHECK: 24 combinations, 0 differ

//--- main.cpp
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <thread>
#include <ucontext.h>
#include <unwind.h>
void throws(int), throws_noexcept() noexcept, foreign(), through(void (*)(int), int);
int depth(int), counts(int);
extern "C" int names_itself();
struct Bad { ~Bad() noexcept(false) { throw 1; } };
struct Guard { const char *name; ~Guard() { std::printf("guard %s\n", name); } };
struct Picky { Picky(int n) { if (n < 2) throw n; } };
static ucontext_t home, away;
static int static_local(int n) { static Picky picky(n); return n; }
static void in_context() {
  try { throws(7); } catch (const std::exception &e) { std::printf("context %s\n", e.what()); }
}
static void all() {
  void *frames[64];
  int here = backtrace(frames, 64);
  std::printf("depth %d %d\n", depth(0) - here, depth(5) - here);
  std::thread([] { try { throws(1); } catch (const std::runtime_error &e) { std::printf("thread %s\n", e.what()); } }).join();
  getcontext(&away);
  away.uc_stack.ss_sp = std::malloc(65536), away.uc_stack.ss_size = 65536, away.uc_link = &home;
  makecontext(&away, in_context, 0);
  swapcontext(&home, &away);
  try { foreign(); } catch (...) { std::puts("foreign caught"); }
  for (int i = 0; i < 4; i++)
    try { std::printf("static local %d\n", static_local(i)); } catch (int n) { std::printf("not constructed %d\n", n); }
  pthread_t thread;
  pthread_create(&thread, nullptr, [](void *) -> void * { Guard guard{"thread"}; through([](int) { Guard guard{"callback"}; pthread_exit(nullptr); }, 1); return nullptr; }, nullptr);
  pthread_join(thread, nullptr);
  int caught = 0;
  for (int i = 0; i < 20000; i++)
    caught += counts(i);
  std::printf("caught %d\n", caught);
  std::printf("named %d\n", names_itself());
}
int main(int, char **argv) {
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  Guard guard{"main"};
  switch (argv[1][0]) {
  case 'a': all(); return 0;
  case 'n': throws_noexcept(); return 0;
  case 'u': throws(9); return 0;
  default: try { Bad bad; throws(3); } catch (...) { std::puts("never"); }
  }
}
//--- lazy.cpp
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <stdexcept>
#include <string>
#include <unwind.h>
void throws(int n) { throw std::runtime_error("number " + std::to_string(n)); }
void throws_noexcept() noexcept { throws(2); }
static _Unwind_Exception exception;
void foreign() {
  std::memcpy(&exception.exception_class, "FOREIGN", 8);
  exception.exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception *) { std::puts("foreign deleted"); };
  _Unwind_RaiseException(&exception);
  std::puts("not raised");
}
void through(void (*function)(int), int n) { function(n); std::puts("never"); }
static _Unwind_Reason_Code count(_Unwind_Context *, void *n) { ++*static_cast<int *>(n); return _URC_NO_REASON; }
__attribute__((noinline)) int depth(int more) {
  if (more) {
    volatile int deeper = depth(more - 1);
    return deeper;
  }
  void *frames[64];
  int seen = backtrace(frames, 64), counted = 0;
  _Unwind_Backtrace(count, &counted);
  return seen > 1 && counted > 1 ? seen : -1000;
}
extern "C" int names_itself() {
  void *frames[8];
  char **names = backtrace_symbols(frames, backtrace(frames, 8));
  int found = std::strstr(names[0], "names_itself+0x") != nullptr;
  std::free(names);
  return found;
}
int counts(int n) {
  try {
    if (n % 2)
      throw n;
    return 0;
  } catch (int) {
    return 1;
  }
}
