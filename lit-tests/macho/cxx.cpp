// C++ without Apple's library: virtual functions, templates and inline variables that several files have, exceptions of several types
// through lazy frames. What the C++ library brings is this system's.
//
// REQUIRES: linux
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwinxx -std=c++17 -O1 -c main.cpp && %darwinxx -std=c++17 -O0 -c shapes.cpp && %darwinxx -std=c++17 -O2 -c thrower.cpp
// RUN: %lazily main.o shapes.o thrower.o %{cxx-library} | FileCheck %s
// RUN: %lazily main.o -lazy shapes.o -lazy thrower.o %{cxx-library} | FileCheck %s
// RUN: %lazily -lazy-granularity=object -lazy main.o -lazy shapes.o -lazy thrower.o %{cxx-library} | FileCheck %s
//
// CHECK: square 9
// CHECK-NEXT: circle 12
// CHECK-NEXT: one counter: 1, one function: 1
// CHECK-NEXT: cleanup
// CHECK-NEXT: int 5
// CHECK-NEXT: cleanup
// CHECK-NEXT: text seven
// CHECK-NEXT: cleanup
// CHECK-NEXT: problem 9
// CHECK-NEXT: dynamic_cast 1 0
// CHECK-NEXT: status: 0

//--- shapes.h
extern "C" int printf(const char *, ...);
struct Shape {
  virtual ~Shape() {}
  virtual const char *name() const = 0;
  virtual int area() const = 0;
};
struct Square : Shape {
  int side = 3;
  const char *name() const override;
  int area() const override;
};
struct Problem {
  virtual ~Problem() {}
  int number;
};
Shape *circle();
void throws(int);
inline int counter = 0;
template <typename T> T twice(T value) { return counter++, value + value; }
int *counter_elsewhere();
int (*twice_elsewhere())(int);
//--- main.cpp
#include "shapes.h"
struct Cleanup {
  ~Cleanup() { printf("cleanup\n"); }
};
static void attempt(int n) {
  try {
    Cleanup cleanup;
    throws(n);
  } catch (int n) {
    printf("int %d\n", n);
  } catch (const char *text) {
    printf("text %s\n", text);
  } catch (const Problem &problem) {
    printf("problem %d\n", problem.number);
  }
}
int main() {
  Square square;
  Shape *shapes[] = {&square, circle()};
  for (Shape *shape : shapes)
    printf("%s %d\n", shape->name(), shape->area());
  printf("one counter: %d, one function: %d\n", counter_elsewhere() == &counter, twice_elsewhere() == twice<int>);
  for (int n = 5; n <= 9; n += 2)
    attempt(n);
  printf("dynamic_cast %d %d\n", dynamic_cast<Square *>(shapes[0]) != nullptr, dynamic_cast<Square *>(shapes[1]) != nullptr);
}
//--- shapes.cpp
#include "shapes.h"
const char *Square::name() const { return "square"; }
int Square::area() const { return side * side; }
struct Circle : Shape {
  const char *name() const override { return "circle"; }
  int area() const override { return twice(6); }
};
Shape *circle() {
  static Circle circle;
  return &circle;
}
int *counter_elsewhere() { return &counter; }
int (*twice_elsewhere())(int) { return twice<int>; }
//--- thrower.cpp
#include "shapes.h"
void throws(int n) {
  if (n == 5)
    throw n;
  if (n == 7)
    throw "seven";
  Problem problem;
  problem.number = n;
  throw problem;
}
