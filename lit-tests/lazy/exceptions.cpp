// Exceptions cross lazily linked frames; handlers and cleanups of them run. The first call is not on the stack when the body runs.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clangxx -O1 -c main.cpp && %clangxx -O1 -c middle.cpp && %clangxx -O1 -c thrower.cpp
// RUN: %same main.o -lazy middle.o -lazy thrower.o %{cxx-library} | FileCheck %s
// RUN: %same main.o middle.o thrower.o %{cxx-library} | FileCheck %s
//
// CHECK: cleanup
// CHECK-NEXT: caught 7
// CHECK-NEXT: cleanup
// CHECK-NEXT: caught 8
// CHECK-NEXT: status: 0

//--- main.cpp
#include <cstdio>
int middle(int);
int main() {
  for (int i = 7; i < 9; i++)
    try {
      middle(i);
    } catch (int n) {
      printf("caught %d\n", n);
    }
}
//--- middle.cpp
#include <cstdio>
int thrower(int);
struct Cleanup {
  ~Cleanup() { puts("cleanup"); }
};
int middle(int n) {
  Cleanup cleanup;
  return thrower(n) + 1;
}
//--- thrower.cpp
int thrower(int n) {
  if (n)
    throw n;
  return 0;
}
