// First calls made by constructors, by initializers of static locals inside other first calls, and by destructors.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -c main.cpp && %clangxx -c ctor.cpp && %clangxx -c leaf.cpp && %clangxx -c local.cpp
// RUN: %same main.o -lazy ctor.o -lazy leaf.o -lazy local.o %{cxx-library} | FileCheck %s
//
// CHECK: leaf 1
// CHECK-NEXT: leaf 2
// CHECK-NEXT: main sees 3
// CHECK-NEXT: leaf 10
// CHECK-NEXT: local 11
// CHECK-NEXT: local 11
// CHECK-NEXT: leaf 20
// CHECK-NEXT: status: 0

//--- main.cpp
#include <cstdio>
extern int from_constructor;
int local();
int main() {
  printf("main sees %d\n", from_constructor);
  printf("local %d\n", local());
  printf("local %d\n", local());
}
//--- ctor.cpp
int leaf(int);
struct Guard {
  int n;
  Guard(int n) : n(n) { leaf(n); }
  ~Guard() { leaf(n * 10); }
};
int from_constructor = leaf(1) + 1;
static Guard guard(2);
int uncalled(int n) { return leaf(n); }
//--- leaf.cpp
#include <cstdio>
int leaf(int n) {
  printf("leaf %d\n", n);
  return n + 1;
}
//--- local.cpp
int leaf(int);
int local() {
  static int value = leaf(10);
  return value;
}
