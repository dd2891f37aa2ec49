// The program looks at itself through the loader, as one linked with -rdynamic can: dlopen(NULL) and dlsym find its functions and variables, those of
// lazy files too; dladdr names them; dl_iterate_phdr covers its code and data; libraries opened at run time use its symbols.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=lazy.c --shared=library.c --work=%t/objects --native=-rdynamic --native=-ldl | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
int variable = 5;
int lazy_function(int), other_lazy(int);
extern int lazy_variable;
int library_finds(const char *name), library_names(void *address, const char *name);
static int hidden(int n) { return n + 1; }
static void *wanted;
static int first = 1;
static int look(struct dl_phdr_info *info, size_t size, void *found) {
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD && (char *)wanted - (char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) >= 0 &&
        (char *)wanted - (char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) < (long)info->dlpi_phdr[i].p_memsz)
      *(int *)found = first + 10 * (info->dlpi_name[0] == 0);
  first = 0;
  return 0;
}
static int in_first(void *address) {
  int found = 0;
  wanted = address, first = 1;
  dl_iterate_phdr(look, &found);
  return found;
}
static void name(const char *what, void *address, const char *argv0) {
  Dl_info info;
  int found = dladdr(address, &info);
  printf("%s: %d %s %d %d\n", what, found, found && info.dli_sname ? info.dli_sname : "(no name)", found && !strcmp(info.dli_fname, argv0),
         found && info.dli_saddr == address);
}
int main(int argc, char **argv) {
  void *self = dlopen(0, RTLD_NOW);
  int (*function)(int) = (int (*)(int))dlsym(self, "lazy_function");
  printf("%d %d\n", function == lazy_function, function ? function(3) : -1);
  printf("%d %d\n", dlsym(RTLD_DEFAULT, "variable") == &variable, dlsym(self, "lazy_variable") == &lazy_variable);
  printf("%d %d\n", dlsym(RTLD_DEFAULT, "main") == (void *)main, dlsym(RTLD_DEFAULT, "hidden") == 0);
  printf("%d %d\n", dlsym(self, "printf") != 0, dlsym(self, "there_is_no_such_function") == 0);
  printf("%s\n", strstr(dlerror(), "undefined symbol: there_is_no_such_function") ? "undefined symbol" : "something else");
  name("main", (void *)main, argv[0]);
  name("lazy", (void *)lazy_function, argv[0]);
  name("not called yet", (void *)other_lazy, argv[0]);
  name("variable", &variable, argv[0]);
  name("inside", (char *)&lazy_variable + 1, argv[0]);
  name("static", (void *)hidden, argv[0]);
  name("stack", &self, argv[0]);
  printf("%d %d %d %d\n", in_first((void *)main), in_first((void *)other_lazy), in_first(&lazy_variable), in_first((void *)&self));
  printf("%d %d %d\n", library_finds("lazy_function"), library_finds("variable"), library_finds("nothing_of_that_name"));
  printf("%d %d\n", library_names((void *)main, "main"), library_names((void *)lazy_function, "lazy_function"));
  printf("%d %d\n", other_lazy(2), hidden(4));
  return dlclose(self);
}
//--- lazy.c
int lazy_variable = 9;
int lazy_function(int n) { return n * lazy_variable; }
int other_lazy(int n) { return n + 50; }
//--- library.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
int library_finds(const char *name) { return dlsym(RTLD_DEFAULT, name) != 0; }
int library_names(void *address, const char *name) {
  Dl_info info;
  return dladdr(address, &info) && info.dli_sname && !strcmp(info.dli_sname, name);
}
