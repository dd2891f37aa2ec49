// Threads: Darwin's locks, whose static initializers are signatures, keys, stacks, semaphores.

#include "darwin.h"
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  uint32_t signature;
  char bytes[60];
} d_mutex;
_Static_assert(sizeof(pthread_mutex_t) <= sizeof(d_mutex), "a mutex of glibc's fits into one of Darwin's");

// PTHREAD_MUTEX_INITIALIZER and its likes are signatures; glibc's is all zeroes. Two threads may be the
// first to use a mutex.
static pthread_mutex_t *mutex(d_mutex *m) {
  uint32_t signature = __atomic_load_n(&m->signature, __ATOMIC_ACQUIRE);
  if ((signature & 0xfffffff0) == 0x32aaaba0)
    __atomic_compare_exchange_n(&m->signature, &signature, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return (pthread_mutex_t *)m;
}

// Of condition variables, likewise.
static pthread_cond_t *cond(uint32_t *c) {
  uint32_t signature = 0x3cb0b1bb;
  __atomic_compare_exchange_n(c, &signature, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return (pthread_cond_t *)c;
}

int darwin_pthread_mutex_init(d_mutex *m, const void *attributes) {
  return pthread_mutex_init((pthread_mutex_t *)m, attributes);
}
int darwin_pthread_mutex_lock(d_mutex *m) { return pthread_mutex_lock(mutex(m)); }
int darwin_pthread_mutex_trylock(d_mutex *m) { return pthread_mutex_trylock(mutex(m)); }
int darwin_pthread_mutex_unlock(d_mutex *m) { return pthread_mutex_unlock(mutex(m)); }
int darwin_pthread_mutex_destroy(d_mutex *m) { return pthread_mutex_destroy(mutex(m)); }
int darwin_pthread_mutexattr_settype(void *attributes, int kind) {
  static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
  return pthread_mutexattr_settype(attributes, kind >= 0 && kind <= 2 ? kinds[kind] : PTHREAD_MUTEX_NORMAL);
}

int darwin_pthread_cond_wait(void *c, d_mutex *m) { return pthread_cond_wait(cond(c), mutex(m)); }
int darwin_pthread_cond_signal(void *c) { return pthread_cond_signal(cond(c)); }
int darwin_pthread_cond_broadcast(void *c) { return pthread_cond_broadcast(cond(c)); }
int darwin_pthread_cond_destroy(void *c) { return pthread_cond_destroy(cond(c)); }
int darwin_pthread_cond_timedwait_relative_np(void *c, d_mutex *m, const struct timespec *span) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += span->tv_sec;
  end.tv_nsec += span->tv_nsec;
  if (end.tv_nsec >= 1000000000) {
    end.tv_sec++;
    end.tv_nsec -= 1000000000;
  }
  int result = pthread_cond_timedwait(cond(c), mutex(m), &end);
  // Darwin's ETIMEDOUT.
  return result == ETIMEDOUT ? 60 : result;
}

int darwin_pthread_key_create(unsigned long *key, void (*destroy)(void *)) {
  pthread_key_t own;
  int result = pthread_key_create(&own, destroy);
  *key = own;
  return result;
}

static size_t stack_of(pthread_t thread, char **top) {
  pthread_attr_t attributes;
  void *low;
  size_t size;
  pthread_getattr_np(thread, &attributes);
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  *top = (char *)low + size;
  return size;
}
void *darwin_pthread_get_stackaddr_np(pthread_t thread) {
  char *top;
  stack_of(thread, &top);
  return top;
}
size_t darwin_pthread_get_stacksize_np(pthread_t thread) {
  char *top;
  return stack_of(thread, &top);
}

int darwin_pthread_setname_np(const char *name) {
  (void)name;
  return 0;
}
int darwin_pthread_threadid_np(pthread_t thread, uint64_t *id) {
  (void)thread;
  *id = gettid();
  return 0;
}
int darwin_pthread_setcancelstate(int state, int *old) {
  int before;
  int result = pthread_setcancelstate(state ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE, &before);
  if (old)
    *old = before == PTHREAD_CANCEL_ENABLE;
  return result;
}

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
int darwin_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  return __register_atfork(prepare, parent, child, 0);
}

extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;
void darwin__tlv_atexit(void (*destroy)(void *), void *object) {
  __cxa_thread_atexit_impl(destroy, object, &__dso_handle);
}

// --- dispatch semaphores

sem_t *darwin_dispatch_semaphore_create(long value) {
  sem_t *made = malloc(sizeof *made);
  sem_init(made, 0, value);
  return made;
}
void darwin_dispatch_release(sem_t *s) {
  sem_destroy(s);
  free(s);
}
long darwin_dispatch_semaphore_signal(sem_t *s) {
  sem_post(s);
  return 0;
}
uint64_t darwin_dispatch_time(uint64_t when, int64_t delta) {
  (void)when;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec + delta;
}
long darwin_dispatch_semaphore_wait(sem_t *s, uint64_t until) {
  struct timespec end = {until / 1000000000, until % 1000000000};
  int result;
  do
    result = until == ~0ull ? sem_wait(s) : sem_timedwait(s, &end);
  while (result && errno == EINTR);
  return result;
}
