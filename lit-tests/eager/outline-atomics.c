// Out-of-line atomic operations, which a static program takes from the compiler's library, come from the runtime.
//
// REQUIRES: aarch64
// RUN: %clang -O1 -moutline-atomics -c %s -o %t.o
// RUN: %same %t.o | FileCheck %s
//
// CHECK: 8 bit: 7 12 3 fd 0 255 251 1 0
// CHECK: 64 bit: 7 12 3 fd 0 18446744073709551615 18446744073709551611 1 0
// CHECK: 800000

#include <pthread.h>
#include <stdio.h>

// Each operation with a value that shows whether the old one comes back and whether the new one is stored.
#define ALL(type, bits)                                                                                                \
  static void all##bits(void) {                                                                                        \
    type v = 7;                                                                                                        \
    unsigned long r[8];                                                                                                \
    r[0] = __atomic_fetch_add(&v, 5, __ATOMIC_SEQ_CST);                                                                \
    r[1] = __atomic_exchange_n(&v, 3, __ATOMIC_ACQ_REL);                                                               \
    r[2] = __atomic_fetch_xor(&v, 0xfe, __ATOMIC_RELAXED);                                                             \
    r[3] = __atomic_fetch_and(&v, 2, __ATOMIC_RELEASE);                                                                \
    r[4] = v;                                                                                                          \
    v = 0;                                                                                                             \
    __atomic_fetch_sub(&v, 1, __ATOMIC_ACQUIRE);                                                                       \
    r[5] = v;                                                                                                          \
    __atomic_fetch_and(&v, (type)~4, __ATOMIC_SEQ_CST);                                                                \
    r[6] = __atomic_fetch_or(&v, 4, __ATOMIC_SEQ_CST);                                                                 \
    type expected = r[5];                                                                                              \
    int swapped = __atomic_compare_exchange_n(&v, &expected, 9, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
    int again = __atomic_compare_exchange_n(&v, &expected, 9, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);                  \
    printf("%d bit: %lu %lu %lu %lx %lu %lu %lu %d %d\n", bits, r[0], r[1], r[2], r[3], r[4], r[5], r[6], swapped,     \
           again);                                                                                                     \
  }
ALL(unsigned char, 8)
ALL(unsigned short, 16)
ALL(unsigned, 32)
ALL(unsigned long, 64)

static int count;
static void *work(void *unused) {
  for (int i = 0; i < 100000; i++)
    __atomic_fetch_add(&count, 2, __ATOMIC_RELAXED);
  return unused;
}

int main(void) {
  all8();
  all16();
  all32();
  all64();
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    pthread_create(&threads[i], 0, work, 0);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], 0);
  printf("%d\n", count);
}
