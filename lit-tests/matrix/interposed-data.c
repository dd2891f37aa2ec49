// Variables that the program and a shared library both have: the program's counts, for the C library too (argp_program_version); the C library's own by all
// of their names (environ, timezone), written by the library and by the program (error_print_progname, opterr, signgam).
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --shared=lib.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <getopt.h>
extern int shared_variable, *address_in_library(void);
int *address_here(void);
static void progname(void) { fputs("own name", stderr); }
extern char **__environ, **_environ;
extern long __timezone;
int main(int argc, char **argv) {
  printf("%d %d\n", shared_variable, address_in_library() == address_here());
  setenv("TZ", "XYZ+3:30", 1);
  tzset();
  printf("%ld %ld %s %d %d\n", timezone, __timezone, tzname[0], environ == __environ, environ == _environ);
  error_print_progname = progname;
  dup2(1, 2);
  fflush(stdout);
  error(0, 0, "said %d", 5);
  printf("%u\n", error_message_count);
  char *args[] = {"prog", "-x", "word", 0};
  opterr = 0;
  int c = getopt(3, args, "y");
  printf("%d %c %d\n", c, optopt, optind);
  printf("%g %d\n", lgamma(-0.5), signgam);
  char *version[] = {"prog", "--version", 0};
  fflush(stdout);
  argp_parse(&(struct argp){0}, 2, version, 0, 0, 0);
}
//--- other.c
#include <argp.h>
const char *argp_program_version = "version 7";
int shared_variable = 12;
int *address_here(void) { return &shared_variable; }
//--- lib.c
int shared_variable = 3;
int *address_in_library(void) { return &shared_variable; }
