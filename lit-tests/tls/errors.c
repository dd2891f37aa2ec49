// What cannot be: more than the reserve, more alignment than it has, thread-local and ordinary uses of one symbol.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIC -c big.c && %clang -fPIC -c aligned.c && %clang -fPIC -c use.c && %clang -fPIC -c ordinary.c
// RUN: not %rjitlink big.o 2>&1 | FileCheck %s --check-prefix=BIG
// RUN: not %rjitlink aligned.o 2>&1 | FileCheck %s --check-prefix=ALIGNED
// RUN: not %rjitlink use.o ordinary.o 2>&1 | FileCheck %s --check-prefix=ORDINARY
//
// BIG: error: In big.o, section .tbss: 0x100000 bytes of thread-local memory are needed, but of the reserve of 0x{{[0-9a-f]+}} bytes in each thread only 0x{{[0-9a-f]+}} are left; build rjitlink with a larger RJITLINK_TLS_RESERVE
// ALIGNED: error: In aligned.o, section .tbss: thread-local memory aligned to 0x4000 bytes is needed; at most 0x1000 can be had
// ORDINARY: error: In use.o, symbol variable: it is used as a thread-local variable, but ordinary.o does not define it as one

//--- big.c
__thread char big[1 << 20];
int main(void) { return big[5]; }
//--- aligned.c
__thread char aligned[8] __attribute__((aligned(0x4000)));
int main(void) { return aligned[5]; }
//--- use.c
extern __thread int variable;
int main(void) { return variable; }
//--- ordinary.c
int variable;
