// A function of the compiler's that only its static helper archive has; also where the compiler's libraries are named, as on the command line
// of a static link.
//
// REQUIRES: elf
// RUN: %clangxx -x c++ -O1 -c %s -o %t.o
// RUN: %same %t.o -lstdc++ | FileCheck %s
// RUN: %same -lazy %t.o -lstdc++ | FileCheck %s
// RUN: %same %t.o -lstdc++ -lm -lgcc -lgcc_eh -lgcc_s -lc | FileCheck %s
//
// CHECK: equal 1, different 1
// CHECK: caught 7
// CHECK: status: 7

#include <stdio.h>

extern "C" int __gcc_bcmp(const void *, const void *, unsigned long);

int main() {
  printf("equal %d, different %d\n", !__gcc_bcmp("one", "one", 3), !!__gcc_bcmp("one", "two", 3));
  try {
    throw 7;
  } catch (int number) {
    printf("caught %d\n", number);
    return number;
  }
}
