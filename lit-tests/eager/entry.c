// `-entry` names another function to call; one that no input defines is an error, even if the process has it.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -Dmain=unused -c %s -o nomain.o
// RUN: not %rjitlink -entry=%{_}other main.o -args x | FileCheck %s
// RUN: not %rjitlink -entry %{_}other main.o -args x | FileCheck %s
// RUN: not %rjitlink -entry=%{_}printf main.o 2>&1 | FileCheck %s --check-prefix=PRINTF
// RUN: not %rjitlink nomain.o 2>&1 | FileCheck %s --check-prefix=NOMAIN
//
// CHECK: other main.o x
// PRINTF: rjitlink: error: Symbols not found: [ {{_?}}printf ]
// NOMAIN: rjitlink: error: Symbols not found: [ {{_?}}main ]

#include <stdio.h>

int other(int argc, char **argv) {
  printf("other %s %s\n", argv[0], argv[1]);
  return 3;
}

int main(void) { return 0; }
