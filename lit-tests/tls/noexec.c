// Thread-local variables are linked for an architecture that is not this machine's.
//
// RUN: %clang -O1 -fPIC --target=aarch64-linux-gnu -c %s -o %t-aarch64.o && %rjitlink -noexec %t-aarch64.o
// RUN: %clang -O1 -fPIC --target=x86_64-linux-gnu -c %s -o %t-x86_64.o && %rjitlink -noexec %t-x86_64.o
// RUN: %clang -O1 -fPIC -DWRONG --target=x86_64-linux-gnu -c %s -o %t-wrong.o
// RUN: not %rjitlink -noexec %t-wrong.o > %t.err 2>&1
// RUN: FileCheck %s < %t.err && grep elsewhere %t.err
//
// CHECK: error: Symbols not found:

#ifdef WRONG
extern __thread int elsewhere;
#else
__thread int elsewhere = 4;
#endif
static __thread int zero;
static int object;
static __thread int *pointer = &object;
int main(void) { return elsewhere + zero + *pointer; }
