#ifndef DARWIN_STDLIB_H
#define DARWIN_STDLIB_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);
void abort(void) __attribute__((noreturn));
void exit(int) __attribute__((noreturn));
void _Exit(int) __attribute__((noreturn));
int atexit(void (*)(void));
int atoi(const char *);
long strtol(const char *, char **, int);
char *getenv(const char *);
int setenv(const char *, const char *, int);
void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
int abs(int);
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#ifdef __cplusplus
}
#endif
#endif
