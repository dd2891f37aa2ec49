// No memory of the process is writable and executable at once; constants and code are read-only, data is not executable.
// Not under qemu: its /proc/self/maps shows neighbouring mappings of one file as one, with the first one's protection.
//
// UNSUPPORTED: emulated
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: %rjitlink main.o -lazy foo.o | FileCheck %s
//
// CHECK: main r-x data rw- constant r--
// CHECK-NEXT: in foo
// CHECK-NEXT: writable and executable: 0

#include <stdio.h>
#include <string.h>
int foo(void);
static int data = 1;
static const int constant = 2;
static int count_bad(const void *place, char *found) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[500], protection[5];
  unsigned long start, end;
  int bad = 0;
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %4s", &start, &end, protection) == 3) {
      bad += protection[1] == 'w' && protection[2] == 'x';
      if (found && start <= (unsigned long)place && (unsigned long)place < end)
        memcpy(found, protection, 3);
    }
  fclose(maps);
  return bad;
}
int main(void) {
  char a[4] = "", b[4] = "", c[4] = "";
  int bad = count_bad(main, a) + count_bad(&data, b) + count_bad(&constant, c);
  printf("main %s data %s constant %s\n", a, b, c);
  fflush(stdout);
  foo();
  printf("writable and executable: %d\n", bad + count_bad(0, 0));
}
