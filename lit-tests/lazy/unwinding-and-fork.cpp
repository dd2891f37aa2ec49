// Exceptions take no lock of the process's: a child of fork catches its own, though another thread of its parent was looking for a handler just then.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -O1 -pthread -c main.cpp && %clangxx -O1 -c thrower.cpp
// RUN: %same main.o -lazy thrower.o %{cxx-library} | FileCheck %s
// RUN: %same main.o thrower.o %{cxx-library} | FileCheck %s
//
// CHECK: 200 children
// CHECK-NEXT: status: 0

//--- main.cpp
#include <atomic>
#include <cstdio>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
void thrower(int);
static bool catches(int n) {
  try {
    thrower(n);
  } catch (int caught) {
    return caught == n;
  }
  return false;
}
int main() {
  std::atomic<bool> is_over{false};
  std::thread other([&] {
    for (int n = 0; !is_over; n++)
      catches(n);
  });
  int children = 0;
  for (int n = 0; n < 200; n++) {
    pid_t child = fork();
    if (!child) {
      alarm(30);
      _exit(catches(n) ? 0 : 1);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status)
      break;
    children++;
  }
  is_over = true;
  other.join();
  printf("%d children\n", children);
}
//--- thrower.cpp
void thrower(int n) { throw n; }
