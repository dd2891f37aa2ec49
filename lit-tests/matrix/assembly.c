// Functions written by hand in the middle of a file, without sizes or unwind records; data between code; local labels; computed gotos; jump tables; a section of
// the program's own that holds code.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=asm.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdio.h>
int by_hand(int), falls_through(int), in_own_section(int), interpreter(const char *), dispatch(int), static_counter(void);
int main(void) {
  printf("%d %d %d\n", by_hand(4), falls_through(5), in_own_section(6));
  printf("%d", interpreter("++*+-*h"));
  for (int i = -1; i < 12; i++)
    printf(" %d", dispatch(i));
  static_counter();
  printf(" %d\n", static_counter());
}
//--- asm.c
#ifdef __x86_64__
__asm__(".text\n.globl by_hand, falls_through\n.type by_hand, @function\nby_hand:\n lea 1(%rdi), %eax\n add in_text(%rip), %eax\n ret\nin_text: .long 100\n"
        ".type falls_through, @function\nfalls_through:\n add $10, %edi\n jmp by_hand\n");
#else
__asm__(".text\n.globl by_hand, falls_through\n.type by_hand, %function\nby_hand:\n ldr w1, in_text\n add w0, w0, #1\n add w0, w0, w1\n ret\nin_text: .long 100\n"
        ".type falls_through, %function\nfalls_through:\n add w0, w0, #10\n b by_hand\n");
#endif
__attribute__((section("own_code"), noinline)) int in_own_section(int n) { return n * 7; }
int interpreter(const char *code) {
  static void *const table[128] = {['+'] = &&add, ['-'] = &&subtract, ['*'] = &&multiply, ['h'] = &&halt};
  int value = 1;
  goto *table[(int)*code++];
add:
  value += 3;
  goto *table[(int)*code++];
subtract:
  value -= 2;
  goto *table[(int)*code++];
multiply:
  value *= 5;
  goto *table[(int)*code++];
halt:
  return value;
}
int zero(void), one(void);
int dispatch(int n) {
  switch (n) {
  case 0: return zero() + 5;
  case 1: return one() * 3;
  case 2: return zero() - one();
  case 3: return 77;
  case 4: return one() + one();
  case 5: return 13 + zero();
  case 6: return -6;
  case 7: return one() << 4;
  case 8: return 99 + one();
  case 9: return zero() + 1000;
  default: return one() - 50;
  }
}
int zero(void) { return *(volatile int *)&(int){0}; }
int one(void) { return *(volatile int *)&(int){1}; }
int static_counter(void) { static int counter = 40; return ++counter; }
