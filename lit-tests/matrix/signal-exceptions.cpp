// An exception thrown by a signal handler, and caught in a lazy function that was interrupted. (clang has no tables for that at -O2.)
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20 -fnon-call-exceptions -fasynchronous-unwind-tables' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=other.cpp --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.cpp
#include <csignal>
#include <cstdio>
int load(int *), guarded(int *);
void handler(int);
int main() {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  int n = 4;
  std::printf("%d\n", guarded(&n));
#ifndef __clang__
  std::printf("%d %d\n", guarded((int *)8), guarded((int *)16));
#endif
}
//--- other.cpp
struct bad { int n; };
void handler(int n) { throw bad{n}; }
int load(volatile int *p);
__attribute__((noinline)) int load(volatile int *p) { return *p; }
int guarded(int *p) { try { return load(p); } catch (bad &b) { return -b.n; } }
