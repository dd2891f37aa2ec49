// C++ with absolute 32-bit addresses: vtables, type information, streams and exceptions of libstdc++ are the program's and the
// library's in common.
//
// REQUIRES: gcc
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -fno-pie' '--flags=-O0|-O2' --source=main.cpp --source=other.cpp --work=clang -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s --check-prefix=MATRIX
// RUN: %matrix '--compiler=%gxx -fno-pie' '--flags=-O0|-O2' --source=main.cpp --source=other.cpp --work=gcc -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s --check-prefix=MATRIX
// MATRIX: 6 combinations, 0 differ
//
// RUN: %clangxx -O1 -fno-pie -c main.cpp && %clangxx -O1 -fno-pie -c other.cpp
// RUN: %clangxx -O1 -fPIC -c main.cpp -o main-pic.o && %gxx -O1 -fPIC -c other.cpp -o other-pic.o
// RUN: %same --native=-no-pie main.o other-pic.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
// RUN: %same --native=-no-pie main.o -lazy other-pic.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
// RUN: %same --native=-no-pie main-pic.o -lazy other.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
// RUN: %same --native=-no-pie -lazy main-pic.o -lazy other.o -preload=libstdc++.so.6 -preload=libgcc_s.so.1 | FileCheck %s
//
// CHECK: thrown by the program: std::runtime_error text
// CHECK-NEXT: as std::exception: derived 1
// CHECK-NEXT: thrown by the library: std::out_of_range 1
// CHECK-NEXT: bad_cast 1 bad_alloc 1
// CHECK-NEXT: types 1 1 1
// CHECK-NEXT: casts 1 0 1
// CHECK-NEXT: streams 1 1 1 1
// CHECK-NEXT: in one order: a b c d
// CHECK-NEXT: facet A 255 0xff
// CHECK-NEXT: status: 0

//--- main.cpp
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <locale>
#include <new>
#include <sstream>
#include <stdexcept>
#include <typeinfo>
void throw_runtime_error(const char *text), throw_derived(), throw_out_of_range(), throw_bad_cast(), throw_bad_alloc();
const std::type_info &error_type(), &stream_type();
std::ostream *cout_of_other();
std::ostream *new_stream();
void print(const char *text);

template <typename E> static bool catches(void (*f)()) {
  try {
    f();
  } catch (const E &) {
    return true;
  } catch (...) {
  }
  return false;
}

int main() {
  try {
    throw_runtime_error("text");
  } catch (const std::runtime_error &e) {
    std::cout << "thrown by the program: std::runtime_error " << e.what() << std::endl;
  }
  try {
    throw_derived();
  } catch (const std::exception &e) {
    std::cout << "as std::exception: " << e.what() << ' ' << (dynamic_cast<const std::logic_error *>(&e) != nullptr) << std::endl;
  }
  std::cout << "thrown by the library: std::out_of_range " << catches<std::out_of_range>(throw_out_of_range) << std::endl;
  std::cout << "bad_cast " << catches<std::bad_cast>(throw_bad_cast) << " bad_alloc " << catches<std::bad_alloc>(throw_bad_alloc) << std::endl;
  std::ostream *stream = new_stream();
  std::cout << "types " << (typeid(std::runtime_error) == error_type()) << ' ' << (&typeid(std::runtime_error) == &error_type()) << ' '
            << (typeid(*stream) == stream_type()) << std::endl;
  std::cout << "casts " << (dynamic_cast<std::ostringstream *>(stream) != nullptr) << ' ' << (dynamic_cast<std::istream *>(stream) != nullptr) << ' '
            << (dynamic_cast<std::ios *>(stream) != nullptr) << std::endl;
  std::cout << "streams " << (&std::cout == cout_of_other()) << ' ' << (std::cin.tie() == &std::cout) << ' ' << (std::cerr.tie() == &std::cout) << ' '
            << (std::cout.rdbuf() != nullptr) << std::endl;
  std::cout << "in one order: a";
  std::printf(" b");
  print(" c");
  std::cout << " d" << std::endl;
  std::cout << "facet " << std::use_facet<std::ctype<char>>(std::cout.getloc()).toupper('a') << ' ' << 255 << ' ' << std::showbase << std::hex << 255 << std::endl;
  std::cout.iword(std::ios_base::xalloc()) = 1;
  delete stream;
}
//--- other.cpp
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>
struct Derived : std::logic_error {
  Derived() : std::logic_error("none") {}
  const char *what() const noexcept override { return "derived"; }
};
void throw_runtime_error(const char *text) { throw std::runtime_error(text); }
void throw_derived() { throw Derived(); }
void throw_out_of_range() { (void)std::vector<int>(1).at(std::string("ten").size()); }
void throw_bad_cast() { (void)dynamic_cast<std::ofstream &>(static_cast<std::ostream &>(std::cout)); }
void throw_bad_alloc() {
  volatile std::size_t size = ~std::size_t(0) / 4;
  static void *volatile keep;
  keep = operator new(size);
}
const std::type_info &error_type() { return typeid(std::runtime_error); }
const std::type_info &stream_type() { return typeid(std::ostringstream); }
std::ostream *cout_of_other() { return &std::cout; }
std::ostream *new_stream() { return new std::ostringstream("text"); }
void print(const char *text) { std::cout << text; }
