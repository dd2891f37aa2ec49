// The C half of the per-architecture part of the tests; see harness.h.

#include "harness.h"

#include <string.h>

#ifdef __x86_64__

// 0: SSE, 1: AVX, 2: AVX-512.
int vector_level;

__attribute__((constructor)) static void find_vector_level(void) {
  vector_level = __builtin_cpu_supports("avx512bw") ? 2 : __builtin_cpu_supports("avx") ? 1 : 0;
}

size_t registers_size(void) { return 256 + (vector_level == 2 ? 32 * 64 : vector_level == 1 ? 16 * 32 : 16 * 16); }

const char *vector_name(void) { return vector_level == 2 ? "AVX-512" : vector_level == 1 ? "AVX" : "SSE"; }

void prepare_registers(struct registers *registers) {
  const uint32_t mxcsr = 0xff80;       // round to zero, flush to zero, everything masked
  const uint32_t control_word = 0x0e7f; // round to zero, 53 bits, everything masked
  const long double x87[2] = {1.25L, -3e300L};
  memcpy(registers->values + 112, &mxcsr, 4);
  memcpy(registers->values + 116, &control_word, 4);
  memset(registers->values + 120, 0, 8);
  memset(registers->values + 192, 0, 64);
  memcpy(registers->values + 192, &x87[0], 10);
  memcpy(registers->values + 208, &x87[1], 10);
  if (vector_level < 2)
    memset(registers->values + 128, 0x5a, 64); // as in `received`: there are no mask registers
}

void write_trampoline(unsigned char *at, void *reenter) {
  int32_t distance = (int32_t)((uintptr_t)reenter - (uintptr_t)(at + TRAMPOLINE_SIZE));
  at[0] = 0xe8;
  memcpy(at + 1, &distance, 4);
}

#else

#include <sys/auxv.h>

size_t scalable_vector_size(void);

// 0: Advanced SIMD, 1: SVE.
int vector_level;

__attribute__((constructor)) static void find_vector_level(void) { vector_level = getauxval(16) >> 22 & 1; }

size_t registers_size(void) {
  size_t vector = vector_level ? scalable_vector_size() : 16;
  return 256 + 32 * vector + (vector_level ? 17 * vector / 8 : 0);
}

const char *vector_name(void) { return vector_level ? "SVE" : "Advanced SIMD"; }

void prepare_registers(struct registers *registers) {
  const uint64_t fpcr = 0x01c00000; // round to zero, flush to zero
  const uint64_t fpsr = 0x0800001f; // every flag raised
  memcpy(registers->values + 224, &fpcr, 8);
  memcpy(registers->values + 232, &fpsr, 8);
  memset(registers->values + 240, 0, 16);
  if (vector_level) {
    // FFR is a row of ones followed by zeros, nothing else.
    size_t vector = scalable_vector_size();
    unsigned char *ffr = registers->values + 256 + 32 * vector + 16 * vector / 8;
    memset(ffr, 0, vector / 8);
    ffr[0] = 0x7f;
  }
}

void write_trampoline(unsigned char *at, void *reenter) {
  const uint32_t push = 0xa9bf7bfd;
  uint32_t branch = 0x94000000 | (((uintptr_t)reenter - (uintptr_t)(at + 4)) >> 2 & 0x03ffffff);
  memcpy(at, &push, 4);
  memcpy(at + 4, &branch, 4);
}

#endif
