// dlopen and dlsym, and through them what the programs get that the macOS build links and runs.

#include "darwin.h"
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

static uint32_t word_at(const void *place) {
  uint32_t word;
  memcpy(&word, place, 4);
  return word;
}

#define PATTERN(size)                                                                                                  \
  static void memset_pattern##size(char *to, const char *pattern, size_t length) {                                     \
    for (size_t i = 0; i < length; i++)                                                                                \
      to[i] = pattern[i % size];                                                                                       \
  }
PATTERN(4)
PATTERN(8)
PATTERN(16)

struct sine_and_cosine {
  double sine, cosine;
};
static struct sine_and_cosine sincos_stret(double angle) { return (struct sine_and_cosine){sin(angle), cos(angle)}; }
struct sine_and_cosine_of_float {
  float sine, cosine;
};
static struct sine_and_cosine_of_float sincosf_stret(float angle) {
  return (struct sine_and_cosine_of_float){sinf(angle), cosf(angle)};
}

static uint64_t stack_guard = 0x1122334455667700;

// Darwin's takes one entry; libgcc's takes all up to a terminator. So the first one of each section tells
// of all.
static void register_frame(const uint32_t *entry) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static struct {
    const char *start, *end;
  } known[65536];
  static int count;
  pthread_mutex_lock(&lock);
  int is_known = 0;
  for (int i = 0; i < count; i++)
    is_known |= known[i].start <= (const char *)entry && (const char *)entry < known[i].end;
  if (!is_known) {
    const char *end = (const char *)entry;
    while (word_at(end))
      end += 4 + word_at(end);
    known[count].start = (const char *)entry;
    known[count++].end = end;
    void (*tell)(const void *) = dlsym(RTLD_DEFAULT, "__register_frame");
    tell(entry);
  }
  pthread_mutex_unlock(&lock);
}

#ifdef __aarch64__
// Apple passes variable arguments on the stack: makes a va_list of glibc's from there.
#define PRINTS(name, target, reg)                                                                                      \
  __asm__(".globl " #name "\n.type " #name ",%function\n" #name ": stp x29, x30, [sp, #-48]!\n mov x29, sp\n"          \
          " add x16, sp, #48\n str x16, [sp, #16]\n str xzr, [sp, #40]\n add " reg ", sp, #16\n bl " #target "\n"      \
          " ldp x29, x30, [sp], #48\n ret\n");                                                                         \
  void name(void);
PRINTS(apple_printf, vprintf, "x1")
PRINTS(apple_fprintf, vfprintf, "x2")
PRINTS(apple_dprintf, vdprintf, "x2")
PRINTS(apple_sprintf, vsprintf, "x2")
PRINTS(apple_snprintf, vsnprintf, "x3")
#endif

static const struct {
  const char *name;
  void *address;
} own[] = {
    {"__error", darwin___error},
    {"memset_pattern4", memset_pattern4},
    {"memset_pattern8", memset_pattern8},
    {"memset_pattern16", memset_pattern16},
    {"__sincos_stret", sincos_stret},
    {"__sincosf_stret", sincosf_stret},
    {"__stack_chk_guard", &stack_guard},
    {"_tlv_atexit", darwin__tlv_atexit},
    {"pthread_atfork", darwin_pthread_atfork},
    {"__register_frame", register_frame},
    {"__stdinp", &stdin},
    {"__stdoutp", &stdout},
    {"__stderrp", &stderr},
    {"__bzero", explicit_bzero},
#ifdef __aarch64__
    {"printf", apple_printf},
    {"fprintf", apple_fprintf},
    {"dprintf", apple_dprintf},
    {"sprintf", apple_sprintf},
    {"snprintf", apple_snprintf},
#endif
};

void *darwin_dlopen(const char *path, int flags) {
  enum { D_RTLD_GLOBAL = 8 };
  if (path && strstr(path, "libc++"))
    path = "libstdc++.so.6";
  // What every process has.
  if (path && !strcmp(path, "/usr/lib/libSystem.B.dylib"))
    path = 0;
  return dlopen(path, (flags & (RTLD_LAZY | RTLD_NOW)) | (flags & D_RTLD_GLOBAL ? RTLD_GLOBAL : 0));
}

void *darwin_dlsym(void *handle, const char *name) {
  // RTLD_DEFAULT of Apple's <dlfcn.h>.
  if (handle == (void *)-2)
    handle = RTLD_DEFAULT;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (!strcmp(own[i].name, name))
      return own[i].address;
  void *found = dlsym(handle, name);
  if (!found)
    TRACE("dlsym(%s): nothing\n", name);
  return found;
}
