// atexit for C libraries that keep it in the static half of libc, out of reach of a symbol lookup in the process: it
// must be linked into each component, since it passes on that component's handle.

typedef void handler(void);

extern int __cxa_atexit(void (*function)(void *), void *argument, void *component);
// Defined by whoever loads the component.
extern char __dso_handle;

static void call(void *function) { ((handler *)(__UINTPTR_TYPE__)function)(); }

int atexit(handler *function) { return __cxa_atexit(call, (void *)(__UINTPTR_TYPE__)function, &__dso_handle); }
