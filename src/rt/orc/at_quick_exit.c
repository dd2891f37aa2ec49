// at_quick_exit for C libraries that keep it in the static half of libc; see atexit.c.

typedef void handler(void);

// Calls the function without looking at its argument, so that an ordinary handler may be passed.
extern int __cxa_at_quick_exit(void (*function)(void *), void *component);
extern char __dso_handle;

int at_quick_exit(handler *function) {
  return __cxa_at_quick_exit((void (*)(void *))(__UINTPTR_TYPE__)function, &__dso_handle);
}
