// llvm_jitlink_setTestResultOverride sets the status: what was set last, exit handlers included, of which 8 bits count. A program
// that calls exit says it there.
//
// RUN: rm -rf %t && split-file %s %t && cd %t && %clang -c main.c
// RUN: %rjitlink main.o
// RUN: %python run.py "%rjitlink main.o" | FileCheck %s
// CHECK: set 44
// CHECK: handler 6
// CHECK: exit 9
// CHECK: text on stdout

//--- main.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void llvm_jitlink_setTestResultOverride(long);
static void handler(void) { llvm_jitlink_setTestResultOverride(6); }
int main(int argc, char **argv) {
  llvm_jitlink_setTestResultOverride(argc == 1 ? 0 : 300);
  if (argc == 1) return 5;
  printf("text on stdout\n");
  if (!strcmp(argv[1], "handler")) atexit(handler);
  if (!strcmp(argv[1], "exit")) exit(9);
  return 1;
}
//--- run.py
import shlex, subprocess, sys
for how in ("set", "handler", "exit"):
    done = subprocess.run(shlex.split(sys.argv[1]) + ["-args", how], capture_output=True, text=True)
    print(how, done.returncode)
print(done.stdout)
