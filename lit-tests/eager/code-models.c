// The code models the compilers know, with data in large sections and far calls; mixed with small-model code.
//
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -O1 -fno-pie -mcmodel=large -c %inputs/programs/table.c -o large.o
// RUN: %clang -O1 -fno-pie -c %inputs/programs/table-main.c -o main.o
// RUN: %clang -O1 -fno-pie -mcmodel=large -c %inputs/programs/table-main.c -o main-large.o
// RUN: %same --native=-no-pie main.o large.o
// RUN: %same --native=-no-pie main-large.o -lazy large.o
// RUN: %same --native=-no-pie main.o -lazy large.o
