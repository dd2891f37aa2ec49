// All 512 bits of AVX-512 argument registers survive a first call.
//
// REQUIRES: avx512
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O2 -mavx512f -c main.c && %clang -O2 -mavx512f -c callee.c
// RUN: %same main.o -lazy callee.o | FileCheck %s
// RUN: %rjitlink -num-threads=1 main.o -lazy callee.o | FileCheck %s
//
// CHECK: 36 36 36 36 36 36 36 8036
// CHECK-NEXT: 36 36 36 36 36 36 36 8036

//--- main.c
#include <immintrin.h>
#include <stdio.h>
__m512d sum(__m512d, __m512d, __m512d, __m512d, __m512d, __m512d, __m512d, __m512d);
static __m512d make(int i) { return _mm512_set_pd(1000 + i, i, i, i, i, i, i, i); }
int main(void) {
  for (int i = 0; i < 2; i++) {
    __m512d v = sum(make(1), make(2), make(3), make(4), make(5), make(6), make(7), make(8));
    printf("%g %g %g %g %g %g %g %g\n", v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  }
}
//--- callee.c
#include <immintrin.h>
__m512d sum(__m512d a, __m512d b, __m512d c, __m512d d, __m512d e, __m512d f, __m512d g, __m512d h) { return a + b + c + d + e + f + g + h; }
