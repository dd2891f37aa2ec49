#ifndef DARWIN_SYS_WAIT_H
#define DARWIN_SYS_WAIT_H
#include <unistd.h>
#ifdef __cplusplus
extern "C" {
#endif
pid_t wait(int *);
pid_t waitpid(pid_t, int *, int);
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)
#ifdef __cplusplus
}
#endif
#endif
