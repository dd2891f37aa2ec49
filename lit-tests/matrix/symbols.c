// Common symbols of several sizes, weak and strong definitions, weak undefined references to functions and data, hidden and protected symbols, aliases,
// symbols of one name in several files, function addresses in data of every file, section boundaries.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %matrix '--compiler=%clang -fcommon' '--flags=-O2 -fPIE|-O0 -fno-pie' --source=main.c --source=first.c --source=second.c --archived=member.c --work=%t/objects | FileCheck %s
//
// CHECK: 6 combinations, 0 differ

//--- main.c
#include <stdio.h>
int common;
char buffer[10];
double initialized_elsewhere;
extern int weak_data __attribute__((weak));
extern int weak_function(void) __attribute__((weak)), in_archive(void) __attribute__((weak)), also_in_archive(void) __attribute__((weak));
int which(void), first(void), second(void), alias(void), uses_member(void), protected_function(void);
typedef int function(void);
function *which_of_first(void), *which_of_second(void), *alias_address(void);
extern function *table_of_first[], *table_of_second[];
struct item { const char *name; };
extern struct item __start_items[], __stop_items[];
__attribute__((section("items"), used)) static struct item of_main = {"main"};
static int local(void) { return 1; }
int main(void) {
  common++, buffer[9] = 1;
  printf("%d %d %g\n", first(), second(), initialized_elsewhere);
  printf("%d %d %d%d\n", which(), common, which_of_first() == which, which_of_second() == which);
  printf("%d %d\n", &weak_data ? weak_data : -1, weak_function ? weak_function() : -2);
  printf("%d %d\n", in_archive ? in_archive() : -3, also_in_archive ? also_in_archive() : -4);
  printf("%d %d%d\n", alias(), alias_address() == alias, protected_function());
  printf("%d%d %d%d\n", table_of_first[0] == which, table_of_second[0] == which, table_of_first[1] == first, table_of_second[1] == first);
  printf("%d %d\n", uses_member(), local());
  int count = 0;
  for (struct item *item = __start_items; item < __stop_items; item++)
    count += item->name[0];
  printf("%d %d\n", (int)(__stop_items - __start_items), count);
}
//--- first.c
int common, uses_member(void), which(void), first(void);
char buffer[1000];
double initialized_elsewhere = 2.5;
static int local(void) { return 10; }
__attribute__((weak)) int which(void) { return 1; }
typedef int function(void);
function *table_of_first[] = {which, first};
function *which_of_first(void) { return which; }
struct item { const char *name; };
__attribute__((section("items"), used)) static struct item item = {"first"};
int first(void) { return local() + which() + buffer[999] + buffer[9]; }
__attribute__((visibility("hidden"))) int hidden_function(void) { return 33; }
__attribute__((visibility("protected"))) int protected_function(void) { return hidden_function() + 1; }
//--- second.c
#include <stddef.h>
int common;
char buffer[100];
static int local(void) { return 100; }
int which(void) { return 2; }
int first(void);
typedef int function(void);
function *table_of_second[] = {which, first};
function *which_of_second(void) { return which; }
struct item { const char *name; };
__attribute__((section("items"), used)) static struct item item = {"second"};
int second(void) { return local() + which() + ++common; }
int aliased(void) { return 44; }
int alias(void) __attribute__((alias("aliased")));
function *alias_address(void) { return aliased; }
int in_archive(void);
int uses_member(void) { return in_archive(); }
//--- member.c
int in_archive(void) { return 5; }
