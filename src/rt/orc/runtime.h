// What the C sources of the runtime share. They are freestanding: they include no system header, so that any clang or
// gcc compiles them for any target with nothing of that target installed, and they take from the process only the
// functions declared here.

#ifndef ORC_RT_RUNTIME_H
#define ORC_RT_RUNTIME_H

typedef unsigned char u8;
typedef __UINT64_TYPE__ u64;
typedef __SIZE_TYPE__ usize;
typedef __INTPTR_TYPE__ isize;
typedef __UINTPTR_TYPE__ uptr;

#define ORC_RT_WEAK __attribute__((weak))
#define ORC_RT_HIDDEN __attribute__((visibility("hidden")))
#define ORC_RT_EXPORT __attribute__((visibility("default")))
// Kept by dead stripping even though no code refers to it.
#define ORC_RT_USED __attribute__((used))

void abort(void) __attribute__((noreturn));
void *malloc(usize size);
void free(void *memory);
isize write(int file, const void *bytes, usize size);

// A lazy call cannot be completed. `stub` is the reentry trampoline that was called, `message` the reason, terminated by
// a zero byte and without a final full stop. The runtime's own prints both to standard error and aborts; a program that
// defines this symbol takes its place. It may leave by longjmp or by throwing; when it returns, the process aborts,
// because there is nothing to go on into. `message` may be used until then.
ORC_RT_EXPORT void __orc_rt_resolve_failed(void *stub, const char *message);

#endif
