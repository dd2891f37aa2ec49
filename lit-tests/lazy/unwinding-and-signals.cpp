// A signal handler may look up call frames, as profilers do, and make first calls, though it has interrupted such a lookup.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -O1 -c main.cpp && %clangxx -O1 -ffunction-sections -c callees.cpp
// RUN: %same main.o -lazy callees.o %{cxx-library} | FileCheck %s
// RUN: %same main.o callees.o %{cxx-library} | FileCheck %s
//
// CHECK: handlers: 400, sum: 19900
// CHECK-NEXT: status: 0

//--- main.cpp
#include <csignal>
#include <cstdio>
#include <sys/time.h>
#include <unwind.h>
#include "callees.h"
static volatile int handlers, sum;
static void handle(int) {
  if (handlers == 400)
    return;
  // It takes a return address.
  auto inside = reinterpret_cast<char *>(handle) + 1;
  if (_Unwind_FindEnclosingFunction(inside) != reinterpret_cast<void *>(handle))
    return;
  if (handlers % 2 == 0)
    sum = sum + callees[handlers / 2]();
  handlers = handlers + 1;
}
int main() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &often, nullptr);
  // Exceptions would allocate memory as well.
  while (handlers < 400)
    _Unwind_FindEnclosingFunction(reinterpret_cast<char *>(handle) + 1);
  printf("handlers: %d, sum: %d\n", handlers, sum);
}
//--- callees.h
#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7) m(n##8) m(n##9)
#define HUNDRED(m, n) TEN(m, n##0) TEN(m, n##1) TEN(m, n##2) TEN(m, n##3) TEN(m, n##4) TEN(m, n##5) TEN(m, n##6) TEN(m, n##7) TEN(m, n##8) TEN(m, n##9)
#define ALL(m) HUNDRED(m, 10) HUNDRED(m, 11)
#define DECLARE(n) int callee##n();
ALL(DECLARE)
#define NAME(n) callee##n,
static int (*const callees[])() = {ALL(NAME)};
//--- callees.cpp
#include "callees.h"
#define DEFINE(n) int callee##n() { return n - 1000; }
ALL(DEFINE)
