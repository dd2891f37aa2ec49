// The upper halves of AVX registers survive a first call (FXSAVE does not keep them).
//
// REQUIRES: avx
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %clang -O2 -mavx -c main.c && %clang -O2 -mavx -c callee.c
// RUN: %same main.o -lazy callee.o | FileCheck %s
// RUN: %rjitlink -num-threads=1 main.o -lazy callee.o | FileCheck %s
//
// CHECK: 36 136 236 336
// CHECK-NEXT: 36 136 236 336
// CHECK-NEXT: 36 136 236 336

//--- main.c
#include <immintrin.h>
#include <stdio.h>
__m256d sum(__m256d, __m256d, __m256d, __m256d, __m256d, __m256d, __m256d, __m256d);
__m256d one_more(__m256d);
static __m256d make(int i) { return _mm256_set_pd(i + 300 * (i == 8), i + 200 * (i == 8), i + 100 * (i == 8), i); }
static void show(__m256d v) { printf("%g %g %g %g\n", v[0], v[1], v[2], v[3]); }
int main(void) {
  for (int i = 0; i < 2; i++)
    show(sum(make(1), make(2), make(3), make(4), make(5), make(6), make(7), make(8)));
  show(one_more(_mm256_set_pd(335, 235, 135, 35)));
}
//--- callee.c
#include <immintrin.h>
__m256d sum(__m256d a, __m256d b, __m256d c, __m256d d, __m256d e, __m256d f, __m256d g, __m256d h) { return a + b + c + d + e + f + g + h; }
__m256d one_more(__m256d v) { return v + _mm256_set1_pd(1); }
