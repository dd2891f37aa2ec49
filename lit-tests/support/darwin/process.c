// The process: its arguments, environment, limits, clocks, children, and errno.

#include "darwin.h"
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int darwin_traces;
static char **argument_values;
static int argument_count;

__attribute__((constructor)) static void start(int count, char **values) {
  darwin_traces = getenv("DARWIN_TRACE") != 0;
  argument_count = count;
  argument_values = values;
}

extern int __cxa_atexit(void (*)(void *), void *, void *);
extern void *__dso_handle;
int darwin_atexit(void (*function)(void)) { return __cxa_atexit((void (*)(void *))function, 0, &__dso_handle); }

int *darwin___error(void) { return &errno; }
int *darwin__NSGetArgc(void) { return &argument_count; }
char ***darwin__NSGetArgv(void) { return &argument_values; }
char ***darwin__NSGetEnviron(void) { return &environ; }
int darwin__NSGetExecutablePath(char *path, uint32_t *size) {
  ssize_t length = readlink("/proc/self/exe", path, *size - 1);
  if (length < 0)
    return -1;
  path[length] = 0;
  return 0;
}
void darwin_setprogname(const char *name) {
  const char *slash = strrchr(name, '/');
  program_invocation_short_name = (char *)(slash ? slash + 1 : name);
}

int darwin_CCRandomGenerateBytes(void *to, size_t size) { return getrandom(to, size, 0) != (ssize_t)size; }

// dyld's images: none is known to the linker there.
uint32_t darwin__dyld_image_count(void) { return 0; }
void *darwin__dyld_get_image_header(uint32_t number) {
  (void)number;
  return 0;
}
void *darwin__dyld_get_image_name(uint32_t number) {
  (void)number;
  return 0;
}
intptr_t darwin__dyld_get_image_vmaddr_slide(uint32_t number) {
  (void)number;
  return 0;
}

int darwin_clock_gettime(int clock, struct timespec *time) {
  return clock_gettime(clock ? CLOCK_MONOTONIC : CLOCK_REALTIME, time);
}
int darwin_mach_timebase_info(uint32_t *info) {
  info[0] = info[1] = 1;
  return 0;
}
int darwin_mach_wait_until(uint64_t end) {
  (void)end;
  return 0;
}
const char *darwin_mach_error_string(int number) {
  (void)number;
  return "?";
}

long darwin_sysconf(int name) {
  switch (name) {
  case 29: // _SC_PAGESIZE
    return PAGE;
  case 56: // _SC_IOV_MAX
    return sysconf(_SC_IOV_MAX);
  case 57: // _SC_NPROCESSORS_CONF
  case 58: // _SC_NPROCESSORS_ONLN
    return sysconf(_SC_NPROCESSORS_ONLN);
  case 71: // _SC_GETPW_R_SIZE_MAX
    return sysconf(_SC_GETPW_R_SIZE_MAX);
  default:
    TRACE("sysconf(%d)\n", name);
    return fail(EINVAL);
  }
}

int darwin_getrlimit(int what, struct rlimit *limit) {
  enum { D_RLIMIT_NPROC = 7, D_RLIMIT_NOFILE = 8 };
  int own = what == D_RLIMIT_NOFILE ? RLIMIT_NOFILE : what == D_RLIMIT_NPROC ? RLIMIT_NPROC : what;
  return getrlimit(own, limit);
}

extern int __xpg_strerror_r(int, char *, size_t);
int darwin_strerror_r(int number, char *to, size_t size) { return __xpg_strerror_r(number, to, size); }

// --- children: Darwin's objects are pointers

int darwin_posix_spawnattr_init(void **attributes) {
  *attributes = malloc(sizeof(posix_spawnattr_t));
  return posix_spawnattr_init(*attributes);
}
int darwin_posix_spawnattr_destroy(void **attributes) {
  posix_spawnattr_destroy(*attributes);
  free(*attributes);
  return 0;
}
int darwin_posix_spawnattr_setflags(void **attributes, short flags) {
  (void)attributes, (void)flags;
  return 0;
}
int darwin_posix_spawnattr_setpgroup(void **attributes, int group) {
  (void)attributes, (void)group;
  return 0;
}
int darwin_posix_spawnattr_setsigdefault(void **attributes, void *set) {
  (void)attributes, (void)set;
  return 0;
}
int darwin_posix_spawn_file_actions_init(void **actions) {
  *actions = malloc(sizeof(posix_spawn_file_actions_t));
  return posix_spawn_file_actions_init(*actions);
}
int darwin_posix_spawn_file_actions_destroy(void **actions) {
  posix_spawn_file_actions_destroy(*actions);
  free(*actions);
  return 0;
}
int darwin_posix_spawn_file_actions_adddup2(void **actions, int from, int to) {
  return posix_spawn_file_actions_adddup2(*actions, from, to);
}
int darwin_posix_spawnp(pid_t *child, const char *file, void **actions, void **attributes, char **arguments,
                        char **environment) {
  (void)attributes;
  return posix_spawnp(child, file, actions ? *actions : 0, 0, arguments, environment);
}
