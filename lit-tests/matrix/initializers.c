// Initializers in sections of every kind and their priorities, over three files and archive members; a constructor that calls another file and one that
// depends on another file's; finalizers in the opposite order; exit in a finalizer, atexit in a handler.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=first.c --source=second.c --archived=used.c --archived=also.c \
// RUN:     --archived=unused.c --work=%t/objects --arguments=return --arguments=exit --arguments=underscore --arguments=abort --arguments=nested | FileCheck %s
//
// CHECK: 30 combinations, 0 differ

//--- say.h
#include <stdio.h>
#include <stdlib.h>
#define SECTION(name, function) __attribute__((section(name), used)) static void (*const pointer_to_##function)(void) = function
#define SAY(name) static void name(void) { puts(FILE_NAME #name); }
//--- main.c
#include <string.h>
#include <unistd.h>
#define FILE_NAME "main: "
#include "say.h"
SAY(preinit) SAY(init) SAY(init_50) SAY(fini) SAY(fini_200)
SECTION(".preinit_array", preinit);
SECTION(".init_array", init);
SECTION(".init_array.00150", init_50);
SECTION(".fini_array", fini);
SECTION(".fini_array.00200", fini_200);
int value(void), used(void);
static void third(void) { puts("third"); }
static void second(void) { puts("second"); atexit(third); }
static void first(void) { puts("first"); exit(9); }
int main(int argc, char **argv) {
  printf("main %d %d\n", value(), used());
  atexit(second);
  if (!strcmp(argv[1], "exit")) exit(3);
  if (!strcmp(argv[1], "underscore")) { puts("lost"); fflush(stdout); _exit(4); }
  if (!strcmp(argv[1], "abort")) { fflush(stdout); abort(); }
  if (!strcmp(argv[1], "nested")) atexit(first);
  printf("unflushed");
  return 6;
}
//--- first.c
#define FILE_NAME "first: "
#include "say.h"
int set_by_second;
__attribute__((constructor(101))) SAY(early)
__attribute__((constructor(65535))) SAY(latest)
__attribute__((constructor)) SAY(plain)
__attribute__((destructor)) SAY(plain_end)
__attribute__((destructor(101))) SAY(last)
__attribute__((constructor(200))) static void depends(void) { printf("first: set to %d\n", set_by_second); }
int value(void) { return set_by_second; }
//--- second.c
#define FILE_NAME "second: "
#include "say.h"
extern int set_by_second;
int value(void);
__attribute__((constructor(150))) static void sets(void) { set_by_second = 12; }
__attribute__((constructor(300))) static void calls(void) { printf("second: calls %d\n", value()); }
SAY(ctor) SAY(dtor)
__attribute__((constructor)) SAY(plain)
__attribute__((destructor(102))) SAY(nearly_last)
//--- used.c
#define FILE_NAME "used: "
#include "say.h"
int also;
__attribute__((constructor)) SAY(plain)
__attribute__((destructor)) SAY(end)
int used(void) { return also; }
//--- also.c
#define FILE_NAME "also: "
#include "say.h"
extern int also;
int also = 5;
__attribute__((constructor)) SAY(plain)
//--- unused.c
#define FILE_NAME "unused: "
#include "say.h"
int unused = 5;
__attribute__((constructor)) SAY(plain)
