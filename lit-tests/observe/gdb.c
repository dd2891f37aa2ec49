// GDB knows code that is linked while it watches: a breakpoint by file and line in a lazy function that nobody has called yet waits until
// the function is linked. Functions of one file are linked at different times. No option is needed.
//
// REQUIRES: gdb
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -g -O0 -ffunction-sections -c main.c lazy.c
// RUN: gdb -nx -batch -x commands --args %rjitlink main.o -lazy lazy.o > out 2>&1
// RUN: FileCheck %s < out
// RUN: gdb -nx -batch -x commands --args %rjitlink main.o lazy.o > out 2>&1
// RUN: FileCheck %s < out
// RUN: %clang -g -gz=zlib -O0 -ffunction-sections -c main.c
// RUN: %clang -g -gz=zstd -O0 -ffunction-sections -c lazy.c
// RUN: gdb -nx -batch -x commands --args %rjitlink main.o -lazy lazy.o > out 2>&1
// RUN: FileCheck %s < out
//
// An archive's members, and a call that is still being answered: its backtrace leads through the runtime to the caller.
// RUN: llvm-ar rcs lib.a lazy.o
// RUN: gdb -nx -batch -x resolve --args %rjitlink -debugger-support -lazy-granularity=object main.o -lazy lib.a > out 2>&1
// RUN: FileCheck %s --check-prefix=RESOLVE < out
//
// Told not to, it tells nothing.
// RUN: not gdb -nx -batch -x commands --args %rjitlink -debugger-support=false main.o lazy.o > out 2>&1
// RUN: FileCheck %s --check-prefix=OFF < out
//
// CHECK: Breakpoint 1, thrice (number=7) at lazy.c:14
// CHECK: #0 {{.*}}thrice (number=7) at lazy.c:14
// CHECK-NEXT: #1 {{.*}} in main () at main.c:6
// CHECK-NEXT: #2 {{.*}}call_outermost
// CHECK: result = 21
// CHECK-NEXT: #1 {{.*}} in main () at main.c:6
// CHECK: sum = 40
// CHECK: Breakpoint 2, scale (number=7, factor=4) at lazy.c:2
// CHECK: #1 {{.*}} in fourfold (number=7) at lazy.c:19
// CHECK-NEXT: #2 {{.*}} in main () at main.c:7
// CHECK: exited with code 04
//
// RESOLVE: #0 {{.*}}__orc_rt_resolve ()
// RESOLVE-NEXT: #1 {{.*}} in __orc_rt_
// RESOLVE-NEXT: #2 {{.*}} in main () at main.c:5
// RESOLVE: exited with code 04
//
// OFF-NOT: Breakpoint 1, thrice
// OFF: exited with code 04

//--- main.c
int twice(int);
int thrice(int);
int fourfold(int);
int main(void) {
  int sum = twice(20);
  sum += thrice(7);
  return sum + fourfold(7) == 89 ? 4 : 1;
}
//--- lazy.c
static __attribute__((noinline)) int scale(int number, int factor) {
  return number * factor;
}
int twice(int number) {
  int result = scale(number, 2);
  return result;
}
int never(int number) {
  int result = scale(number, 9);
  return result;
}
int thrice(int number) {
  int result = scale(number, 3);
  return result;
}

// The file is known already when this is linked.
int fourfold(int number) {
  int result = scale(number, 4);
  return result;
}
//--- commands
set breakpoint pending on
break lazy.c:14
run
backtrace
info locals
up
info locals
break lazy.c:2 if factor == 4
continue
backtrace
continue
//--- resolve
set breakpoint pending on
break __orc_rt_resolve
run
backtrace
disable
continue
