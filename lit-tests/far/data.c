// More data than 32-bit distances reach: it lies elsewhere if all code that refers to it can.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -O1 -fPIC -c %s -o main.o && %clang -O1 -fPIC -DONE -c %s -o one.o && %clang -O1 -fPIC -DTWO -c %s -o two.o
// RUN: %rjitlink main.o one.o two.o | FileCheck %s
// RUN: %rjitlink main.o -lazy one.o -lazy two.o | FileCheck %s
// RUN: %rjitlink -lazy-granularity=object -lazy main.o -lazy one.o -lazy two.o | FileCheck %s
// RUN: %rjitlink -noexec main.o one.o two.o
//
// RUN: %clang -O1 -fPIE -DTWO -c %s -o two.o
// RUN: %rjitlink main.o one.o two.o | FileCheck %s
// RUN: %clang -O1 -fPIE -DONE -c %s -o one.o
// RUN: not %rjitlink main.o one.o two.o 2>&1 | FileCheck %s --check-prefix=ERROR
//
// CHECK: same 1 1
// CHECK-NEXT: one 5 2000000000 1
// CHECK-NEXT: two 5 1400000000 2
// CHECK-NEXT: small 7 1
// ERROR: error: cannot allocate 0x{{[0-9a-f]+}} bytes: 0x{{[0-9a-f]+}} bytes are left in the 0x{{[0-9a-f]+}} bytes reserved at 0x{{[0-9a-f]+}} for linked memory; large variables can lie elsewhere if the code that refers to them is compiled with -fPIC or -mcmodel=medium

#define SIZE1 2000000001l
#define SIZE2 1400000001l
#if defined ONE
char one[SIZE1];
char *const pointers[2] = {one, one + SIZE1};
char *address_of_one(void) { return one; }
#elif defined TWO
char two[SIZE2];
static int small = 7;
char *address_of_two(void) { return two; }
int *address_of_small(void) { return &small; }
#else
#include <stdio.h>
extern char one[SIZE1], two[SIZE2];
extern char *const pointers[2];
char *address_of_one(void), *address_of_two(void);
int *address_of_small(void);

int main(void) {
  one[5] = 5, one[SIZE1 - 1] = 1;
  two[5] = 5, two[SIZE2 - 1] = 2;
  printf("same %d %d\n", address_of_one() == one, address_of_two() == two);
  printf("one %d %ld %d\n", pointers[0][5], (long)(pointers[1] - pointers[0] - 1), pointers[1][-1]);
  printf("two %d %ld %d\n", address_of_two()[5], SIZE2 - 1, two[SIZE2 - 1]);
  printf("small %d %d\n", *address_of_small(), one[5] + two[5] == 10);
  return 0;
}
#endif
