// A thread-local variable can be what pulls an archive member in; members of lazy archives have their initial values too.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O1 -fPIE -c main.c && %clang -O1 -fPIE -c variable.c && %clang -O1 -fPIE -c function.c
// RUN: llvm-ar rc libtls.a variable.o function.o
// RUN: %same main.o libtls.a | FileCheck %s
// RUN: %same main.o -lazy libtls.a | FileCheck %s
//
// CHECK: 3 14
// CHECK-NEXT: status: 0

//--- main.c
#include <stdio.h>
extern __thread int variable;
int function(void);
int main(void) { printf("%d %d\n", variable, function()); }
//--- variable.c
__thread int variable = 3;
//--- function.c
extern __thread int variable;
static __thread int own = 11;
int function(void) { return variable + own; }
