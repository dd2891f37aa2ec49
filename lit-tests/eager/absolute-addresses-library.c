// A shared library and a program with absolute 32-bit addresses share the library's variables and agree on addresses: in its code,
// in its data, in the middle of arrays, through aliases; constants included.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -shared library.c -o library.so
// RUN: %clang -O1 -fno-pie -c main.c && %clang -O1 -fPIC -c use.c
// RUN: %same --native=-no-pie --native=./library.so main.o use.o -preload=./library.so | FileCheck %s
// RUN: %same --native=-no-pie --native=./library.so main.o -lazy use.o -preload=./library.so | FileCheck %s
// RUN: %same --native=-no-pie --native=./library.so -lazy main.o -lazy use.o -preload=./library.so | FileCheck %s
//
// CHECK: counter 5 seen by the library 5
// CHECK-NEXT: set by the library 6
// CHECK-NEXT: middle 1 value 42
// CHECK-NEXT: alias 7
// CHECK-NEXT: function 1 1 1 result 3
// CHECK-NEXT: table 1 2 3
// CHECK-NEXT: position-independent file: 8 1 1
// CHECK-NEXT: status: 0

//--- library.c
int counter = 4;
int values[4] = {0, 0, 41, 0};
int *middle = &values[2];
int original = 1;
extern int alias __attribute__((weak, alias("original")));
const int table[3] = {1, 2, 3};
int get_counter(void) { return counter; }
void set_counter(int value) { counter = value; }
int *middle_address(void) { return middle; }
int get_alias(void) { return original; }
int function(int n) { return n + 1; }
int (*const function_in_data)(int) = function;
int (*function_address(void))(int) { return function; }
//--- main.c
#include <stdio.h>
extern int counter, values[4], *middle, alias;
extern const int table[3];
extern int get_counter(void), *middle_address(void), get_alias(void), function(int);
extern void set_counter(int);
extern int (*const function_in_data)(int), (*function_address(void))(int);
extern int *use_counter(void), (*use_function(void))(int);
int main(int argc, char **argv) {
  counter++;
  printf("counter %d seen by the library %d\n", counter, get_counter());
  set_counter(6);
  printf("set by the library %d\n", counter);
  values[argc + 1]++;
  printf("middle %d value %d\n", &values[2] == middle && middle == middle_address(), *middle_address());
  alias = 7;
  printf("alias %d\n", get_alias());
  int (*volatile own)(int) = function;
  printf("function %d %d %d result %d\n", own == function_address(), own == function_in_data, own == use_function(), own(2));
  printf("table %d %d %d\n", table[argc - 1], table[argc], table[argc + 1]);
  *use_counter() = 8;
  printf("position-independent file: %d %d %d\n", get_counter(), &counter == use_counter(), use_function() == own);
}
//--- use.c
extern int counter, function(int);
int *use_counter(void) { return &counter; }
int (*use_function(void))(int) { return function; }
