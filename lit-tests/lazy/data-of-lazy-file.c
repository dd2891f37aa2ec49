// Data of a lazy file is linked with what refers to it, and is the same object for everybody; its functions stay lazy.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c main.c && %clang -fPIC -c counter.c && %clang -fPIC -c user.c
// RUN: %same main.o -lazy counter.o -lazy user.o | FileCheck %s
//
// CHECK: 0 1 3 8 name
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
extern int counter;
extern const char *const names[];
int count(int), count_elsewhere(int);
int main(void) {
  int start = counter, a = count(1), b = count_elsewhere(2);
  counter += 5;
  printf("%d %d %d %d %s\n", start, a, b, count(0), names[0]);
}
//--- counter.c
int counter;
static int hidden_in_file = 0;
int count(int n) { return hidden_in_file++, counter += n; }
const char *const names[] = {"name"};
//--- user.c
extern int counter;
int count(int);
int count_elsewhere(int n) { return count(n) - counter + counter; }
