// Data and functions of shared libraries: streams, environ, optarg; a library's own variables, arrays and constants, seen at one address by
// the program, by its lazy files and by the library; tables that hold addresses of library functions; strings compared through function pointers.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --shared=library.c --work=%t/objects '--arguments=-a one -b two' \
// RUN:     -lm | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern int library_variable, library_array[100];
extern const char *const library_constant;
int library_function(int), library_sum(void);
int (*library_own_address(void))(int);
int *library_address(void), *other_address(void);
int (*other_function(void))(int);
static double (*const functions[])(double) = {sin, cos, sqrt, floor};
static size_t (*const lengths[])(const char *) = {strlen};
static FILE **const stream = &stdout;
int main(int argc, char **argv, char **envp) {
  int letter;
  while ((letter = getopt(argc, argv, "a:b:")) != -1)
    fprintf(*stream, "-%c %s %d\n", letter, optarg, optind);
  printf("%d %d %d\n", environ == envp, getenv("LANG") != 0, program_invocation_name == argv[0]);
  library_variable += 5, library_array[99] += 7;
  printf("%d %d%d %d%d %s\n", library_sum(), library_address() == &library_variable, other_address() == &library_variable,
         library_own_address() == library_function, other_function() == library_function, library_constant);
  for (int i = 0; i < 4; i++)
    printf("%g ", functions[i](2.25));
  printf("%zu\n", lengths[0](argv[2]));
  clearerr(stdin), fflush(stderr);
  setenv("NEW", "value", 1);
  printf("%s %d\n", getenv("NEW"), environ != 0);
  opterr = 0;
  return library_function(3);
}
//--- other.c
extern int library_variable;
int library_function(int);
int *other_address(void) { return &library_variable; }
int (*other_function(void))(int) { return library_function; }
//--- library.c
int library_variable = 20, library_array[100] = {1, 2, 3};
const char *const library_constant = "constant";
int library_function(int n) { return n * 2; }
int library_sum(void) { return library_variable + library_array[0] + library_array[99]; }
int *library_address(void) { return &library_variable; }
int (*library_own_address(void))(int) { return library_function; }
