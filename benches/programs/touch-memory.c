// Touches as many MiB of memory as it is told to, and ends: touch-memory MIB
//
// Where the system hands free memory back to a hypervisor, whoever first uses it again waits for the hypervisor: up to 7 ms for 2 MiB
// have been seen. Run before each measurement, this takes that wait upon itself, and no tool pays for what memory the one before it has left behind.
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

int main(int argc, char **argv) {
  size_t size = (argc > 1 ? strtoull(argv[1], 0, 10) : 0) << 20;
  char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return 1;
  madvise(start, size, MADV_HUGEPAGE);
  for (size_t at = 0; at < size; at += PAGE)
    ((volatile char *)start)[at] = 1;
  return 0;
}
