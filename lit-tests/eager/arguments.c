// What main gets: argv[0] is the first input as given, -args and -- pass the rest on, envp is the environment.
//
// RUN: rm -rf %t && mkdir -p %t/sub && cd %t
// RUN: %clang -c %s -o sub/main.o
// RUN: env RJITLINK_TEST=there %rjitlink sub/main.o | FileCheck %s --check-prefixes=NONE,ENV
// RUN: env RJITLINK_TEST=there %rjitlink sub/main.o -args one -show-linked-files "two words" '' -lazy | FileCheck %s --check-prefixes=SOME,ENV
// RUN: env RJITLINK_TEST=there %rjitlink sub/main.o -- one -show-linked-files "two words" '' -lazy | FileCheck %s --check-prefixes=SOME,ENV
// RUN: env RJITLINK_TEST=there %rjitlink sub/main.o -args a -- b -- c | FileCheck %s --check-prefixes=DASHES,ENV
//
// NONE: argc 1
// NONE-NEXT: [sub/main.o]
// SOME: argc 6
// SOME-NEXT: [sub/main.o]
// SOME-NEXT: [one]
// SOME-NEXT: [-show-linked-files]
// SOME-NEXT: [two words]
// SOME-NEXT: []
// SOME-NEXT: [-lazy]
// DASHES: argc 5
// DASHES-NEXT: [sub/main.o]
// DASHES-NEXT: [a]
// DASHES-NEXT: [b]
// DASHES-NEXT: [--]
// DASHES-NEXT: [c]
// ENV: argv ends: 1
// ENV: envp RJITLINK_TEST=there
// ENV: envp is environ: 1

#include <stdio.h>
#include <string.h>

extern char **environ;

int main(int argc, char **argv, char **envp) {
  printf("argc %d\n", argc);
  for (int i = 0; i < argc; i++)
    printf("[%s]\n", argv[i]);
  printf("argv ends: %d\n", argv[argc] == 0);
  for (char **e = envp; *e; e++)
    if (strncmp(*e, "RJITLINK_TEST=", 14) == 0)
      printf("envp %s\n", *e);
  printf("envp is environ: %d\n", strcmp(envp[0], environ[0]) == 0);
}
