// Exceptions pass through all files, in whatever order those are linked, referred to and laid out: unwind records end behind the last of them.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -O0 -fPIC -c main.cpp -o main.o && %clangxx -O0 -fPIC -c first.cpp -o first.o && %clangxx -O0 -fPIC -c second.cpp -o second.o
// RUN: %clangxx -O0 -fPIC -c third.cpp -o third.o
// RUN: %same main.o first.o second.o third.o -lstdc++ | FileCheck %s
// RUN: %same main.o third.o second.o first.o -lstdc++ | FileCheck %s
// RUN: %same second.o main.o third.o first.o -lstdc++ | FileCheck %s
// RUN: %same main.o -lazy first.o -lazy second.o -lazy third.o -lstdc++ | FileCheck %s
// RUN: %same -lazy-granularity=object main.o -lazy third.o -lazy first.o -lazy second.o -lstdc++ | FileCheck %s
//
// CHECK: caught 7
// CHECK-NEXT: caught 8
// CHECK-NEXT: caught 9
// CHECK-NEXT: status: 0

//--- main.cpp
#include <cstdio>
void third(int);
int main() {
  for (int number = 7; number < 10; number++)
    try {
      third(number);
    } catch (int caught) {
      std::printf("caught %d\n", caught);
    }
}
//--- first.cpp
void first(int number) { throw number; }
//--- second.cpp
void first(int);
void second(int number) { first(number); }
//--- third.cpp
void second(int);
void third(int number) { second(number); }
