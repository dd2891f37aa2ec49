// Code with absolute 32-bit addresses uses libc's data and functions by address. There is one address for each, for position-
// independent files of the program and for libc too: what one changes the other sees.
//
// REQUIRES: gcc
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang -fno-pie' '--flags=-O0|-O2' '--flags= |-ffunction-sections -fdata-sections' --source=main.c --source=other.c --work=clang | FileCheck %s --check-prefix=MATRIX
// RUN: %matrix '--compiler=%gcc -fno-pie' '--flags=-O0|-O2' '--flags= |-fno-plt' --source=main.c --source=other.c --work=gcc | FileCheck %s --check-prefix=MATRIX
// MATRIX: 12 combinations, 0 differ
//
// One of the two files is position-independent, in either place, linked first or last.
// RUN: %clang -O1 -fno-pie -c main.c && %clang -O1 -fno-pie -c other.c
// RUN: %clang -O1 -fPIC -c main.c -o main-pic.o && %gcc -O1 -fPIC -c other.c -o other-pic.o
// RUN: %same --native=-no-pie main.o other-pic.o | FileCheck %s
// RUN: %same --native=-no-pie main.o -lazy other-pic.o | FileCheck %s
// RUN: %same --native=-no-pie main-pic.o other.o | FileCheck %s
// RUN: %same --native=-no-pie main-pic.o -lazy other.o | FileCheck %s
// RUN: %same --native=-no-pie main-pic.o -lazy -lazy-granularity=object other.o | FileCheck %s
// RUN: %same --native=-no-pie -lazy main-pic.o -lazy other.o | FileCheck %s
//
// CHECK: functions 1 1 1 1 dlsym 1
// CHECK-NEXT: data 1 1 1 1
// CHECK-NEXT: sorted a b c
// CHECK-NEXT: errno 2
// CHECK-NEXT: getenv set by the program: one
// CHECK-NEXT: environ set by libc: 1
// CHECK-NEXT: environ set by the program: two (null)
// CHECK-NEXT: option a (null), option b value, at 4
// CHECK-NEXT: again: option b value, at 4
// CHECK-NEXT: captured: to stdout/by puts/to stderr/
// CHECK-NEXT: status: 0

//--- main.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef int (*Compare)(const char *, const char *);
typedef int (*Puts)(const char *);
extern char **__environ;
extern Puts puts_of_other(void), puts_in_other(void);
extern Compare compare_of_other(void);
extern FILE **stdout_of_other(void);
extern char ***environ_of_other(void), **const *environ_in_other(void);
extern const char *captured_by_other(void);
extern int index_of_other(void);
static const Compare compare_in_data = strcmp;
static char **const *const environ_in_data = &environ;

static int by_pointer(const void *a, const void *b) { return compare_of_other()(*(char *const *)a, *(char *const *)b); }

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  Puts own = puts;
  printf("functions %d %d %d %d dlsym %d\n", own == puts_of_other(), own == puts_in_other(), compare_in_data == compare_of_other(), compare_in_data("x", "x") == 0,
         (void *)own == dlsym(RTLD_DEFAULT, "puts"));
  char ***volatile alias = &__environ;
  printf("data %d %d %d %d\n", &stdout == stdout_of_other(), &environ == environ_of_other(), environ_in_data == environ_in_other(), &environ == alias);
  const char *words[] = {"c", "a", "b"};
  qsort(words, 3, sizeof *words, by_pointer);
  printf("sorted %s %s %s\n", words[0], words[1], words[2]);
  access("/nonexistent", F_OK);
  printf("errno %d\n", errno);
  setenv("RJITLINK_TEST", "one", 1);
  printf("getenv set by the program: %s\n", getenv("RJITLINK_TEST"));
  int seen = 0;
  for (char **e = environ; *e; e++)
    seen += strcmp(*e, "RJITLINK_TEST=one") == 0;
  printf("environ set by libc: %d\n", seen);
  char *mine[] = {"RJITLINK_OTHER=two", 0};
  char **before = environ;
  environ = mine;
  printf("environ set by the program: %s %s\n", getenv("RJITLINK_OTHER"), getenv("RJITLINK_TEST") ? "still there" : "(null)");
  environ = before;
  char *arguments[] = {"name", "-a", "-b", "value", "rest", 0};
  printf("option %c %s", getopt(5, arguments, "ab:"), optarg ? optarg : "(null)");
  int option = getopt(5, arguments, "ab:");
  printf(", option %c %s, at %d\n", option, optarg, index_of_other());
  optind = 2;
  option = getopt(5, arguments, "ab:");
  printf("again: option %c %s, at %d\n", option, optarg, optind);
  printf("captured: %s\n", captured_by_other());
}
//--- other.c
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef int (*Compare)(const char *, const char *);
typedef int (*Puts)(const char *);
static const Puts in_data = puts;
static char **const *const environ_in_data = &environ;
Puts puts_of_other(void) { return puts; }
Puts puts_in_other(void) { return *(const Puts volatile *)&in_data; }
Compare compare_of_other(void) { return strcmp; }
FILE **stdout_of_other(void) { return &stdout; }
char ***environ_of_other(void) { return &environ; }
char **const *environ_in_other(void) { return environ_in_data; }
int index_of_other(void) { return optind; }

// libc writes where the program's variables say.
const char *captured_by_other(void) {
  char *text = 0;
  size_t size = 0;
  FILE *memory = open_memstream(&text, &size), *out = stdout, *err = stderr;
  stdout = stderr = memory;
  printf("to stdout/");
  puts("by puts/");
  fprintf(stderr, "to stderr/");
  stdout = out;
  stderr = err;
  fclose(memory);
  for (char *newline; (newline = strchr(text, '\n'));)
    memmove(newline, newline + 1, strlen(newline));
  return text;
}
