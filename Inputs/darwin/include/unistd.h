#ifndef DARWIN_UNISTD_H
#define DARWIN_UNISTD_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
typedef int pid_t;
typedef long ssize_t;
ssize_t read(int, void *, size_t);
ssize_t write(int, const void *, size_t);
pid_t fork(void);
pid_t getpid(void);
void _exit(int) __attribute__((noreturn));
int close(int);
int usleep(unsigned);
unsigned alarm(unsigned);
int pause(void);
extern char **environ;
#ifdef __cplusplus
}
#endif
#endif
