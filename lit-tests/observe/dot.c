// Graphs for Graphviz, one digraph a batch.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -c -ffunction-sections main.c lazy.c
// RUN: %rjitlink -show-graphs=dot main.o -lazy lazy.o > graphs.dot
// RUN: FileCheck %s < graphs.dot
// RUN: not %rjitlink main.o -show-graphs 2>&1 | FileCheck %s --check-prefix=VALUE
//
// CHECK: digraph "batch 0" {
// CHECK: label="main.o";
// CHECK: [[MAIN:g[0-9]+b[0-9]+]] [label=".text.main r-x\n0x{{[0-9a-f]+}} 0x{{[0-9a-f]+}} bytes\nmain"];
// CHECK: label="<indirect stubs graph #1>";
// CHECK: [[MAIN]] -> g
// CHECK: }
// CHECK: digraph "batch 1" {
// CHECK: [[LAZY:g[0-9]+b[0-9]+]] [label=".text.lazy r-x\n{{.*}}\nlazy"];
// CHECK: [[HELPER:g[0-9]+b[0-9]+]] [label=".text.helper r-x\n{{.*}}\nhelper"];
// CHECK-DAG: [[LAZY]] -> [[HELPER]];
// CHECK-DAG: a{{[0-9a-f]+}} [label="getppid\n0x{{[0-9a-f]+}}", shape=ellipse];
// VALUE: rjitlink: error: {{.*}}show-graphs

//--- main.c
int lazy(int);
int main(void) { return lazy(0); }
//--- lazy.c
int getppid(void);
static __attribute__((noinline)) int helper(int number) { return getppid() == number; }
int lazy(int number) { return helper(number - 1); }
