// Any number of processes share a cache, while it is filled too.
//
// RUN: rm -rf %t && mkdir %t && cd %t && %clang -O1 -fPIC -c %s -o main.o
// RUN: %python -c "import subprocess, sys; \
// RUN:   started = [subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) for _ in range(12)]; \
// RUN:   print({(p.communicate()[0], p.returncode) for p in started})" %rjitlink -cache-dir=cache main.o | FileCheck %s
// RUN: ls cache | FileCheck %s --check-prefix=FILES
//
// CHECK: {(b'here\n', 7)}
// FILES-NOT: {{[.]part}}
// FILES: .record

#include <stdio.h>
int main(void) {
  puts("here");
  return 7;
}
