// Inline functions, templates, inline variables and virtual tables of two files are one: same address, one static local, one type.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -c main.cpp && %clangxx -c other.cpp
// RUN: %same main.o other.o -preload=libstdc++.so.6 | FileCheck %s
// RUN: %same main.o -lazy other.o -preload=libstdc++.so.6 | FileCheck %s
// RUN: %same -lazy main.o -lazy other.o -preload=libstdc++.so.6 | FileCheck %s
//
// CHECK: 1 2 3
// CHECK-NEXT: same address 1 same type 1 same variable 1 same template 1
// CHECK-NEXT: virtual 9
// CHECK-NEXT: status: 0

//--- shared.h
#include <typeinfo>
inline int next() {
  static int n;
  return ++n;
}
inline int variable = 4;
template <class T> T *one() {
  static T value;
  return &value;
}
struct Base {
  virtual int get() { return 1; }
  virtual ~Base() {}
};
struct Derived : Base {
  int get() override { return 9; }
};
int other_next();
int (*other_address())();
int *other_variable();
double *other_one();
const std::type_info &other_type();
Base *make();
//--- main.cpp
#include "shared.h"
#include <cstdio>
int main() {
  int a = next(), b = other_next(), c = next();
  printf("%d %d %d\n", a, b, c);
  printf("same address %d same type %d same variable %d same template %d\n", other_address() == next, other_type() == typeid(Derived),
         other_variable() == &variable, other_one() == one<double>());
  Base *object = make();
  printf("virtual %d\n", object->get());
  delete object;
}
//--- other.cpp
#include "shared.h"
int other_next() { return next(); }
int (*other_address())() { return next; }
int *other_variable() { return &variable; }
double *other_one() { return one<double>(); }
const std::type_info &other_type() { return typeid(Derived); }
Base *make() { return new Derived; }
