#ifndef DARWIN_SETJMP_H
#define DARWIN_SETJMP_H
// Larger than any C library's.
typedef union { char bytes[512]; double align __attribute__((aligned(16))); } jmp_buf[1];
#ifdef __cplusplus
extern "C" {
#endif
int setjmp(jmp_buf) __attribute__((returns_twice));
void longjmp(jmp_buf, int) __attribute__((noreturn));
#ifdef __cplusplus
}
#endif
#endif
