// A shared library that opens others, which need functions and variables of the program, a lazy file's too: by a path, by a name that its own RUNPATH
// leads to, and by $ORIGIN. The allocator of what it opens is the program's. What cannot be opened says why.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t && mkdir own
// RUN: %clang -fPIC -shared plugin.c -o plugin.so && %clang -fPIC -shared -DNUMBER=2 plugin.c -o own/named.so
// RUN: %clang -fPIC -shared -DNUMBER=3 plugin.c -o own/origin.so && %clang -fPIC -shared -DLACKS plugin.c -o lacking.so
// RUN: %clang -fPIC -shared opener.c -o libopener.so -ldl -Wl,--enable-new-dtags '-Wl,-rpath,$ORIGIN/own'
// RUN: %clang -O1 -c main.c && %clang -O1 -c host.c && %clang -O1 -c allocator.c
// RUN: %rjitlink main.o host.o allocator.o -L. -lopener 2>&1 | FileCheck %s
// RUN: %rjitlink main.o allocator.o -lazy host.o -L. -lopener 2>&1 | FileCheck %s
//
// CHECK: plugin 1: 42, its allocations are the program's: 1
// CHECK-NEXT: plugin 2: 43, its allocations are the program's: 1
// CHECK-NEXT: plugin 3: 44, its allocations are the program's: 1
// CHECK-NEXT: {{.*}}lacking.so: undefined symbol: nobody_has_it
// CHECK-NEXT: no-such.so: cannot open shared object file: No such file or directory
// CHECK-NEXT: opened by 3

//--- main.c
#include <stdio.h>
int open_plugin(const char *);
extern int opened;
int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  open_plugin("./plugin.so");
  open_plugin("named.so");
  open_plugin("$ORIGIN/own/origin.so");
  open_plugin("./lacking.so");
  open_plugin("no-such.so");
  printf("opened by %d\n", opened);
}
//--- host.c
int opened;
int host_function(int n) { return opened += 1, n + 41; }
//--- allocator.c
static char memory[64];
void *reallocarray(void *old, unsigned long count, unsigned long size) { return old ? old : count * size == 7 ? memory : 0; }
int is_programs(void *block) { return block == memory; }
//--- opener.c
#include <dlfcn.h>
#include <stdio.h>
int open_plugin(const char *name) {
  void *plugin = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!plugin)
    return puts(dlerror());
  void (*run)(void) = (void (*)(void))dlsym(plugin, "run");
  run();
  return 0;
}
//--- plugin.c
#include <stdio.h>
#ifndef NUMBER
#define NUMBER 1
#endif
int host_function(int), is_programs(void *), nobody_has_it(void);
extern void *reallocarray(void *, unsigned long, unsigned long);
void run(void) {
#ifdef LACKS
  nobody_has_it();
#endif
  int value = host_function(NUMBER);
  printf("plugin %d: %d, its allocations are the program's: %d\n", NUMBER, value, is_programs(reallocarray(0, 7, 1)));
}
