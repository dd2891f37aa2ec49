// pthread_atfork for C libraries that keep it in the static half of libc; see atexit.c.

typedef void handler(void);

extern int __register_atfork(handler *prepare, handler *parent, handler *child, void *component);
extern char __dso_handle;

int pthread_atfork(handler *prepare, handler *parent, handler *child) {
  return __register_atfork(prepare, parent, child, &__dso_handle);
}
