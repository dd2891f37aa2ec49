// Uses all of table.c and prints what it finds; the output does not depend on addresses.
#include "table.h"
#include <stdio.h>
#include <stdlib.h>

static int counters[3] = {1, 2, 3};
static int *const to_counters[] = {&counters[2], &counters[0], &exported};

static double sum_of(const double *values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++)
    sum += values[i];
  return sum;
}

int main(void) {
  for (int i = 0; i < 4; i++) {
    const struct Operation *operation = &operations[i];
    if (operation->place)
      ++*operation->place;
    printf("%s %d %d\n", operation->name, operation->function(21, 4), operation->place ? *operation->place : -1);
  }
  for (int i = -1; i < 9; i++)
    printf("%s ", name_of(i));
  printf("\n");
  for (int i = 0; i < 5; i++) {
    char *text = describe(i);
    printf("%s %.3f\n", text, mix(i));
    free(text);
  }
  const char *names[] = {"pear", "apple", "quince", "fig"};
  sort_names(names, 4);
  printf("%s %s %s %s\n", names[0], names[1], names[2], names[3]);
  bytes[0] = 'B';
  printf("%d %g %ld %s %d\n", exported, sum_of(factors, 3), longs[0], bytes, operations[2].function == multiply);
  int sum = 0;
  for (int i = 0; i < 3; i++)
    sum += ++*to_counters[i];
  return sum;
}
