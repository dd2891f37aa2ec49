#ifndef DARWIN_SIGNAL_H
#define DARWIN_SIGNAL_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
// Numbers and structures of the C library of Linux.
#define SIGABRT 6
#define SIGUSR1 10
#define SIGSEGV 11
#define SA_ONSTACK 0x08000000
typedef struct { unsigned long bits[16]; } sigset_t;
typedef struct { void *ss_sp; int ss_flags; size_t ss_size; } stack_t;
struct sigaction {
  void (*sa_handler)(int);
  sigset_t sa_mask;
  int sa_flags;
  void (*sa_restorer)(void);
};
int sigaction(int, const struct sigaction *, struct sigaction *);
int sigaltstack(const stack_t *, stack_t *);
int raise(int);
void (*signal(int, void (*)(int)))(int);
#ifdef __cplusplus
}
#endif
#endif
