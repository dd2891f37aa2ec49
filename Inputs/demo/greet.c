// Linked when it is first called.
#include <stdio.h>

int greet(const char *name) {
  printf("Hello, %s! I was linked just now.\n", name);
  return 0;
}
