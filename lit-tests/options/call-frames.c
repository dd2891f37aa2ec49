// -show-graphs prints call frame records one by one, and that code keeps its record alive.
//
// REQUIRES: elf
// RUN: rm -rf %t && mkdir -p %t && cd %t && %clang -O1 -fasynchronous-unwind-tables -ffunction-sections -c %s -o frames.o
// RUN: %rjitlink -noexec -no-orc-runtime frames.o -show-graphs=. | FileCheck %s
// RUN: %clang -O1 -fasynchronous-unwind-tables -c %s -o frames.o
// RUN: %rjitlink -noexec -no-orc-runtime frames.o -show-graphs=. | FileCheck %s --check-prefix=TOGETHER
//
// CHECK:      section .eh_frame:
// CHECK-EMPTY:
// CHECK-NEXT:   block [[COMMON:0x[0-9a-f]+]] size =
// CHECK-NEXT:     symbols:
// CHECK-NEXT:       [[COMMON]] (block + 0x00000000): {{.*}} <anonymous symbol>
// CHECK-NEXT:     no edges
// CHECK-EMPTY:
// CHECK-NEXT:   block [[FIRST:0x[0-9a-f]+]] size =
// CHECK-NEXT:     symbols:
// CHECK-NEXT:       [[FIRST]] (block
// CHECK-NEXT:     edges:
// CHECK-NEXT:       (block + 0x00000004), addend = +0x00000000, kind = NegDelta32, target = addressable@[[COMMON]]+0x00000000
// CHECK-NEXT:       (block + 0x00000008), addend = +0x00000000, kind = Delta32, target = {{.*}}
// CHECK-EMPTY:
// CHECK-NEXT:   block [[SECOND:0x[0-9a-f]+]] size =
// CHECK:              (block + 0x00000004), addend = +0x00000000, kind = NegDelta32, target = addressable@[[COMMON]]+0x00000000
// CHECK:      section .text.main:
// CHECK:          edges:
// CHECK-NEXT:       (block + 0x00000000), addend = +0x00000000, kind = Keep-Alive, target = addressable@[[MAIN:0x[0-9a-f]+]]+0x00000000
// CHECK:      section .text.one:
// CHECK:          edges:
// CHECK-NEXT:       (block + 0x00000000), addend = +0x00000000, kind = Keep-Alive, target = addressable@[[FIRST]]+0x00000000
//
// TOGETHER:      section .text:
// TOGETHER:          edges:
// TOGETHER-NEXT:       (block + 0x00000000), addend = +0x00000000, kind = Keep-Alive, target = addressable@
// TOGETHER-NEXT:       (block + 0x00000000), addend = +0x00000000, kind = Keep-Alive, target = addressable@

__attribute__((noinline)) int one(int x) { return x / 3; }
int main(void) { return one(2); }
