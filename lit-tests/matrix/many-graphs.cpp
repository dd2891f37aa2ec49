// Thousands of small functions in an archive, each with its own unwind records: throwing through them stays fast, and so does the exit.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clangxx -ffunction-sections' '--flags=-O1 -fPIE' --source=main.cpp --source=many.cpp --work=%t/objects -lstdc++ -lgcc_s | FileCheck %s
//
// CHECK: 3 combinations, 0 differ

//--- many.h
#define TEN(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define HUNDRED(M, n) TEN(M, n##0) TEN(M, n##1) TEN(M, n##2) TEN(M, n##3) TEN(M, n##4) TEN(M, n##5) TEN(M, n##6) TEN(M, n##7) TEN(M, n##8) TEN(M, n##9)
#define THOUSAND(M, n) HUNDRED(M, n##0) HUNDRED(M, n##1) HUNDRED(M, n##2) HUNDRED(M, n##3) HUNDRED(M, n##4) HUNDRED(M, n##5) HUNDRED(M, n##6) HUNDRED(M, n##7) \
  HUNDRED(M, n##8) HUNDRED(M, n##9)
//--- main.cpp
#include "many.h"
#include <cstdio>
#define DECLARE(n) int function_##n(int);
THOUSAND(DECLARE, )
#define POINTER(n) function_##n,
static int (*const functions[])(int) = {THOUSAND(POINTER, )};
int main() {
  long sum = 0;
  for (int round = 0; round < 20; round++)
    for (auto function : functions)
      try {
        sum += function(round);
      } catch (int n) {
        sum += n;
      }
  std::printf("%ld\n", sum);
}
//--- many.cpp
#include "many.h"
#define DEFINE(n) int function_##n(int round) { if (round % 5 == 4) throw 1##n; return round; }
THOUSAND(DEFINE, )
