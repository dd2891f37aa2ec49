// The C++ library and the mathematics library need not be named.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t && %clangxx -O1 -fPIC -c %s -o main.o
// RUN: %same main.o | FileCheck %s
// RUN: %rjitlink -lazy main.o | FileCheck %s --check-prefix=OUT
//
// CHECK: caught 7, 2
// OUT: caught 7, 2

#include <cmath>
#include <iostream>
#include <stdexcept>
#include <string>
int main(int argc, char **) {
  try {
    throw std::runtime_error(std::to_string(6 + argc));
  } catch (std::exception &error) {
    std::cout << "caught " << error.what() << ", " << std::cbrt(7.0 + argc) << std::endl;
  }
}
