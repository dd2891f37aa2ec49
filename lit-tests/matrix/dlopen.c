// A library opened at run time that needs functions and variables of the program, a lazy file's too, and whose allocations are the program's;
// RTLD_NEXT in the program; RTLD_LOCAL libraries stay unseen.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=lazy.c --loaded=plugin.c --work=%t/objects --native=-rdynamic \
// RUN:     --native=-ldl | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int host_variable = 4, host_function(int);
int main(int argc, char **argv) {
  const char *path = argv[1];
  void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!plugin)
    return printf("%s\n", dlerror());
  int (*run)(int) = (int (*)(int))dlsym(plugin, "plugin_run");
  int (**table)(int) = (int (**)(int))dlsym(plugin, "plugin_table");
  printf("%d %d\n", run(3), host_variable);
  printf("%d %d\n", table[0] == host_function, table[1] == run);
  printf("%d %d\n", dlsym(RTLD_DEFAULT, "plugin_run") == 0, dlsym(plugin, "host_function") == 0);
  printf("%d\n", dlopen(path, RTLD_NOW | RTLD_NOLOAD) == plugin);
  return dlclose(plugin);
}
//--- lazy.c
extern int host_variable;
int host_function(int n) { return n * ++host_variable; }
//--- plugin.c
extern int host_variable, host_function(int);
static int constructed;
__attribute__((constructor)) static void construct(void) { constructed = host_function(2); }
int plugin_run(int n) { return host_function(n) * 1000 + host_variable * 100 + constructed; }
int (*plugin_table[])(int) = {host_function, plugin_run};
