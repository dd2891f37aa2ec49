// A program from the cache does what the linked one does: initializers, thread-local variables, exceptions, variables and functions of
// shared libraries, indirect functions, lazy files, arguments. What is not linked again is not announced in the log.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -O1 -fPIE -c main.cpp && %clangxx -O1 -fPIC -c other.cpp && %clang -O1 -fPIC -c indirect.c
// RUN: %same -cache-dir=cache main.o -lazy other.o indirect.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 -args a b | FileCheck %s
// RUN: %same -cache-dir=cache main.o -lazy other.o indirect.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 -args a b | FileCheck %s
// RUN: env RUST_LOG=debug %rjitlink -cache-dir=cache main.o -lazy other.o indirect.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 -args c 2>&1 \
// RUN:   | FileCheck %s --check-prefix=AGAIN --implicit-check-not=linking
//
// CHECK: constructed
// CHECK: 2 arguments
// CHECK: variable 1 5
// CHECK: thread 5
// CHECK: caught 7
// CHECK: indirect 3
// CHECK: ctype 1
// CHECK: destroyed
// CHECK: status: 0
//
// AGAIN: constructed
// AGAIN: 1 arguments

//--- main.cpp
#include <cctype>
#include <cstdio>
#include <thread>
extern thread_local int variable;
int thrower(int);
extern "C" int indirect();
struct Global {
  Global() { puts("constructed"); }
  ~Global() { puts("destroyed"); }
} global;
int (*pointer)(int) = thrower;
int main(int argc, char **) {
  std::printf("%d arguments\n", argc - 1);
  std::fprintf(stdout, "variable %d %d\n", variable == 5, variable);
  std::thread([] { std::fprintf(stdout, "thread %d\n", variable); }).join();
  try {
    pointer(7);
  } catch (int n) {
    std::printf("caught %d\n", n);
  }
  std::printf("indirect %d\n", indirect());
  std::printf("ctype %d\n", std::isalpha('a') != 0);
}
//--- other.cpp
thread_local int variable = 5;
int thrower(int n) { throw n; }
//--- indirect.c
static int three(void) { return 3; }
static int (*resolve(void))(void) { return three; }
int indirect(void) __attribute__((ifunc("resolve")));
