// A program from the cache dies as one that was just linked: with the same backtrace. Nothing is kept for that: it is linked again, and
// when its files are not what they were, there are addresses only.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -g -O0 -fno-inline -fPIE -c main.c store.c && llvm-ar rcs libstore.a store.o
// RUN: %rjitlink -cache-dir=cache main.o -lazy libstore.a -- well
// RUN: %python status.py %rjitlink -cache-dir=cache main.o -lazy libstore.a -- crash 2>&1 | FileCheck %s
// RUN: %python status.py %rjitlink -cache-dir=cache main.o -lazy libstore.a -- handler 2>&1 | FileCheck %s --check-prefix=HANDLER
// RUN: %python status.py %rjitlink -cache-dir=cache -crash-backtrace=false main.o -lazy libstore.a -- crash 2>&1 | FileCheck %s --check-prefix=OFF
// RUN: %python status.py %rjitlink -cache-dir=cache main.o -lazy libstore.a -- remove 2>&1 | FileCheck %s --check-prefix=REMOVED
//
// CHECK: rjitlink: the program dies of SIGSEGV (invalid memory access) at address 0x8
// CHECK-NEXT: #0 {{.*}} in store + 0x{{[0-9a-f]+}} at {{.*}}store.c:1 ({{.*}}libstore.a{{.*}}store.o{{.*}}, .text
// CHECK-NEXT: #1 {{.*}} in main + 0x{{[0-9a-f]+}} at {{.*}}main.c:13 (main.o, .text
// CHECK-NOT: #2
// CHECK: died of 11
// HANDLER: caught
// HANDLER-NEXT: died of 0
// OFF-NOT: rjitlink
// OFF: died of 11
// REMOVED: rjitlink: the program dies of SIGSEGV (invalid memory access) at address 0x8
// REMOVED-NEXT: #0 {{.*}}(no code is known there)
// REMOVED: died of 11

//--- status.py
import subprocess, sys
print("died of", -subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode, flush=True)
//--- main.c
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
void store(volatile int *place);
static void caught(int signal) { (void)signal, (void)!write(1, "caught\n", 7), _exit(0); }
int main(int argc, char **argv) {
  if (!strcmp(argv[1], "handler"))
    signal(SIGSEGV, caught);
  if (!strcmp(argv[1], "remove"))
    unlink("main.o");
  if (strcmp(argv[1], "well"))
    store((int *)8);
  return argc - 2;
}
//--- store.c
void store(volatile int *place) { *place = 1; }
