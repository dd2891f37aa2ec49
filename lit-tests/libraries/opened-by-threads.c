// Libraries that need symbols of the program, opened by a thread and, at the same time, by constructors that another thread runs: the loader has a lock
// of its own, which the second thread holds meanwhile.
//
// REQUIRES: elf
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %python build.py 40 %clang -fPIC -shared
// RUN: %clang -O1 -c main.c && %clang -O1 -c host.c
// RUN: %python limit.py %rjitlink main.o host.o -lpthread | FileCheck %s
// RUN: %python limit.py %rjitlink main.o -lazy host.o -lpthread | FileCheck %s
//
// CHECK: opened 40 and 40

//--- build.py
import subprocess
import sys

subprocess.run(sys.argv[2:] + ["opens.c", "-o", "opens.so"], check=True)
with open("host.c", "w") as host:
    for name in (f"{kind}{n}" for kind in "ab" for n in range(int(sys.argv[1]))):
        host.write(f"int host_{name}(void) {{ return 1; }}\n")
        with open("needs.c", "w") as needs:
            needs.write(f"int host_{name}(void); int (*pointer)(void) = host_{name};\n")
        subprocess.run(sys.argv[2:] + ["-nostdlib", "needs.c", "-o", name + ".so"], check=True)
//--- limit.py
import subprocess
import sys

for _ in range(5):
    done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, timeout=60, check=True)
print(done.stdout.decode(), end="")
//--- opens.c
#include <unistd.h>
void open_next(void);
__attribute__((constructor)) static void construct(void) {
  usleep(1000);
  open_next();
}
//--- main.c
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
enum { COUNT = 40 };
static int opened_a, opened_b, next;
static int try_to_open(char kind, int n) {
  char path[32];
  snprintf(path, sizeof path, "./%c%d.so", kind, n);
  void *library = dlopen(path, RTLD_NOW);
  if (!library)
    puts(dlerror());
  return library != 0;
}
void open_next(void) {
  if (next < COUNT)
    opened_b += try_to_open('b', next++);
}
static void *run(void *unused) {
  for (int n = 0; n < COUNT; n++)
    opened_a += try_to_open('a', n);
  return unused;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, run, 0);
  for (int n = 0; n < COUNT; n++) {
    void *library = dlopen("./opens.so", RTLD_NOW);
    if (!library)
      return puts(dlerror());
    dlclose(library);
    usleep(200);
  }
  pthread_join(thread, 0);
  printf("opened %d and %d\n", opened_a, opened_b);
}
