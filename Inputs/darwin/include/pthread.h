#ifndef DARWIN_PTHREAD_H
#define DARWIN_PTHREAD_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
#define PTHREAD_STACK_MIN 131072
typedef unsigned long pthread_t;
typedef unsigned int pthread_key_t;
typedef union { char bytes[64]; long align; } pthread_attr_t;
typedef union { char bytes[64]; long align; } pthread_mutex_t;
typedef union { char bytes[32]; long align; } pthread_barrier_t;
typedef int pthread_once_t;
#define PTHREAD_MUTEX_INITIALIZER {{0}}
#define PTHREAD_ONCE_INIT 0
int pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int pthread_join(pthread_t, void **);
pthread_t pthread_self(void);
int pthread_attr_init(pthread_attr_t *);
int pthread_attr_setstacksize(pthread_attr_t *, size_t);
int pthread_mutex_lock(pthread_mutex_t *);
int pthread_mutex_unlock(pthread_mutex_t *);
int pthread_barrier_init(pthread_barrier_t *, const void *, unsigned);
int pthread_barrier_wait(pthread_barrier_t *);
int pthread_once(pthread_once_t *, void (*)(void));
int pthread_key_create(pthread_key_t *, void (*)(void *));
int pthread_setspecific(pthread_key_t, const void *);
void *pthread_getspecific(pthread_key_t);
#ifdef __cplusplus
}
#endif
#endif
