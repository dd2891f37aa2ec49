#ifndef DARWIN_STDIO_H
#define DARWIN_STDIO_H
#include <stdarg.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct FILE FILE;
// Darwin's names of the streams.
extern FILE *__stdinp, *__stdoutp, *__stderrp;
#define stdin __stdinp
#define stdout __stdoutp
#define stderr __stderrp
#define EOF (-1)
#define BUFSIZ 8192
#define _IONBF 2
int printf(const char *, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE *, const char *, ...) __attribute__((format(printf, 2, 3)));
int sprintf(char *, const char *, ...) __attribute__((format(printf, 2, 3)));
int snprintf(char *, size_t, const char *, ...) __attribute__((format(printf, 3, 4)));
int sscanf(const char *, const char *, ...) __attribute__((format(scanf, 2, 3)));
int puts(const char *);
int fputs(const char *, FILE *);
int putchar(int);
int fputc(int, FILE *);
int fflush(FILE *);
int setvbuf(FILE *, char *, int, size_t);
size_t fwrite(const void *, size_t, size_t, FILE *);
void perror(const char *);
#ifdef __cplusplus
}
#endif
#endif
