// Around argv is what the kernel puts there: the number of arguments, the environment, the auxiliary vector. Runtimes without the C
// library read it, from main or from an initializer.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir %t && cd %t && %clang -O1 -fPIC -c %s -o main.o
// RUN: env SOME_VARIABLE=here %same main.o -- one two | FileCheck %s
//
// CHECK: initializer: 3 arguments, last two, variable here, page 1, random 1, end 1
// CHECK-NEXT: main: 3 arguments, last two, variable here, page 1, random 1, end 1
// CHECK-NEXT: status: 0

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static void look(const char *who, char **argv) {
  long count = ((long *)argv)[-1];
  char **environment = argv + count + 1, *value = "missing";
  for (; *environment; environment++)
    if (!strncmp(*environment, "SOME_VARIABLE=", 14)) value = *environment + 14;
  Elf64_auxv_t *entry = (Elf64_auxv_t *)(environment + 1);
  unsigned long page = 0, random = 0;
  int kinds = 0;
  for (; entry->a_type != AT_NULL && kinds < 100; entry++, kinds++) {
    if (entry->a_type == AT_PAGESZ) page = entry->a_un.a_val;
    if (entry->a_type == AT_RANDOM) random = entry->a_un.a_val;
  }
  printf("%s: %ld arguments, last %s, variable %s, page %d, random %d, end %d\n", who, count, argv[count - 1], value,
         page == (unsigned long)sysconf(_SC_PAGESIZE), random == getauxval(AT_RANDOM), kinds > 5 && kinds < 100);
}
__attribute__((constructor)) static void initialize(int argc, char **argv) { look("initializer", argv); }
int main(int argc, char **argv) { look("main", argv); }
