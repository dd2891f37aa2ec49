// Constructors run in the order of priority, then of the command line, before main; destructors and exit handlers in the opposite one.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -DNAME='"a"' -c part.c -o a.o && %clang -DNAME='"b"' -c part.c -o b.o
// RUN: %same main.o a.o b.o | FileCheck %s
// RUN: %same a.o main.o b.o
// RUN: %same main.o -lazy a.o -lazy b.o | FileCheck %s
// RUN: %same -lazy a.o -lazy b.o -lazy main.o
//
// CHECK: main: preinit
// CHECK: status: 0

//--- part.c
#include <stdio.h>
#include <stdlib.h>
static void say(const char *what) { printf("%s: %s\n", NAME, what); }
static void at_exit_of(void) { say("atexit"); }
__attribute__((constructor(200))) static void early(void) { say("constructor 200"); }
__attribute__((constructor)) static void first(void) { say("constructor, first"); }
__attribute__((constructor(101))) static void earliest(void) { say("constructor 101"); }
__attribute__((constructor)) static void second(void) { say("constructor, second"); atexit(at_exit_of); }
__attribute__((destructor(101))) static void last(void) { say("destructor 101"); }
__attribute__((destructor)) static void done(void) { say("destructor"); }
//--- main.c
#include <stdio.h>
#include <stdlib.h>
static void preinit(void) { puts("main: preinit"); }
__attribute__((section(".preinit_array"), used)) static void (*const entry)(void) = preinit;
static void at_exit_of(void) { puts("main: atexit"); }
__attribute__((constructor)) static void constructor(void) { puts("main: constructor"); }
__attribute__((destructor)) static void destructor(void) { puts("main: destructor"); }
int main(void) {
  atexit(at_exit_of);
  puts("main");
}
