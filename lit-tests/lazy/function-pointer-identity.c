// A function has one address: in the file that defines it, in others, in tables, before and after its first call.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c foo.c && %clang -fPIC -c table.c
// RUN: %same main.o -lazy foo.o -lazy table.o | FileCheck %s
// RUN: %clang -fno-pie -c main.c -o main-nopie.o && %clang -fno-pie -c foo.c -o foo-nopie.o
// RUN: %same --native=-no-pie main-nopie.o -lazy foo-nopie.o -lazy table.o | FileCheck %s
// RUN: %same --native=-no-pie main-nopie.o -lazy foo.o -lazy table.o | FileCheck %s
//
// CHECK: before: 1
// CHECK-NEXT: own file: 1 1
// CHECK-NEXT: table: 1
// CHECK-NEXT: table from code: 1
// CHECK-NEXT: result 42 42
// CHECK-NEXT: after: 1
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
typedef int (*F)(void);
int foo(void);
F own_address(void), table_entry(int);
F own_in_data(void);
extern const F table[];
int main(void) {
  F first = foo;
  printf("before: %d\n", first == (F)foo);
  printf("own file: %d %d\n", first == own_address(), first == own_in_data());
  printf("table: %d\n", table[0] == first);
  printf("table from code: %d\n", table_entry(0) == first);
  printf("result %d %d\n", first(), foo());
  F again = foo;
  printf("after: %d\n", again == first && again == own_address() && again == table[0]);
}
//--- foo.c
typedef int (*F)(void);
int foo(void) { return 42; }
static const F in_data[] = {foo};
F own_address(void) { return foo; }
F own_in_data(void) { return *(const F volatile *)in_data; }
//--- table.c
typedef int (*F)(void);
int foo(void);
const F table[] = {foo};
F table_entry(int n) { return table[n]; }
