// An allocator of the program's own: malloc and its relatives are used by the C library and by shared libraries too, and what one has allocated the
// other frees; so are the functions that libraries may call by chance: the program's come first.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=allocator.c --shared=library.c --work=%t/objects --native=-pthread | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern int mine(void *), allocations, frees;
char *library_duplicate(const char *);
void library_free(void *);
static void *thread(void *unused) { return strdup("in a thread"); }
int main(void) {
  char *copy = strdup("copied by the C library"), *text, *line = 0, *from_library = library_duplicate("by a shared library");
  size_t size = 0;
  printf("%d %s\n", mine(copy), copy);
  printf("%d %s\n", mine(from_library), from_library);
  if (asprintf(&text, "%d formatted", 42) > 0)
    printf("%d %s\n", mine(text), text);
  FILE *file = tmpfile();
  fputs("a line of text\n", file);
  rewind(file);
  getline(&line, &size, file);
  printf("%d %s", mine(line), line);
  fclose(file);
  char *grown = realloc(strdup("x"), 100000);
  void *aligned;
  int error = posix_memalign(&aligned, 4096, 100);
  printf("%d %d %d %d\n", mine(grown), error, mine(aligned), (int)((unsigned long)aligned % 4096));
  pthread_t other;
  void *result;
  pthread_create(&other, 0, thread, 0);
  pthread_join(other, &result);
  printf("%d %s\n", mine(result), (char *)result);
  int before = frees;
  free(copy);
  library_free(from_library);
  printf("%d\n", frees - before);
  free(text), free(line), free(grown), free(aligned), free(result);
  char *path = realpath("/", 0);
  printf("%d %s\n", mine(path), path);
  free(path);
  qsort(calloc(4, 5000), 5000, 4, (int (*)(const void *, const void *))strcmp);
  printf("%d\n", allocations > 8);
}
//--- allocator.c
#include <errno.h>
#include <stddef.h>
#include <string.h>
static char arena[16 << 20] __attribute__((aligned(4096)));
static size_t used;
int allocations, frees;
int mine(void *memory) { return (char *)memory >= arena && (char *)memory < arena + sizeof arena; }
static void *take(size_t align, size_t size) {
  __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
  size_t old, start;
  do {
    old = __atomic_load_n(&used, __ATOMIC_RELAXED);
    start = (old + sizeof(size_t) + align - 1) & -align;
    if (start + size > sizeof arena)
      return errno = ENOMEM, (void *)0;
  } while (!__atomic_compare_exchange_n(&used, &old, start + size, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  ((size_t *)(arena + start))[-1] = size;
  return arena + start;
}
void *malloc(size_t size) { return take(16, size); }
void *calloc(size_t count, size_t size) { return take(16, count * size); }
void free(void *memory) { frees += memory && mine(memory); }
void *realloc(void *memory, size_t size) {
  void *new = take(16, size);
  if (new && memory)
    memcpy(new, memory, mine(memory) && ((size_t *)memory)[-1] < size ? ((size_t *)memory)[-1] : size);
  return new;
}
void *memalign(size_t align, size_t size) { return take(align < 16 ? 16 : align, size); }
void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }
int posix_memalign(void **memory, size_t align, size_t size) { return (*memory = memalign(align, size)) ? 0 : ENOMEM; }
void *valloc(size_t size) { return memalign(4096, size); }
size_t malloc_usable_size(void *memory) { return memory ? ((size_t *)memory)[-1] : 0; }
//--- library.c
#include <stdlib.h>
#include <string.h>
char *library_duplicate(const char *text) { return strcpy(malloc(strlen(text) + 1), text); }
void library_free(void *memory) { free(memory); }
