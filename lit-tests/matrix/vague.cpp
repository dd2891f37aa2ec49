// Vague linkage: one of each inline function, inline variable, static local, template, virtual table and type description, in files of the program, in
// an archive and in a shared library; exceptions and casts over the border of the library; weak and strong definitions; addresses compare equal.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -std=c++17' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.cpp --source=other.cpp --archived=member.cpp \
// RUN:     --shared=library.cpp --work=%t/objects -lstdc++ | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- all.h
#include <cstdio>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>
inline int counter = 1;
inline int *static_local() {
  static int local = 5;
  return &local;
}
template <class T> struct Counted {
  static int instances;
  virtual ~Counted() {}
  virtual T get() { return T(instances); }
};
template <class T> int Counted<T>::instances = 3;
struct Shape {
  virtual ~Shape();
  virtual int corners() const { return 0; }
};
struct Square : Shape {
  int corners() const override { return 4; }
};
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
  int code = 7;
};
inline int weak_or_strong() { return 1; }
using Function = int *();
Function *address_in_other(), *address_in_member(), *address_in_library();
const std::type_info &type_in_other(), &type_in_library();
Shape *make_in_library(bool square), *make_in_member();
void throw_in_library(int), calls_back(void (*)(int));
int corners_in_library(const Shape &), counter_in_library(), instances_in_library();
std::vector<std::string> &list_of_library();
//--- main.cpp
#include "all.h"
int main() {
  std::printf("%d%d%d\n", address_in_other() == static_local, address_in_member() == static_local, address_in_library() == static_local);
  ++*static_local();
  ++*address_in_other()();
  ++*address_in_member()();
  ++*address_in_library()();
  counter += 10;
  Counted<int>::instances++;
  std::printf("%d %d %d %d\n", *static_local(), counter_in_library(), counter, instances_in_library());
  std::printf("%d%d\n", typeid(Square) == type_in_other(), typeid(Square) == type_in_library());
  Shape *shape = make_in_library(true), *plain = make_in_library(false), *member = make_in_member();
  std::printf("%d%d%d %d %d\n", dynamic_cast<Square *>(shape) != nullptr, dynamic_cast<Square *>(plain) != nullptr, dynamic_cast<Square *>(member) != nullptr,
              corners_in_library(Square()), shape->corners());
  for (int i = 0; i < 4; i++)
    try {
      throw_in_library(i);
    } catch (const Error &error) {
      std::printf("Error %s %d\n", error.what(), error.code);
    } catch (const std::exception &error) {
      std::printf("exception %s\n", error.what());
    } catch (Square &square) {
      std::printf("square %d\n", square.corners());
    } catch (int n) {
      std::printf("int %d\n", n);
    }
  try {
    calls_back([](int n) { throw Error("called back " + std::to_string(n)); });
  } catch (std::runtime_error &error) {
    std::puts(error.what());
  }
  list_of_library().push_back("another, longer than what fits inside of a string object");
  std::printf("%zu %s\n", list_of_library().size(), list_of_library()[1].c_str());
  Counted<long> counted;
  std::printf("%ld\n", counted.get());
  delete shape, delete plain, delete member;
}
//--- other.cpp
#include "all.h"
Shape::~Shape() { std::puts("~Shape"); }
Function *address_in_other() { return static_local; }
const std::type_info &type_in_other() { return typeid(Square); }
//--- member.cpp
#include "all.h"
Function *address_in_member() { return static_local; }
Shape *make_in_member() { return new Square; }
//--- library.cpp
#include "all.h"
Shape::~Shape() { std::puts("~Shape of the library"); }
Function *address_in_library() { return static_local; }
const std::type_info &type_in_library() { return typeid(Square); }
Shape *make_in_library(bool square) { return square ? new Square : new Shape; }
void throw_in_library(int n) {
  switch (n) {
  case 0: throw Error("thrown");
  case 1: throw std::logic_error("logic");
  case 2: throw Square();
  default: throw n;
  }
}
void calls_back(void (*function)(int)) {
  try {
    function(8);
  } catch (const Error &) {
    std::puts("passing by");
    throw;
  }
}
int corners_in_library(const Shape &shape) { return shape.corners(); }
int counter_in_library() { return counter++; }
int instances_in_library() { return ++Counted<int>::instances; }
std::vector<std::string> &list_of_library() { static std::vector<std::string> list{"one"}; return list; }
