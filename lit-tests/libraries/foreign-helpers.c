// A program for another architecture that is only linked takes the helper archives of that architecture, and no others.
//
// REQUIRES: x86_64, aarch64-helpers
// RUN: %clang --target=aarch64-linux-gnu -O1 -ffreestanding -c %s -o %t.o
// RUN: %rjitlink -noexec -show-linked-files %t.o | FileCheck %s
//
// CHECK: Linking {{.*}}foreign-helpers.c.tmp.o
// CHECK: Linking {{.*}}aarch64{{.*}}libgcc.a[{{[0-9]+}}](addtf3.o)

long double add(long double a, long double b) { return a + b; }
int main(void) { return (int)add(1, 2); }
