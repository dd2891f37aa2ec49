#ifndef DARWIN_ERRNO_H
#define DARWIN_ERRNO_H
#ifdef __cplusplus
extern "C" {
#endif
// Darwin's name of the function; the numbers are the C library's.
int *__error(void);
#define errno (*__error())
#define EBADF 9
#define EDOM 33
#define ERANGE 34
#ifdef __cplusplus
}
#endif
#endif
