// The medium model (large data sections, 64-bit addresses for them), position independent or not, and the large PIC model.
//
// REQUIRES: x86_64
// RUN: rm -rf %t && mkdir -p %t && cd %t
// RUN: %clang -O1 -fPIC -c %inputs/programs/table-main.c -o main.o
// RUN: %clang -O1 -fno-pie -c %inputs/programs/table-main.c -o main-nopie.o
// RUN: %clang -O1 -fno-pie -mcmodel=medium -mlarge-data-threshold=8 -c %inputs/programs/table.c -o medium.o
// RUN: %clang -O1 -fPIC -mcmodel=medium -mlarge-data-threshold=8 -c %inputs/programs/table.c -o medium-pic.o
// RUN: %clang -O1 -fPIC -mcmodel=large -c %inputs/programs/table.c -o large-pic.o
// RUN: %same --native=-no-pie main-nopie.o medium.o
// RUN: %same --native=-no-pie main-nopie.o -lazy medium.o
// RUN: %same main.o medium-pic.o
// RUN: %same main.o -lazy medium-pic.o
// RUN: %same main.o large-pic.o
// RUN: %same main.o -lazy large-pic.o
