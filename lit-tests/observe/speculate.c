// Functions that are linked ahead: first those of the order file, and nothing waits for them.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c -ffunction-sections main.c lazy.c broken.c
// RUN: %rjitlink -record-lazy-execs=order.txt main.o -lazy lazy.o -- 0
// RUN: FileCheck %s --check-prefix=ORDER < order.txt
// RUN: %rjitlink -speculate=simple -stats main.o -lazy lazy.o -lazy broken.o -- 500 2>&1 | FileCheck %s --check-prefix=AHEAD
// RUN: %rjitlink -speculate=simple -speculate-order=order.txt -stats main.o -lazy lazy.o -- 500 2>&1 | FileCheck %s --check-prefix=AHEAD
// RUN: echo "main, second" > second.txt && echo "" >> second.txt && echo "nowhere, first" >> second.txt && echo " main , nobody " >> second.txt
// RUN: %rjitlink -speculate=simple -speculate-order=second.txt -stats main.o -lazy lazy.o -- 500 2>&1 | FileCheck %s --check-prefix=AHEAD
//
// A record made while functions are linked ahead has every function that was called.
// RUN: %rjitlink -speculate=simple -record-lazy-execs=again.txt main.o -lazy lazy.o -- 500
// RUN: FileCheck %s --check-prefix=ORDER < again.txt
// RUN: %rjitlink -speculate=none main.o -lazy lazy.o -stats -- 0 2>&1 | FileCheck %s --check-prefix=NONE
//
// A program behaves as without; also one that forks meanwhile.
// RUN: %rjitlink -speculate=simple main.o -lazy lazy.o -- fork | FileCheck %s --check-prefix=FORK
//
// RUN: %rjitlink -speculate=simple main.o lazy.o -- 0 2>&1 | FileCheck %s --check-prefix=NOT-LAZY
// RUN: %rjitlink -speculate-order=order.txt main.o -lazy lazy.o -- 0 2>&1 | FileCheck %s --check-prefix=DISABLED
// RUN: not %rjitlink -speculate=wildly main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=WILDLY
// RUN: not %rjitlink -speculate=simple -speculate-order=no.txt main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: echo "main, a" > bad.txt && echo "b" >> bad.txt
// RUN: not %rjitlink -speculate=simple -speculate-order=bad.txt main.o -lazy lazy.o 2>&1 | FileCheck %s --check-prefix=BAD
//
// ORDER: main, first$orc_fnbody
// ORDER-NEXT: main, second$orc_fnbody
// ORDER-NOT: never
// AHEAD-NOT: missing
// AHEAD: linked {{[4-9]}}, first called 0
// NONE: linked 3, first called 2
// FORK: child 0
// FORK-NEXT: parent 0
// NOT-LAZY: rjitlink: warning: -speculate ignored as there are no -lazy inputs
// DISABLED: rjitlink: warning: -speculate-order ignored because speculation is disabled
// WILDLY: rjitlink: error: {{.*}}wildly
// NO-FILE: rjitlink: error: cannot read 'no.txt': No such file or directory
// BAD: rjitlink: error: Error in speculation order file "bad.txt" on line 2: missing ',' separator

//--- main.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int first(int);
int second(int);
int never(int);
int broken(int);
int __attribute__((weak)) (*unused[])(int) = {never};
int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "fork")) {
    pid_t child = fork();
    int bad = first(1) + second(1) != 5;
    if (child == 0) {
      printf("child %d\n", bad);
      fflush(stdout);
      _exit(bad);
    }
    int status;
    waitpid(child, &status, 0);
    printf("parent %d\n", bad + status);
    return 0;
  }
  usleep(argc > 1 ? 1000 * atoi(argv[1]) : 0);
  return first(1) + second(1) != 5;
}
//--- lazy.c
int first(int number) { return 2 * number; }
int second(int number) { return 3 * number; }
int never(int number) { return number; }
//--- broken.c
int missing(int);
int broken(int number) { return missing(number); }
