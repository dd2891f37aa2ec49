// Code that refers to every kind of data: tables of pointers to data, to functions and to strings, zero-filled memory,
// constants of several widths, jump tables, and functions of the C library.
#include "table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int zeroed[1000];
static short shorts[] = {1, -2, 3};
char bytes[40] = "bytes";
long longs[] = {1L << 40, -1};
int exported = 11;
const double factors[] = {0.5, 2.0, -4.25};
static float single = 1.5f;

static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }
int multiply(int a, int b) { return a * b; }
static int divide(int a, int b) { return b ? a / b : 0; }

const struct Operation operations[] = {
    {"add", add, &exported},
    {"subtract", subtract, &zeroed[10]},
    {"multiply", multiply, 0},
    {"divide", divide, &zeroed[999]},
};

const char *name_of(int n) {
  switch (n) {
  case 0:
    return "zero";
  case 1:
    return "one";
  case 2:
    return "two";
  case 3:
    return "three";
  case 4:
    return "four";
  case 7:
    return "seven";
  default:
    return n < 0 ? "negative" : "many";
  }
}

int computed(int n) {
  static const void *const places[] = {&&first, &&second, &&third};
  goto *places[n % 3];
first:
  return 100;
second:
  return 200 + shorts[1];
third:
  return 300 + shorts[2];
}

double mix(int n) {
  zeroed[n] += n;
  longs[1] += longs[0] >> 38;
  return factors[n % 3] * single + sqrt(n) + zeroed[n] + (double)longs[1] + bytes[n % 5];
}

char *describe(int n) {
  char *text = malloc(100);
  snprintf(text, 100, "%s/%d/%s", name_of(n), computed(n), bytes);
  return text;
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void sort_names(const char **names, int count) { qsort(names, count, sizeof *names, compare); }
