// Laziness needs the ORC runtime: without one, or with something that is none, nothing is run. Nor does it go with a harness.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -c %s -o main.o && %clang -c %inputs/lazy/foo.c -o foo.o
// RUN: not %rjitlink -no-orc-runtime main.o -lazy foo.o 2>&1 | FileCheck %s --check-prefix=NONE --implicit-check-not='in foo'
// RUN: not %rjitlink main.o -lazy foo.o -no-orc-runtime 2>&1 | FileCheck %s --check-prefix=NONE --implicit-check-not='in foo'
// RUN: not %rjitlink -orc-runtime=nosuch.a main.o -lazy foo.o 2>&1 | FileCheck %s --check-prefix=MISSING --implicit-check-not='in foo'
// RUN: not %rjitlink -orc-runtime=foo.o main.o -lazy foo.o 2>&1 | FileCheck %s --check-prefix=OBJECT --implicit-check-not='in foo'
// RUN: not %rjitlink main.o -lazy foo.o -harness main.o 2>&1 | FileCheck %s --check-prefix=HARNESS --implicit-check-not='in foo'
// RUN: %rjitlink -no-orc-runtime main.o foo.o | FileCheck %s --check-prefix=EAGER
//
// NONE: rjitlink: error: Lazy linking requires the ORC runtime
// MISSING: rjitlink: error: {{.*}}nosuch.a{{.*}}No such file or directory
// OBJECT: rjitlink: error: {{.*}}foo.o does not contain an archive
// HARNESS: rjitlink: error: Lazy linking cannot be used with -harness mode
// EAGER: in foo

int foo(void);
int main(void) { return foo() - 42; }
