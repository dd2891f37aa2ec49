// A lazy call that cannot be answered says why on stderr and aborts; a program may replace what happens then.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c foo.c && %clang -c override.c
// RUN: not --crash %rjitlink main.o -lazy foo.o > out 2> err
// RUN: FileCheck %s --check-prefix=OUT < out
// RUN: FileCheck %s --check-prefix=ERR < err
// RUN: not %rjitlink main.o override.o -lazy foo.o | FileCheck %s --check-prefix=OVERRIDE
//
// OUT: before
// OUT-NOT: after
// ERR: error resolving implementation for stub 0x{{[0-9a-f]+}}:
// ERR: missing
// OVERRIDE: before
// OVERRIDE-NEXT: resolve failed, stub given: 1, message names it: 1

//--- main.c
#include <stdio.h>
int foo(void);
int main(void) {
  puts("before");
  fflush(stdout);
  foo();
  puts("after");
}
//--- foo.c
int missing(void);
int foo(void) { return missing(); }
//--- override.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void __orc_rt_resolve_failed(void *stub, const char *message) {
  printf("resolve failed, stub given: %d, message names it: %d\n", stub != 0, strstr(message, "missing") != 0);
  exit(3);
}
