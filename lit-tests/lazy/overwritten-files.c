// Files that change while a lazy program runs. Another file in the place of one is what compilers make, and changes nothing. A file that is written over or cut short
// is an error that says so when something of it is to be linked: garbage is not run.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -c main.c && %clang -O1 -ffunction-sections -c large.c
// RUN: cp large.o replaced.o && %rjitlink main.o -lazy replaced.o --args replace replaced.o | FileCheck %s --check-prefix=REPLACED
// RUN: cp large.o over.o && not --crash %rjitlink main.o -lazy over.o --args overwrite over.o 2>&1 | FileCheck %s --check-prefix=OVER
// RUN: cp large.o touched.o && not --crash %rjitlink main.o -lazy touched.o --args touch touched.o 2>&1 | FileCheck %s --check-prefix=TOUCHED
// RUN: cp large.o short.o && not --crash %rjitlink main.o -lazy short.o --args shorten short.o 2>&1 | FileCheck %s --check-prefix=SHORT
//
// REPLACED: first 1
// REPLACED-NEXT: last 2
// OVER: first 1
// OVER: error resolving implementation for stub {{.*}}: '{{.*}}over.o' was overwritten while the program runs, so what of it is not linked yet cannot be linked any more; start the program again
// OVER-NOT: last
// TOUCHED: {{.*}}touched.o' was overwritten while the program runs
// SHORT: first 1
// SHORT: {{.*}}short.o' was there, and was cut short while the program runs

//--- main.c
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int first(void), last(void);
int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  printf("first %d\n", first());
  usleep(20000);
  if (!strcmp(argv[1], "replace"))
    unlink(argv[2]);
  int keeps_its_size = !strcmp(argv[1], "overwrite") || !strcmp(argv[1], "touch");
  FILE *file = fopen(argv[2], keeps_its_size ? "r+" : "w");
  if (!strcmp(argv[1], "overwrite"))
    for (int n = 0; n < 200000; n++)
      fputc(0xcc, file);
  if (!strcmp(argv[1], "touch"))
    fputc(0x7f, file);
  fclose(file);
  printf("last %d\n", last());
}
//--- large.c
// Pages are between the functions, so that the last one is not in memory with the first.
int first(void) { return 1; }
void gap(void) { __asm__(".skip 200000"); }
int last(void) { return 2; }
