// Places inside functions of other files: branches that skip the beginning of a function, addresses with an offset in code and in data, in both
// orders with ordinary calls; a pointer with a mark in its lowest bit is still the function's address.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=entries.c --source=callers.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdint.h>
#include <stdio.h>
int counted(int), skips_call(int), tail_call(int), in_file(int), by_address(int), whole(int);
extern int (*const in_data)(int);
static int (*const marked)(int) = (int (*)(int))((char *)whole + 1);
int main(void) {
  printf("%d %d\n", skips_call(1), tail_call(2));
  printf("%d %d\n", counted(3), skips_call(4));
  printf("%d %d %d\n", in_file(5), by_address(6), in_data(7));
  int (*unmarked)(int) = (int (*)(int))((uintptr_t)marked & ~(uintptr_t)1);
  printf("%d %d\n", unmarked == whole, unmarked(8));
}
//--- entries.c
// Each adds 100 in the first 12 bytes; those who skip them get the rest.
#ifdef __x86_64__
#define FUNCTION(name, more) \
  __asm__(".section .text." #name ",\"ax\",@progbits\n.balign 16\n.globl " #name "\n.type " #name ", @function\n" #name ":\n add $100, %edi\n .skip 9, 0x90\n" more \
          " lea 1(%rdi), %eax\n ret\n.size " #name ", . - " #name "\n.text\n");
#define OWN "\n.globl in_file\n.type in_file, @function\nin_file:\n jmp counted+12\n"
#else
#define FUNCTION(name, more) \
  __asm__(".section .text." #name ",\"ax\",%progbits\n.balign 16\n.globl " #name "\n.type " #name ", %function\n" #name ":\n add w0, w0, #100\n nop\n nop\n" more \
          " add w0, w0, #1\n ret\n.size " #name ", . - " #name "\n.text\n");
#define OWN "\n.globl in_file\n.type in_file, %function\nin_file:\n b counted+12\n"
#endif
FUNCTION(counted, "")
FUNCTION(another, "")
FUNCTION(third, "")
FUNCTION(whole, "")
__asm__(OWN);
//--- callers.c
#ifdef __x86_64__
__asm__(".text\n.globl skips_call, tail_call, by_address\n.type skips_call, @function\nskips_call:\n sub $8, %rsp\n call counted+12\n add $8, %rsp\n ret\n"
        ".type tail_call, @function\ntail_call:\n jmp another+12\n"
        ".type by_address, @function\nby_address:\n lea third+12(%rip), %rax\n jmp *%rax\n");
#else
__asm__(".text\n.globl skips_call, tail_call, by_address\n.type skips_call, %function\nskips_call:\n stp x29, x30, [sp, #-16]!\n bl counted+12\n ldp x29, x30, [sp], #16\n ret\n"
        ".type tail_call, %function\ntail_call:\n b another+12\n"
        ".type by_address, %function\nby_address:\n adrp x16, third+12\n add x16, x16, :lo12:third+12\n br x16\n");
#endif
int third(int);
int (*const in_data)(int) = (int (*)(int))((char *)third + 12);
