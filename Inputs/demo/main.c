// Calls greet.c once if there is an argument, and never calls unused.c.
#include <stdio.h>

int greet(const char *name);
int unused(int);

int main(int argc, char **argv) {
  printf("main runs\n");
  fflush(stdout);
  if (argc > 1)
    return greet(argv[1]);
  return argc > 100 ? unused(argc) : 0;
}
