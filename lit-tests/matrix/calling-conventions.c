// First calls by conventions that leave more registers alone, or pass more in them, than the usual one: preserve_most, preserve_all, regcall, ms_abi, a static
// chain, vector functions of aarch64.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=other.c --work=%t/objects | FileCheck %s
//
// CHECK: {{[1-9][0-9]*}} combinations, 0 differ

//--- conventions.h
#if defined __clang__
#define MOST __attribute__((preserve_most))
#define ALL __attribute__((preserve_all))
#else
#define MOST
#define ALL
#endif
#if defined __clang__ && defined __x86_64__
#define MANY __attribute__((regcall))
#else
#define MANY
#endif
#ifdef __x86_64__
#define FOREIGN __attribute__((ms_abi))
#else
#define FOREIGN
#endif
MOST void most(long *);
ALL void all(long *);
MANY long many(long, long, long, long, long, long, long, long, long, long, long, double, double, double, double, double, double, double, double, double, double, double);
FOREIGN long foreign(long, double, long, double, long, long, double);
#ifdef __aarch64__
#include <arm_neon.h>
__attribute__((aarch64_vector_pcs)) float64x2_t vectors(float64x2_t, float64x2_t);
#endif
//--- main.c
#include "conventions.h"
#include <stdio.h>
volatile long seed = 3;
volatile double real = 1.5;
int main(void) {
  long n = 1;
  long a = seed, b = seed + 1, c = seed * 3, d = seed ^ 7, e = seed + 9, f = seed - 4, g = seed * 11, h = seed << 3, i = seed | 64, j = seed + 77;
  double p = real, q = real * 2, r = real * 3, s = real * 4, t = real * 5, u = real * 6, v = real * 7, w = real * 8, x = real * 9, y = real * 10, z = real * 11;
  most(&n);
  long k = a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10;
  all(&n);
  printf("%ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld\n", n, k, a, b, c, d, e, f, g, h, i, j);
  printf("%ld\n", foreign(1, 2.5, 3, 4.5, 5, 6, 7.5));
  printf("%g %g %g %g %g %g %g %g %g %g %g\n", p, q, r, s, t, u, v, w, x, y, z);
  printf("%ld\n", many(a, b, c, d, e, f, g, h, i, j, k, p, q, r, s, t, u, v, w, x, y, z));
#ifdef __x86_64__
  long marker = 99, result;
  __asm__ volatile("mov %1, %%r10\n mov $5, %%rdi\n mov $0x1111, %%r11\n call with_chain\n"
                   : "=a"(result) : "r"(&marker) : "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
  printf("%ld\n", result);
#else
  float64x2_t l[14];
  for (int m = 0; m < 14; m++) l[m] = (float64x2_t){real * m, real + m};
  float64x2_t l0 = l[0] * real, l1 = l[1] * real, l2 = l[2] * real, l3 = l[3] * real, l4 = l[4] * real, l5 = l[5] * real, l6 = l[6] * real, l7 = l[7] * real,
    l8 = l[8] * real, l9 = l[9] * real, l10 = l[10] * real, l11 = l[11] * real, l12 = l[12] * real, l13 = l[13] * real;
  float64x2_t out[] = {vectors(l[3], l[9]), l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13};
  for (int m = 0; m < 15; m++) printf("%g %g\n", out[m][0], out[m][1]);
#endif
}
//--- other.c
#include "conventions.h"
MOST void most(long *n) { n[0] += 41; }
ALL void all(long *n) { n[0] *= 2; }
MANY long many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, double p, double q, double r, double s, double t, double u, double v, double w, double x, double y, double z) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k +
         (long)(p + 2 * q + 3 * r + 4 * s + 5 * t + 6 * u + 7 * v + 8 * w + 9 * x + 10 * y + 11 * z);
}
FOREIGN long foreign(long a, double b, long c, double d, long e, long f, double g) { return a + (long)b * c + (long)d * e + f * (long)g; }
#ifdef __x86_64__
__asm__(".text\n.globl with_chain\n.type with_chain, @function\nwith_chain:\n mov (%r10), %rax\n add %rdi, %rax\n add %r11, %rax\n ret\n.size with_chain, .-with_chain\n");
#else
__attribute__((aarch64_vector_pcs)) float64x2_t vectors(float64x2_t a, float64x2_t b) { return a * b + a; }
#endif
