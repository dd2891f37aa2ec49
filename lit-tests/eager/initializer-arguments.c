// Initializers get argc, argv and envp, as glibc passes them.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o
// RUN: %same main.o -args one two | FileCheck %s
//
// CHECK: 3 two 1
// CHECK-NEXT: main
// CHECK-NEXT: status: 0

#include <stdio.h>

__attribute__((constructor)) static void initializer(int argc, char **argv, char **envp) {
  printf("%d %s %d\n", argc, argv[2], envp[0] != 0);
}

int main(void) { puts("main"); }
