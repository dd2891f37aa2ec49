// A program for another architecture that is only linked takes the helper archives of that architecture, and no others.
//
// REQUIRES: x86_64, aarch64-helpers, elf
// RUN: %clang --target=aarch64-linux-gnu -O1 -c %s -o %t.o
// RUN: %rjitlink -noexec -show-linked-files %t.o | FileCheck %s
//
// CHECK: Linking {{.*}}foreign-helpers.c.tmp.o
// CHECK: Linking {{.*}}aarch64{{.*}}libgcc.a[{{[0-9]+}}](__gcc_bcmp.o)

int __gcc_bcmp(const void *, const void *, unsigned long);
int main(void) { return __gcc_bcmp("one", "two", 3); }
