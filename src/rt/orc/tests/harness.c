// Tests of the runtime archive without a linker: trampolines written by hand, a dispatch function that answers them
// after destroying everything a called function may destroy, and functions that look at what arrived.
//
// Usage: harness [mode]. Without a mode: every test that must come back. With one: a single lazy call, answered as the
// mode says; most must die, and the script `run` looks at status and output.

#include "harness.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

static int failures;
static const char *test_name;

#define CHECK(condition)                                                                                              \
  do {                                                                                                                \
    if (!(condition)) {                                                                                               \
      printf("%s:%d: %s: %s\n", __FILE__, __LINE__, test_name, #condition);                                           \
      ++failures;                                                                                                     \
    }                                                                                                                 \
  } while (0)

// ---- trampolines ----------------------------------------------------------------------------------------------------

extern void __orc_rt_reenter(void);

static unsigned char *trampolines;
static void *targets[64];
static int trampoline_count;

// Callable now; leads to `function` through the reentry routine, each time it is called.
static void *lazy(void *function) {
  targets[trampoline_count] = function;
  return trampolines + TRAMPOLINE_SIZE * trampoline_count++;
}

static void make_trampolines(void) {
  // Part of this program, as the routine is: both are in the reach of a direct call. Larger than any page.
  static unsigned char memory[2 << 16] __attribute__((aligned(1 << 16)));
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  trampolines = memory;
  for (int i = 0; i < 64; ++i)
    write_trampoline(trampolines + TRAMPOLINE_SIZE * i, (void *)&__orc_rt_reenter);
  if (mprotect(trampolines, page, PROT_READ | PROT_EXEC))
    abort();
  __builtin___clear_cache((char *)trampolines, (char *)trampolines + page);
}

// ---- the other side of the dispatch call ------------------------------------------------------------------------------

struct result {
  union {
    char *pointer;
    char bytes[8];
  } data;
  size_t size;
};

extern char __orc_rt_resolve_tag;
char __orc_rt_jit_dispatch_ctx;

static const char *mode = "good";
static void *seen_frames[64];
static int seen_frame_count;
static uintptr_t lowest_stack;
static int dispatches;

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *unused) {
  (void)unused;
  if (seen_frame_count < 64)
    seen_frames[seen_frame_count++] = (void *)_Unwind_GetIP(context);
  return _URC_NO_REASON;
}

static struct result message_result(const char *message) {
  uint64_t length = strlen(message);
  struct result result = {.size = 9 + length};
  result.data.pointer = malloc(result.size);
  result.data.pointer[0] = 0;
  memcpy(result.data.pointer + 1, &length, 8);
  memcpy(result.data.pointer + 9, message, length);
  return result;
}

#ifdef UNBOUND
#define __orc_rt_jit_dispatch unused_dispatch
#endif
struct result __orc_rt_jit_dispatch(void *context, const void *tag, const char *arguments, size_t size) {
  uint64_t trampoline;
  lowest_stack = (uintptr_t)__builtin_frame_address(0);
  if (context != &__orc_rt_jit_dispatch_ctx || tag != &__orc_rt_resolve_tag || size < 8)
    abort();
  memcpy(&trampoline, arguments, 8);
  uint64_t index = (trampoline - (uintptr_t)trampolines) / TRAMPOLINE_SIZE;
  if ((trampoline - (uintptr_t)trampolines) % TRAMPOLINE_SIZE || index >= (uint64_t)trampoline_count)
    return message_result("unknown trampoline");
  __atomic_add_fetch(&dispatches, 1, __ATOMIC_RELAXED);
  errno = 77;

  if (!strcmp(mode, "backtrace")) {
    seen_frame_count = 0;
    _Unwind_Backtrace(note_frame, 0);
  } else if (!strcmp(mode, "message")) {
    return message_result("no definition of missing_function");
  } else if (!strcmp(mode, "empty-message")) {
    return message_result("");
  } else if (!strcmp(mode, "out-of-band")) {
    return (struct result){.data.pointer = strdup("disconnecting"), .size = 0};
  } else if (!strcmp(mode, "empty")) {
    return (struct result){.size = 0};
  } else if (!strcmp(mode, "inline")) {
    return (struct result){.data.bytes = {1, 2, 3}, .size = 3};
  } else if (!strcmp(mode, "short")) {
    struct result result = {.data.pointer = calloc(1, 10), .size = 10};
    result.data.pointer[0] = 1;
    return result;
  } else if (!strcmp(mode, "bad-length")) {
    struct result result = message_result("x");
    memset(result.data.pointer + 1, 0xff, 8);
    return result;
  } else if (!strcmp(mode, "null-address")) {
    struct result result = {.data.pointer = calloc(1, 11), .size = 11};
    result.data.pointer[0] = 1;
    return result;
  }

  uint64_t address = (uintptr_t)targets[index];
  if (!strcmp(mode, "plain") || !strcmp(mode, "plain-null")) {
    struct result plain = {.size = 8};
    if (mode[5] == 0)
      memcpy(plain.data.bytes, &address, 8);
    clobber_registers();
    return plain;
  }

  struct result result = {.data.pointer = malloc(11), .size = 11};
  result.data.pointer[0] = 1;
  memcpy(result.data.pointer + 1, &address, 8);
  result.data.pointer[9] = 0x30;
  result.data.pointer[10] = 0;
  clobber_registers();
  return result;
}

// ---- registers ------------------------------------------------------------------------------------------------------

static struct registers sent, received;

// Every register holds a value of its own when the trampoline is entered, and holds it still in the function.
static void registers_survive(void) {
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < sizeof(sent); ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    ((unsigned char *)&sent)[i] = (unsigned char)(state >> 32);
  }
  prepare_registers(&sent);
  memset(&received, 0x5a, sizeof(received));
  call_with_registers(&sent, &received, lazy((void *)&capture_registers));
  size_t size = registers_size();
  for (size_t i = 0; i < size; ++i)
    if (((char *)&sent)[i] != ((char *)&received)[i]) {
      printf("%s: byte %zu of %zu differs: sent %02x, received %02x\n", test_name, i, size, ((unsigned char *)&sent)[i],
             ((unsigned char *)&received)[i]);
      ++failures;
      return;
    }
  CHECK(received.stack_ok);
  printf("%s: %zu bytes of registers compared, %s\n", test_name, size, vector_name());
}

// ---- C calls --------------------------------------------------------------------------------------------------------

static long sum_many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, const char *k, short l) {
  return a + 2L * b + 3L * c + 4L * d + 5L * e + 6L * f + 7L * g + 8L * h + 9L * i + 10L * j + 11L * k[1] + 12L * l;
}
static void stack_arguments(void) {
  long (*volatile function)(int, int, int, int, int, int, int, int, int, int, const char *, short) =
      lazy((void *)&sum_many);
  CHECK(function(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "\1\2", -3) == 385 + 22 - 36);
}

static double sum_variadic(int count, ...) {
  va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; ++i)
    sum += va_arg(list, double) * (i + 1) + va_arg(list, int);
  va_end(list);
  return sum;
}
static void variadic(void) {
  double (*volatile function)(int, ...) = lazy((void *)&sum_variadic);
  CHECK(function(10, 1.5, 1, 2.5, 2, 3.5, 3, 4.5, 4, 5.5, 5, 6.5, 6, 7.5, 7, 8.5, 8, 9.5, 9, 10.5, 10) == 467.5);
}

struct big {
  long values[9];
};
static struct big make_big(long start) {
  struct big big;
  for (int i = 0; i < 9; ++i)
    big.values[i] = start + i;
  return big;
}
static void structure_return(void) {
  struct big (*volatile function)(long) = lazy((void *)&make_big);
  struct big big = function(40);
  CHECK(big.values[0] == 40 && big.values[8] == 48);
}

static long double sum_long_double(long double a, double b, float c, __int128 d) { return a + b + c + (long double)d; }
static void floating_point(void) {
  long double (*volatile function)(long double, double, float, __int128) = lazy((void *)&sum_long_double);
  CHECK(function(1.25L, 2.5, 4.0f, (__int128)1 << 70) == 7.75L + (long double)((__int128)1 << 70));
}

static int read_rounding(void) { return fegetround(); }
static void rounding_mode(void) {
  int (*volatile function)(void) = lazy((void *)&read_rounding);
  fesetround(FE_UPWARD);
  int inside = function();
  int after = fegetround();
  fesetround(FE_TONEAREST);
  CHECK(inside == FE_UPWARD);
  CHECK(after == FE_UPWARD);
}

static int read_errno(void) { return errno; }
static void errno_survives(void) {
  int (*volatile function)(void) = lazy((void *)&read_errno);
  errno = 5;
  CHECK(function() == 5);
}

static int factorial_step(int n);
static int (*volatile factorial)(int);
static int factorial_step(int n) { return n ? n * factorial(n - 1) : 1; }
static void plain_answer(void) {
  int (*volatile function)(void) = lazy((void *)&read_errno);
  errno = 6;
  mode = "plain";
  CHECK(function() == 6);
  mode = "good";
}

static void recursion(void) {
  factorial = lazy((void *)&factorial_step);
  CHECK(factorial(10) == 3628800);
}

// ---- unwinding ------------------------------------------------------------------------------------------------------

static int answer(void) { return 42; }

static __attribute__((noinline)) int caller_of_lazy(int (*volatile function)(void), void **return_address) {
  *return_address = __builtin_return_address(0);
  return function() + 1;
}

static void backtrace_walks_through(void) {
  void *return_address;
  mode = "backtrace";
  CHECK(caller_of_lazy(lazy((void *)&answer), &return_address) == 43);
  mode = "good";
  int caller = -1, caller_caller = -1, on_trampoline = -1;
  for (int i = 0; i < seen_frame_count; ++i) {
    uintptr_t address = (uintptr_t)seen_frames[i];
    if (address - (uintptr_t)&caller_of_lazy < 256 && caller < 0)
      caller = i;
    if (seen_frames[i] == return_address)
      caller_caller = i;
    if (address - (uintptr_t)trampolines < 4096)
      on_trampoline = i;
  }
  CHECK(caller > 0);
  CHECK(caller_caller == caller + 1);
  CHECK(on_trampoline < 0);
  CHECK(seen_frame_count > caller_caller + 1);
}

// ---- stack and threads ----------------------------------------------------------------------------------------------

static uintptr_t stack_at_call;
static void *call_on_thread(void *function) {
  stack_at_call = (uintptr_t)__builtin_frame_address(0);
  return (void *)(intptr_t)((int (*)(void))function)();
}
static void small_stack(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  void *value = 0;
  pthread_attr_init(&attributes);
  long smallest = sysconf(_SC_THREAD_STACK_MIN);
  CHECK(pthread_attr_setstacksize(&attributes, smallest > 16384 ? (size_t)smallest : 16384) == 0);
  CHECK(pthread_create(&thread, &attributes, call_on_thread, lazy((void *)&answer)) == 0);
  pthread_join(thread, &value);
  CHECK((intptr_t)value == 42);
  printf("%s: %zu bytes of stack from the caller's frame to the dispatch function's\n", test_name,
         (size_t)(stack_at_call - lowest_stack));
}

static void *call_often(void *function) {
  long wrong = 0;
  for (int i = 0; i < 2000; ++i)
    wrong += ((int (*)(void))function)() != 42;
  return (void *)wrong;
}
static void many_threads(void) {
  pthread_t threads[8];
  void *function = lazy((void *)&answer);
  for (int i = 0; i < 8; ++i)
    pthread_create(&threads[i], 0, call_often, function);
  for (int i = 0; i < 8; ++i) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    CHECK(!wrong);
  }
}

// ---- failure --------------------------------------------------------------------------------------------------------

#ifdef OVERRIDE
static jmp_buf escape;
static char escaped_message[64];
void __orc_rt_resolve_failed(void *stub, const char *message) {
  CHECK(stub == trampolines + TRAMPOLINE_SIZE * (trampoline_count - 1));
  strncpy(escaped_message, message, sizeof(escaped_message) - 1);
  longjmp(escape, 1);
}
static void failure_is_overridden(void) {
  int (*volatile function)(void) = lazy((void *)&answer);
  mode = "message";
  if (setjmp(escape) == 0) {
    function();
    CHECK(!"the call came back");
  }
  mode = "good";
  CHECK(!strcmp(escaped_message, "no definition of missing_function"));
}
#endif

// ---- exit and fork handlers -----------------------------------------------------------------------------------------

static void say(const char *word) {
  if (write(1, word, strlen(word)) < 0)
    abort();
}
static void on_prepare(void) { say("prepare "); }
static void on_parent(void) { say("parent "); }
static void on_child(void) { _exit(0); }
static void on_exit_handler(void) { say("exit"); }
static void on_quick_exit(void) { say("quick"); }

// The registering functions are the archive's: it precedes the C library on the command line.
static void register_handlers(void) {
  if (atexit(on_exit_handler) || at_quick_exit(on_quick_exit) || pthread_atfork(on_prepare, on_parent, on_child))
    abort();
}

// ---- the list -------------------------------------------------------------------------------------------------------

static const struct {
  const char *name;
  void (*run)(void);
} tests[] = {
    {"registers_survive", registers_survive},
    {"stack_arguments", stack_arguments},
    {"variadic", variadic},
    {"structure_return", structure_return},
    {"floating_point", floating_point},
    {"rounding_mode", rounding_mode},
    {"errno_survives", errno_survives},
    {"plain_answer", plain_answer},
    {"recursion", recursion},
    {"backtrace_walks_through", backtrace_walks_through},
    {"small_stack", small_stack},
    {"many_threads", many_threads},
#ifdef OVERRIDE
    {"failure_is_overridden", failure_is_overridden},
#endif
};

int main(int argc, char **argv) {
  make_trampolines();
  if (argc > 1) {
    mode = argv[1];
    if (!strcmp(mode, "handlers")) {
      register_handlers();
      return fork() < 0;
    }
    if (!strcmp(mode, "quick-handlers")) {
      register_handlers();
      quick_exit(0);
    }
    int (*volatile function)(void) = lazy((void *)&answer);
    fprintf(stderr, "%p\n", (void *)(uintptr_t)function);
    fputs("unflushed", stdout);
    return function();
  }
  for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); ++i) {
    test_name = tests[i].name;
    tests[i].run();
  }
  printf("%d failures, %d dispatches\n", failures, dispatches);
  return failures != 0;
}
