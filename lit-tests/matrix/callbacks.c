// A shared library that calls the program: functions and variables that the executable defines, a weak one that it does not, one that it
// defines in a lazy file, and one that the library defines too; the addresses are the same on both sides.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=host.c --archived=member.c --shared=plugin.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdio.h>
int plugin_run(int), plugin_value(void);
int (*plugin_callback(void))(int);
int *plugin_variable(void);
int host_callback(int);
int host_variable = 30;
const char *both(void) { return "the program's"; }
const char *plugin_both(void);
int main(void) {
  printf("%d\n", plugin_run(4));
  printf("%d %d\n", plugin_callback() == host_callback, plugin_callback()(5));
  printf("%d %d\n", plugin_variable() == &host_variable, ++*plugin_variable());
  printf("%s %s %d\n", both(), plugin_both(), plugin_value());
}
//--- host.c
int host_calls, from_member(int);
int host_callback(int n) { host_calls++; return from_member(n) * 2; }
//--- member.c
int from_member(int n) { return n + 100; }
int wanted_by_the_library = 17;
//--- plugin.c
int host_callback(int);
extern int host_variable, host_calls, wanted_by_the_library;
extern int nobody_defines_this(void) __attribute__((weak));
static int *const pointer = &host_variable;
int plugin_run(int n) {
  host_variable += n;
  return host_callback(n) + host_callback(n + 1) * 1000 + host_calls * 1000000;
}
int (*plugin_callback(void))(int) { return host_callback; }
int *plugin_variable(void) { return pointer; }
const char *both(void) { return "the library's"; }
const char *plugin_both(void) { return both(); }
int plugin_value(void) { return (nobody_defines_this ? nobody_defines_this() : 3) + wanted_by_the_library; }
