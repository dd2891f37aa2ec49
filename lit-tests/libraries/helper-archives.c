// What a static link takes from the compiler's helper archives, and no shared library has: found when nothing else defines it, also
// when the symbol is hidden and when a lazy file refers to it. The archive's initializer runs before the program's.
//
// REQUIRES: x86_64, gcc, elf
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %gcc -O1 -c %s -o main.o && %gcc -O1 -DFEATURES -c %s -o features.o
// RUN: %same --link=gcc main.o features.o | FileCheck %s
// RUN: %same --link=gcc main.o -lazy features.o | FileCheck %s
// RUN: %clang -O1 -c %s -o main.o && %clang -O1 -DFEATURES -c %s -o features.o
// RUN: %same main.o features.o | FileCheck %s
// RUN: %same -lazy main.o -lazy -lazy-granularity=object features.o | FileCheck %s
//
// CHECK: in an initializer: 1
// CHECK: sse2 1, as cpuid has it 1 1 1
// CHECK: same model 1
// CHECK: quotient 12345678901234567890
// CHECK: product 5 10, emulated 43
// CHECK: clone 1

#ifdef FEATURES
#include <cpuid.h>
#include <stdio.h>

extern struct {
  unsigned vendor, type, subtype, features[1];
} __cpu_model __attribute__((visibility("hidden")));
extern unsigned __cpu_features2[] __attribute__((visibility("hidden")));

const void *model(void) { return &__cpu_model; }

int features(void) {
  unsigned a, b, c, d;
  __cpuid(1, a, b, c, d);
  return !!__builtin_cpu_supports("sse4.2") == !!(c & bit_SSE4_2);
}
int more_features(void) { return __builtin_cpu_supports("sse2") != 0; }
int later_features(void) {
  (void)*(volatile unsigned *)__cpu_features2;
  return 1;
}
unsigned __int128 divide(unsigned __int128 a, unsigned __int128 b) { return a / b; }
#else
#include <complex.h>
#include <stdio.h>

extern struct {
  unsigned vendor, type, subtype, features[1];
} __cpu_model __attribute__((visibility("hidden")));
const void *model(void);
int features(void), more_features(void), later_features(void);
unsigned __int128 divide(unsigned __int128 a, unsigned __int128 b);
extern void *__emutls_get_address(void *);

__attribute__((constructor)) static void early(void) {
  printf("in an initializer: %d\n", __cpu_model.vendor != 0);
}

__attribute__((target("default"))) static int generic(void) { return 1; }
static int chosen(void) __attribute__((ifunc("choose")));
static void *choose(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse2") ? generic : 0;
}

int main(void) {
  printf("sse2 %d, as cpuid has it %d %d %d\n", more_features(), features(), __cpu_model.features[0] != 0, later_features());
  printf("same model %d\n", model() == &__cpu_model);
  unsigned __int128 big = (unsigned __int128)12345678901234567890ull * 1000000007;
  printf("quotient %llu\n", (unsigned long long)divide(big, 1000000007));
  volatile double complex a = 1 + 2 * I, b = 4 + 3 * I;
  double complex p = a * b + 7 - I;
  struct {
    unsigned long size, align;
    void *index, *value;
  } control = {4, 4, 0, &(int){43}};
  printf("product %g %g, emulated %d\n", creal(p), cimag(p), *(int *)__emutls_get_address(&control));
  printf("clone %d\n", chosen());
}
#endif
