// Initializers of several files and of archive members, by priority, then by place; everything in the opposite order at the end, however the
// program ends: return, exit() in the program, in a lazy function, in a thread, quick_exit().
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++20' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=first.cpp --source=second.cpp \
// RUN:     --archived=member.cpp --archived=unused.cpp --work=%t/objects --native=-pthread \
// RUN:     --arguments=return --arguments=exit --arguments=lazy --arguments=thread --arguments=quick -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
//
// CHECK: 30 combinations, 0 differ

//--- main.cpp
#include "say.h"
#include <cstdlib>
#include <pthread.h>
static void preinit(int argc, char **argv, char **envp) { say("main: preinit", argc > 1 && envp != nullptr); }
__attribute__((section(".preinit_array"), used)) static void (*const entry)(int, char **, char **) = preinit;
static Object local("main: object", 0);
__attribute__((init_priority(300))) static Object early("main: object 300", 0);
__attribute__((destructor(150))) static void last() { say("main: destructor 150", 0); }
static void on_exit() { say("main: atexit", 0); }
static void on_quick_exit() { say("main: at_quick_exit", 0); std::fflush(stdout); }
void member(int), leave(int);
int main(int argc, char **argv) {
  static Object in_main("main: static local", 1);
  std::atexit(on_exit);
  std::at_quick_exit(on_quick_exit);
  member(2);
  switch (argv[1][0]) {
  case 'r':
    return 3;
  case 'e':
    std::exit(4);
  case 'l':
    leave(5);
    break;
  case 'q':
    std::quick_exit(6);
  }
  pthread_t thread;
  auto start = [](void *) -> void * { leave(7); return nullptr; };
  pthread_create(&thread, nullptr, start, nullptr);
  pthread_join(thread, nullptr);
}
//--- first.cpp
#include "say.h"
#include <cstdlib>
extern "C" void *__dso_handle;
extern "C" int __cxa_atexit(void (*)(void *), void *, void *);
static void registered(void *what) { say(static_cast<const char *>(what), 0); }
Object first("first: object", 0);
__attribute__((init_priority(250))) Object first_early("first: object 250", 0);
__attribute__((constructor(300))) static void at300() { say("first: constructor 300", 0); }
__attribute__((constructor)) static void constructor() {
  say("first: constructor", 0);
  __cxa_atexit(registered, const_cast<char *>("first: __cxa_atexit"), &__dso_handle);
  std::at_quick_exit([] { say("first: at_quick_exit", 0); });
}
__attribute__((destructor(300))) static void destructor() { say("first: destructor 300", 0); }
//--- second.cpp
#include "say.h"
#include <cstdlib>
inline Object shared("shared inline object", 0);
__attribute__((init_priority(250))) Object second_early("second: object 250", 0);
Object second("second: object", 0);
thread_local Object per_thread("second: thread-local object", 0);
void leave(int status) {
  static Object in_leave("second: static local", status);
  per_thread.value = status;
  std::exit(status);
}
__attribute__((destructor)) static void destructor() { say("second: destructor", 0); }
//--- member.cpp
#include "say.h"
inline Object shared("shared inline object", 0);
Object of_member("member: object", 0);
__attribute__((constructor(250))) static void at250() { say("member: constructor 250", 0); }
void member(int n) {
  static Object in_member("member: static local", n);
  say("member", shared.value);
}
//--- unused.cpp
#include "say.h"
Object of_unused("unused: object", 0);
//--- say.h
#include <cstdio>
inline void say(const char *what, int value) { std::printf("%s %d\n", what, value); }
struct Object {
  const char *name;
  int value;
  Object(const char *name, int value) : name(name), value(value) { say(name, value); }
  ~Object() { std::printf("~%s\n", name); }
};
