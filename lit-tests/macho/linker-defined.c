// What Apple's linker defines: the bounds of sections of all files, of one that no file has, and addresses that tell the program from
// others. Finalizers that a section lists run at the end.
//
// RUN: rm -rf %t && split-file %s %t && cd %t
// RUN: %darwin -c main.c && %darwin -c other.c
// RUN: %lazily main.o other.o | FileCheck %s
// RUN: %lazily main.o -lazy other.o | FileCheck %s
//
// CHECK: 3 in the set: 1 2 3
// CHECK-NEXT: nothing: 1
// CHECK-NEXT: handles: 1 1
// CHECK-NEXT: finalizer
// CHECK-NEXT: status: 0

//--- main.c
int printf(const char *, ...), puts(const char *);
#define SET __attribute__((used, section("__DATA,__set")))
SET static const long one = 1, two = 2;
extern const long start __asm("section$start$__DATA$__set"), end __asm("section$end$__DATA$__set");
extern const char none __asm("section$start$__DATA$__none"), none_end __asm("section$end$__DATA$__none");
extern char __dso_handle, _mh_execute_header;
char *others_handle(void);
// Compilers take symbols with two names for two places.
static int same(const char *a, const char *b) { return a == b; }
static void finalizer(void) { puts("finalizer"); }
__attribute__((used, section("__DATA,__mod_term_func,mod_term_funcs"))) static void (*const finalizers[])(void) = {finalizer};
int main(void) {
  printf("%d in the set:", (int)(&end - &start));
  for (const long *entry = &start; entry < &end; entry++)
    printf(" %ld", *entry);
  printf("\nnothing: %d\n", same(&none, &none_end));
  printf("handles: %d %d\n", same(others_handle(), &__dso_handle), !same(&_mh_execute_header, 0));
}
//--- other.c
__attribute__((used, section("__DATA,__set"))) static const long three = 3;
extern char __dso_handle;
char *others_handle(void) { return &__dso_handle; }
