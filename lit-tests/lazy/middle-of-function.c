// A branch into the middle of a function, and the address of a place in it, mean the body, not its stub; the function keeps its one address.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIC -c main.c -o main.o && %clang -O1 -fPIC -c entries.c -o entries.o && %clang -O1 -fPIC -c callers.c -o callers.o
// RUN: %rjitlink main.o entries.o callers.o | FileCheck %s
// RUN: %rjitlink main.o -lazy entries.o -lazy callers.o | FileCheck %s
// RUN: %rjitlink -lazy-granularity=object main.o -lazy entries.o -lazy callers.o | FileCheck %s
//
// CHECK: 102 103
// CHECK-NEXT: 104 105 108
// CHECK-NEXT: 1 9

//--- main.c
int printf(const char *, ...);
int skips(int), jumps(int), counted(int);
extern int (*const inner)(int);
int (*const whole)(int) = counted;
int main(void) {
  printf("%d %d\n", skips(1) + 100, jumps(2) + 100);
  printf("%d %d %d\n", counted(3), skips(4) + 100, inner(7) + 100);
  printf("%d %d\n", whole == counted, whole(8) - 100);
}
//--- names.h
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define NAME(x) TEXT(__USER_LABEL_PREFIX__) #x
#ifdef __APPLE__
#define FUNCTION(x) ".text\n.globl " NAME(x) "\n.p2align 4\n" NAME(x) ":\n"
#else
#define FUNCTION(x) ".text\n.globl " NAME(x) "\n.type " NAME(x) ", STT_FUNC\n.p2align 4\n" NAME(x) ":\n"
#endif
//--- entries.c
// Adds 100 in the first 12 bytes, and 1 behind them.
#include "names.h"
#ifdef __x86_64__
__asm__(FUNCTION(counted) " add $100, %edi\n .byte 0x90,0x90,0x90,0x90,0x90,0x90,0x90,0x90,0x90\n lea 1(%rdi), %eax\n ret\n");
#else
__asm__(FUNCTION(counted) " add w0, w0, #100\n nop\n nop\n add w0, w0, #1\n ret\n");
#endif
//--- callers.c
#include "names.h"
#ifdef __x86_64__
__asm__(FUNCTION(skips) " sub $8, %rsp\n call " NAME(counted) "+12\n add $8, %rsp\n ret\n" FUNCTION(jumps) " jmp " NAME(counted) "+12\n");
#else
__asm__(FUNCTION(skips) " stp x29, x30, [sp, #-16]!\n bl " NAME(counted) "+12\n ldp x29, x30, [sp], #16\n ret\n" FUNCTION(jumps) " b " NAME(counted) "+12\n");
#endif
int counted(int);
int (*const inner)(int) = (int (*)(int))((char *)counted + 12);
