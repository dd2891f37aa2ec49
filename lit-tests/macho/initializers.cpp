// Initializers run in the static program's order, file by file, those of lazy files too; destructors of objects, static locals and
// functions registered with atexit run at the end, last first.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwinxx -O1 -c main.cpp && %darwinxx -O1 -c other.cpp && %darwin -c functions.c
// RUN: %lazily main.o other.o functions.o %{cxx-library} | FileCheck %s
// RUN: %lazily main.o -lazy other.o -lazy functions.o %{cxx-library} | FileCheck %s
// RUN: %lazily -lazy-granularity=object main.o -lazy other.o functions.o %{cxx-library} | FileCheck %s
//
// CHECK: construct first
// CHECK-NEXT: construct second
// CHECK-NEXT: other constructed
// CHECK-NEXT: initializer with 1 argument
// CHECK-NEXT: main
// CHECK-NEXT: construct local
// CHECK-NEXT: local
// CHECK-NEXT: local
// CHECK-NEXT: at exit
// CHECK-NEXT: destroy local
// CHECK-NEXT: finalizer
// CHECK-NEXT: destroy other
// CHECK-NEXT: destroy second
// CHECK-NEXT: destroy first
// CHECK-NEXT: status: 3

//--- noisy.h
extern "C" int printf(const char *, ...), puts(const char *), atexit(void (*)(void));
struct Noisy {
  const char *name;
  explicit Noisy(const char *name) : name(name) { printf("construct %s\n", name); }
  ~Noisy() { printf("destroy %s\n", name); }
};
//--- main.cpp
#include "noisy.h"
void use();
static Noisy first("first");
static Noisy second("second");
int main() {
  puts("main");
  use();
  use();
  atexit([] { puts("at exit"); });
  return 3;
}
//--- other.cpp
#include "noisy.h"
struct Other {
  Other() { puts("other constructed"); }
  ~Other() { puts("destroy other"); }
};
static Other other;
void use() {
  static Noisy local("local");
  puts(local.name);
}
//--- functions.c
int printf(const char *, ...), puts(const char *);
__attribute__((constructor)) static void initializer(int argc) { printf("initializer with %d argument\n", argc); }
__attribute__((destructor)) static void finalizer(void) { puts("finalizer"); }
