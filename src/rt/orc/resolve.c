// Which function does a reentry trampoline stand for? The linker knows; this asks it.
//
// The question is one JIT dispatch call, answered by the session on the calling thread or in another process:
//
//     tag        address of __orc_rt_resolve_tag
//     argument   address of the trampoline, 8 bytes; behind it, PLAIN_ANSWER in 8 more
//     result     Expected<ExecutorSymbolDef> in simple packed serialization, all little-endian:
//                01, address (8 bytes), symbol flags (1), target flags (1)
//                00, length (8 bytes), message
//                or the address alone, 8 bytes, from a session that looks at the second word
//
// A first call may come from a signal handler, and what it interrupts may be malloc. The standard answer is longer than
// what a result holds inline, so it comes from malloc and is freed here; the address alone does without. A session
// that knows one word of argument only ignores the other, as every receiver of such arguments does.
//
// Nothing here is shared between calls, so any number of threads may be here at once, and a resolve may run inside
// another one.

#include "runtime.h"

// The result of a wrapper function, as every such function of the ORC interface returns it.
//
//   size 0, pointer null       nothing
//   size 0, pointer not null   an error outside the result's own encoding: text from malloc
//   size 1 to 8                the bytes themselves, in `bytes`
//   more                       `size` bytes from malloc
struct result {
  union {
    char *pointer;
    u8 bytes[sizeof(u64)];
  } data;
  usize size;
};

// Both are bound by the session. Weak, so that a program may be linked and run without one as long as it calls nothing
// lazy. The context is the symbol's address; there may be nothing to read there.
ORC_RT_WEAK extern struct result __orc_rt_jit_dispatch(void *context, const void *tag, const char *arguments,
                                                       usize size);
ORC_RT_WEAK extern char __orc_rt_jit_dispatch_ctx;

// The address is the tag; the content means nothing.
ORC_RT_EXPORT ORC_RT_USED char __orc_rt_resolve_tag;

// Where the C library keeps errno; weak, since the name is not a standard one. A function may be called for the first
// time to report what errno says, so the linker's own system calls must not show there.
#ifdef __APPLE__
#define ERRNO_LOCATION __error
#else
#define ERRNO_LOCATION __errno_location
#endif
ORC_RT_WEAK extern int *ERRNO_LOCATION(void);

enum {
  PLAIN_ANSWER = 1,
  HAS_VALUE = 1,
  TAG_SIZE = 1,
  VALUE_SIZE = TAG_SIZE + sizeof(u64) + 2,
  MESSAGE_HEADER_SIZE = TAG_SIZE + sizeof(u64),
};

static u64 read_u64(const u8 *bytes) {
  u64 value = 0;
  for (int i = 7; i >= 0; --i)
    value = value << 8 | bytes[i];
  return value;
}

// The landing address that the answer holds, or null and the reason in `*failure`.
static void *landing_at(u64 address, const char **failure) {
  if (address == 0)
    *failure = "the answer is the null address";
  return (void *)(uptr)address;
}

// Reads a standard answer. Returns the landing address, or null and the reason in `*failure`, which then points to a constant
// or into the buffer itself: the message is moved to the buffer's start, where its header leaves room for the zero byte.
static void *decode(u8 *bytes, usize size, const char **failure) {
  if (size >= VALUE_SIZE && bytes[0] == HAS_VALUE)
    return landing_at(read_u64(bytes + TAG_SIZE), failure);
  if (size < MESSAGE_HEADER_SIZE || bytes[0] != 0 || read_u64(bytes + TAG_SIZE) > size - MESSAGE_HEADER_SIZE) {
    *failure = "malformed answer to the resolve call";
    return 0;
  }
  usize length = (usize)read_u64(bytes + TAG_SIZE);
  for (usize i = 0; i < length; ++i) {
    bytes[i] = bytes[MESSAGE_HEADER_SIZE + i];
    __asm__("" ::: "memory"); // keeps the loop from becoming a call of memmove, a name not taken from the process
  }
  bytes[length] = 0;
  *failure = length ? (const char *)bytes : "no reason given";
  return 0;
}

static __attribute__((noreturn)) void fail(void *trampoline, const char *message) {
  __orc_rt_resolve_failed(trampoline, message);
  abort();
}

// The landing address for the reentry trampoline at `trampoline`. Called by the reentry routine only.
ORC_RT_HIDDEN void *__orc_rt_resolve(void *trampoline) {
  if (!__orc_rt_jit_dispatch)
    fail(trampoline, "__orc_rt_jit_dispatch not set");
  if (!&__orc_rt_jit_dispatch_ctx)
    fail(trampoline, "__orc_rt_jit_dispatch_ctx not set");

  int *errno_location = ERRNO_LOCATION ? ERRNO_LOCATION() : 0;
  int saved_errno = errno_location ? *errno_location : 0;

  u64 arguments[] = {(u64)(uptr)trampoline, PLAIN_ANSWER};
  struct result result = __orc_rt_jit_dispatch(&__orc_rt_jit_dispatch_ctx, &__orc_rt_resolve_tag,
                                               (const char *)arguments, sizeof(arguments));

  const char *failure = 0;
  void *landing = 0;
  u8 *allocated = result.size > sizeof(result.data.bytes) ? (u8 *)result.data.pointer : 0;
  if (allocated)
    landing = decode(allocated, result.size, &failure);
  else if (result.size == sizeof(result.data.bytes))
    landing = landing_at(read_u64(result.data.bytes), &failure);
  else if (result.size == 0 && result.data.pointer)
    failure = result.data.pointer;
  else
    failure = result.size ? "malformed answer to the resolve call" : "empty answer to the resolve call";

  if (failure)
    fail(trampoline, failure);
  if (allocated)
    free(allocated);
  if (errno_location)
    *errno_location = saved_errno;
  return landing;
}
