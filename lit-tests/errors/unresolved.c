// One error names every missing symbol and the file that refers to it; nothing is run. More than ten are counted.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -c two.c && %clang -c many.c
// RUN: not %rjitlink main.o two.o > out 2> err
// RUN: count 0 < out
// RUN: FileCheck %s < err
// RUN: not %rjitlink many.o 2>&1 | FileCheck %s --check-prefix=MANY
//
// CHECK: rjitlink: error: Symbols not found:
// CHECK-DAG: missing_function is referred to by main.o
// CHECK-DAG: missing_data is referred to by main.o
// CHECK-DAG: missing_from_two is referred to by two.o
// CHECK-NOT: more
// MANY: rjitlink: error: Symbols not found: [ {{.*}}, and 2 more ]
// MANY-COUNT-10: {{m[0-9]+}} is referred to by many.o
// MANY-NOT: {{.}}

//--- main.c
#include <stdio.h>
int missing_function(void), two(void);
extern int missing_data;
int main(void) {
  puts("ran");
  return missing_function() + missing_data + two();
}
//--- two.c
int missing_from_two(void);
int two(void) { return missing_from_two(); }
//--- many.c
#define M(n) int m##n(void);
M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#undef M
#define M(n) + m##n()
int main(void) { return 0 M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11); }
