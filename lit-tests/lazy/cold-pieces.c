// The rarely used piece that a compiler has cut out of a function (`leaf.cold`) is no function, though it is called one: it is jumped to, and finds
// its variables where the function has them, here below the stack pointer. It is linked with the function.
//
// REQUIRES: gcc, elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %gcc -O2 -ffunction-sections -c main.c && %gcc -O2 -ffunction-sections -c lazy.c && %gcc -O2 -ffunction-sections -c note.c
// RUN: %same main.o -lazy lazy.o -lazy note.o | FileCheck %s
//
// CHECK: 5
// CHECK-NEXT: -1954

//--- main.c
#include <stdio.h>
volatile int one = 1;
int leaf(const int *, int);
int main(void) {
  int n[] = {1, 2, -3, 4, -500, 6, 7};
  printf("%d\n", leaf(n, 3));
  printf("%d\n", leaf(n, 7));
  return 0;
}
//--- note.c
int note(int n) { return n * 2; }
//--- lazy.c
extern volatile int one;
#define EIGHT one = one; one = one; one = one; one = one; one = one; one = one; one = one; one = one;
#define MUCH EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
int __attribute__((cold)) note(int);
int leaf(const int *n, int count) {
  volatile int kept[12];
  for (int i = 0; i < 12; i++)
    kept[i] = n[i % count] + i;
  int sum = 0;
  for (int i = 0; i < count; i++) {
    if (n[i] < 0) {
      MUCH
      sum += kept[i % 12];
      if (n[i] < -100)
        goto bad;
    }
    sum += kept[(i + 1) % 12];
  }
  return sum;
bad:
  MUCH
  return note(kept[3] + sum);
}
