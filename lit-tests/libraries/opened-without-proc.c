// A library that needs symbols of the program, opened where /proc is not: nothing is left behind.
//
// REQUIRES: elf, chroot
// RUN: rm -rf %t && split-file %s %t && cd %t && mkdir root
// RUN: %clang -fPIC -shared -nostdlib plugin.c -o root/plugin.so && %clang -O1 -c main.c && %clang -O1 -c host.c
// RUN: %rjitlink main.o host.o | FileCheck %s
// RUN: ls root | FileCheck %s --check-prefix=LEFT
//
// CHECK: plugin says 42
// LEFT: plugin.so
// LEFT-NOT: {{.}}

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
  // Others than root may in a namespace of their own, where there are such.
  if (chroot("root") && (unshare(CLONE_NEWUSER) || chroot("root")))
    return puts("may not change the root");
  if (chdir("/"))
    return 1;
  void *plugin = dlopen("/plugin.so", RTLD_NOW);
  if (!plugin)
    return puts(dlerror());
  printf("plugin says %d\n", ((int (*)(void))dlsym(plugin, "answer"))());
}
//--- host.c
int host_function(int n) { return n * 6; }
//--- plugin.c
int host_function(int);
int answer(void) { return host_function(7); }
