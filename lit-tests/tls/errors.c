// What cannot be: accesses that need constant offsets to what has none, more alignment than the reserve has, thread-local and ordinary
// uses of one symbol.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -fPIE -c big.c && %clang -fPIE -c use.c && %clang -fPIE -c aligned.c && %clang -fPIC -c ordinary.c
// RUN: %clang -fPIC -DMAIN -c big.c -o big-main.o
// RUN: not %rjitlink big-main.o 2>&1 | FileCheck %s --check-prefix=OWN
// RUN: not %rjitlink -entry=get use.o big.o 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not %rjitlink -entry=get use.o -lazy big.o 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not %rjitlink aligned.o 2>&1 | FileCheck %s --check-prefix=ALIGNED
// RUN: not %rjitlink -entry=get use.o ordinary.o 2>&1 | FileCheck %s --check-prefix=ORDINARY
// RUN: not %rjitlink -tls-reserve=none big.o 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not %rjitlink -tls-reserve=9999999Gb big.o 2>&1 | FileCheck %s --check-prefix=HUGE
//
// OWN: error: In big-main.o, symbol big: this access of the initial-exec or local-exec model needs a constant offset from the thread pointer, but section .tbss of big-main.o, 0x100000 bytes, is not where variables have one: 0x100000 bytes of thread-local memory are needed, but of the reserve of 0x{{[0-9a-f]+}} bytes in each thread only 0x{{[0-9a-f]+}} are left; make it larger with -tls-reserve=SIZE, or compile
// OTHER: error: In use.o, symbol big: this access of the initial-exec {{.*}} but section .tbss of big.o, 0x100000 bytes,
// ALIGNED: error: In aligned.o, symbol aligned: this access {{.*}} thread-local memory aligned to 0x4000 bytes is needed; at most 0x1000 can be had
// ORDINARY: error: In use.o, symbol big: it is used as a thread-local variable, but ordinary.o does not define it as one
// SIZE: error: for the --tls-reserve option: 'none' is no size: a number with Kb (default), Mb or Gb
// HUGE: error: cannot enlarge the reserve of thread-local memory: it does not fit any stack

//--- big.c
#ifdef MAIN
__attribute__((tls_model("initial-exec")))
#endif
__thread char big[1 << 20];
#ifdef MAIN
int main(void) { return big[7]; }
#endif
//--- use.c
extern __thread char big[1 << 20];
char get(void) { return big[5]; }
//--- aligned.c
__thread char aligned[8] __attribute__((aligned(0x4000)));
int main(void) { return aligned[5]; }
//--- ordinary.c
char big[1 << 20];
