// Memory as XNU has it: mmap's flags, MAP_JIT, and the right of each thread to write to that.

#include "darwin.h"
#include <pthread.h>
#include <sys/mman.h>

// Apple's <sys/mman.h>.
enum {
  D_SHARED = 1,
  D_PRIVATE = 2,
  D_FIXED = 0x10,
  D_NORESERVE = 0x40,
  D_JIT = 0x800,
  D_ANON = 0x1000,
};

static pthread_mutex_t jit_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  uintptr_t start, end;
} jit[4096];
static int jit_count;
static long jit_writes;

static uintptr_t to_page(uintptr_t size) { return (size + PAGE - 1) / PAGE * PAGE; }

static int overlaps_jit(uintptr_t at, size_t size) {
  for (int i = 0; i < jit_count; i++)
    if (at < jit[i].end && jit[i].start < at + size)
      return 1;
  return 0;
}

static int may_map(uintptr_t at, size_t size, int prot, int flags, off_t offset) {
  if (!size || flags & ~(D_ANON | D_JIT | D_NORESERVE | D_FIXED | D_SHARED | D_PRIVATE))
    return fail(EINVAL);
  if (flags & D_JIT && (flags & (D_FIXED | D_SHARED) || !(flags & D_ANON)))
    return fail(EINVAL);
  if (flags & D_FIXED && (at % PAGE || offset % PAGE))
    return fail(EINVAL);
  if (prot & PROT_WRITE && prot & PROT_EXEC && !(flags & D_JIT))
    return fail(EACCES);
  return 0;
}

// Maps `size` bytes, a multiple of a page of Darwin's, at such a page.
static void *map_aligned(size_t size, int prot, int flags, int fd, off_t offset) {
  char *room = mmap(0, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return room;
  char *aligned = (char *)to_page((uintptr_t)room);
  if (aligned > room)
    munmap(room, aligned - room);
  if (room + PAGE > aligned)
    munmap(aligned + size, room + PAGE - aligned);
  return mmap(aligned, size, prot, flags | MAP_FIXED, fd, offset);
}

void *darwin_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
  if (may_map((uintptr_t)at, size, prot, flags, offset))
    return MAP_FAILED;
  int own = flags & D_SHARED ? MAP_SHARED : MAP_PRIVATE;
  own |= (flags & D_ANON ? MAP_ANONYMOUS : 0) | (flags & D_NORESERVE ? MAP_NORESERVE : 0);
  int access = flags & D_JIT ? PROT_READ | PROT_EXEC : prot;
  size_t whole = to_page(size);
  void *found = MAP_FAILED;
  if (flags & D_FIXED)
    found = mmap(at, whole, access, own | MAP_FIXED, fd, offset);
  else if (at)
    found = mmap((void *)((uintptr_t)at / PAGE * PAGE), whole, access, own | MAP_FIXED_NOREPLACE, fd, offset);
  if (found == MAP_FAILED && !(flags & D_FIXED))
    found = map_aligned(whole, access, own, fd, offset);
  TRACE("mmap(%p, %#zx, %d, %#x, %d) = %p\n", at, size, prot, flags, fd, found);
  if (found != MAP_FAILED && flags & D_JIT) {
    pthread_mutex_lock(&jit_lock);
    jit[jit_count].start = (uintptr_t)found;
    jit[jit_count++].end = (uintptr_t)found + whole;
    pthread_mutex_unlock(&jit_lock);
  }
  return found;
}

int darwin_mprotect(void *at, size_t size, int prot) {
  TRACE("mprotect(%p, %#zx, %d)\n", at, size, prot);
  if ((uintptr_t)at % PAGE)
    return fail(EINVAL);
  // XNU does not let the protection of memory change that is governed by the thread's right.
  if ((prot & PROT_WRITE && prot & PROT_EXEC) || overlaps_jit((uintptr_t)at, size))
    return fail(EACCES);
  return mprotect(at, to_page(size), prot);
}

int darwin_munmap(void *at, size_t size) {
  if ((uintptr_t)at % PAGE)
    return fail(EINVAL);
  pthread_mutex_lock(&jit_lock);
  for (int i = 0; i < jit_count; i++)
    if (jit[i].start >= (uintptr_t)at && jit[i].end <= (uintptr_t)at + size)
      jit[i--] = jit[--jit_count];
  pthread_mutex_unlock(&jit_lock);
  return munmap(at, to_page(size));
}

// On a Mac the memory is either writable or executable to each thread. Here it becomes writable to all
// while any thread writes, and stays executable for the others.
void darwin_pthread_jit_write_protect_np(int on) {
  static __thread int may_write;
  static int writers;
  pthread_mutex_lock(&jit_lock);
  if ((!on) != may_write) {
    writers += on ? -1 : 1;
    may_write = !on;
    int access = PROT_READ | PROT_EXEC | (on ? 0 : PROT_WRITE);
    if (writers == (!on))
      for (int i = 0; i < jit_count; i++)
        mprotect((void *)jit[i].start, jit[i].end - jit[i].start, access);
    jit_writes += !on;
  }
  pthread_mutex_unlock(&jit_lock);
}

void darwin_sys_icache_invalidate(void *at, size_t size) { __builtin___clear_cache((char *)at, (char *)at + size); }

__attribute__((destructor)) static void report(void) {
  TRACE("%d MAP_JIT mappings, written to %ld times\n", jit_count, jit_writes);
}
