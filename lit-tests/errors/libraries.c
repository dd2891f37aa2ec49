// Shared libraries that cannot be used: one that is not there, one that needs a symbol which neither the program nor another library has, one whose
// constructor calls the program before that is linked.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c main.c && %clang -fPIC -shared needs.c -o libneeds.so && %clang -fPIC -shared early.c -o libearly.so && echo text > libtext.so
// RUN: not %rjitlink main.o ./libnosuch.so 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not %rjitlink main.o -preload=./libnosuch.so 2>&1 | FileCheck %s --check-prefix=PRELOAD
// RUN: not %rjitlink main.o -lnosuch -L. 2>&1 | FileCheck %s --check-prefix=SEARCHED
// RUN: not %rjitlink main.o ./libneeds.so > out 2> err
// RUN: count 0 < out
// RUN: FileCheck %s --check-prefix=NEEDS < err
// RUN: not %rjitlink main.o -L. -lneeds 2>&1 | FileCheck %s --check-prefix=NEEDS
// RUN: %python run.py %rjitlink main.o ./libearly.so | FileCheck %s --check-prefix=EARLY
// RUN: not %rjitlink main.o libtext.so 2>&1 | FileCheck %s --check-prefix=TEXT
//
// MISSING: rjitlink: error: './libnosuch.so': No such file or directory
// PRELOAD: rjitlink: error: cannot load ./libnosuch.so: {{.*}}cannot open shared object file
// SEARCHED: rjitlink: error: {{.*}}could not find library for -lnosuch; say where it is with -L; not in any of
// SEARCHED-NEXT: {{^  \.$}}
// NEEDS: rjitlink: error: cannot load {{.*}}libneeds.so: {{.*}}undefined symbol: nobody_has_it
// EARLY: rjitlink: error: a shared library calls a function of the program while it is loaded, before the program is linked
// EARLY: signal 6
// TEXT: rjitlink: error: libtext.so does not contain a relocatable object file or archive

//--- main.c
#include <stdio.h>
int in_program(void) { return 1; }
int main(void) { puts("runs"); }
//--- needs.c
int nobody_has_it(void), in_program(void);
int needs(void) { return nobody_has_it() + in_program(); }
//--- early.c
int in_program(void);
__attribute__((constructor)) static void early(void) { in_program(); }
//--- run.py
import subprocess
import sys

done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)
print(done.stderr.decode(), "signal", done.returncode % 128 if done.returncode > 0 else -done.returncode)
