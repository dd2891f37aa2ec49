// What stands for itself in a file and what does not: symbols cut a section unless they are alternative entries, and not at all in a file
// without .subsections_via_symbols; strings and their tails; weak definitions and references, private symbols, common and
// absolute ones, other names for other files' symbols, pointers listed in the indirect symbol table.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwin -c pieces.s && %darwin -c whole.s && %darwin -O1 -c other.c && %darwin -O1 -c main.c
// RUN: %lazily main.o pieces.o whole.o other.o | FileCheck %s
// RUN: %lazily main.o -lazy pieces.o -lazy whole.o -lazy other.o | FileCheck %s
// RUN: %lazily -lazy-granularity=object main.o -lazy pieces.o -lazy whole.o other.o | FileCheck %s
//
// CHECK: pieces 1 2 3
// CHECK-NEXT: aligned 4 modulo 16
// CHECK-NEXT: whole 10 11 12
// CHECK-NEXT: strings one tail
// CHECK-NEXT: zero filled 0 0
// CHECK-NEXT: weak 1 0, strong 5
// CHECK-NEXT: private 6 7
// CHECK-NEXT: common 3 of 16, absolute 1234
// CHECK-NEXT: alias 8, through the table 8
// CHECK-NEXT: status: 0

//--- pieces.s
        .data
        .globl  _first, _second, _third, _fourth, _string, _tail, _zeros, _more_zeros, _private_value, _table_value, _absolute_pointer
        .p2align 4
_first: .long   1
_second:
        .long   2
        .alt_entry _third
_third: .long   3
        .long   0
        .long   0
_fourth: .quad  0
_string: .quad  L1
_tail:  .quad   L1 + 4
_private_value: .quad _private
_table_value: .quad L2
_absolute_pointer: .quad _absolute
        .private_extern _private
_private: .long  6
        .section __TEXT,__cstring,cstring_literals
        .asciz  "zero"
L1:     .asciz  "one tail"
        .section __DATA,__nl_symbol_ptr,non_lazy_symbol_pointers
        .p2align 3
        .indirect_symbol _second
        .quad   0
L2:     .indirect_symbol _elsewhere
        .quad   0
        .zerofill __DATA,__bss,_zeros,24,3
        .zerofill __DATA,__bss,_more_zeros,8,3
        .globl  _alias, _absolute
        _alias = _elsewhere
        .set    _absolute, 1234
        .no_dead_strip _fourth
        .subsections_via_symbols
//--- whole.s
        .data
        .globl  _whole, _whole_end
        .p2align 2
_whole: .long   10
_middle:
        .long   11
_whole_end:
        .long   12
//--- other.c
int elsewhere = 8;
int common[4];
__attribute__((weak)) int weak(void) { return 4; }
__attribute__((visibility("hidden"))) int hidden = 7;
int other_hidden(void) { return hidden; }
//--- main.c
#include <stdio.h>
extern int first, second, third, whole, alias, common[2];
extern char fourth;
extern long zeros[3], more_zeros;
extern const char *string, *tail, *absolute_pointer;
extern int *private_value, **table_value;
__attribute__((weak_import)) extern int nowhere(void);
int weak(void);
int other_hidden(void);
int weak(void) { return 5; }
int main(void) {
  printf("pieces %d %d %d\n", first, second, (&second)[1]);
  printf("aligned %d modulo 16\n", (int)((unsigned long)&fourth & 15));
  printf("whole %d %d %d\n", whole, (&whole)[1], (&whole)[2]);
  printf("strings %.3s %s\n", string, tail);
  printf("zero filled %ld %ld\n", zeros[2], more_zeros);
  printf("weak %d %d, strong %d\n", nowhere == 0, nowhere ? nowhere() : 0, weak());
  printf("private %d %d\n", *private_value, other_hidden());
  common[0] = 3;
  printf("common %d of 16, absolute %d\n", common[0], (int)(long)absolute_pointer);
  printf("alias %d, through the table %d\n", alias, **table_value);
}
