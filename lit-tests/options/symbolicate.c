// -write-symtab writes where symbols are, before the program runs; -symbolicate-with puts names into backtraces.
//
// RUN: rm -rf %t && split-file %s %t && cd %t && %clang -c main.c && %clang -c lazy.c
// RUN: %rjitlink -write-symtab table.txt main.o -lazy lazy.o
// RUN: FileCheck %s --check-prefix=TABLE < table.txt
// TABLE-DAG: {{^}}"main.o"{{$}}
// TABLE-DAG: {{^}}0x[[#%x,MAIN:]] main{{$}}
// TABLE-DAG: {{^}}0x[[#%x,]] lazy{{$}}
// TABLE-DAG: {{^}}0x[[#%x,]] lazy$__stub_ptr{{$}}
// TABLE-DAG: {{^}}0x[[#%x,]] lazy$orc_fnbody{{$}}
//
// RUN: %rjitlink -symbolicate-with=given.txt trace.txt | FileCheck %s --match-full-lines --strict-whitespace
// RUN: %rjitlink -symbolicate-with given.txt - < trace.txt | FileCheck %s --match-full-lines --strict-whitespace
// RUN: %rjitlink -symbolicate-with=given.txt -write-symtab=x.txt trace.txt 2>&1 | FileCheck %s --check-prefix=IGNORED
//      CHECK:#0 0x00001000 first (a.o)
// CHECK-NEXT:#1 in 1004 first + 4 (a.o)
// CHECK-NEXT:no address
// CHECK-NEXT:0x1000
// CHECK-NEXT:#2 0x2001 second name + 1 (b.o)
// IGNORED: write-symtab specified with symbolicate-with, ignoring.

//--- main.c
int lazy(void);
int main(void) { return lazy(); }
//--- lazy.c
int lazy(void) { return 0; }
//--- given.txt
"a.o"
0x1000 first
"b.o"
2000 second name
//--- trace.txt
#0 0x00001000
#1 in 1004
no address
0x1000
#2 0x2001
