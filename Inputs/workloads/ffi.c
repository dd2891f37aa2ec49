#include <ffi.h>
#include <stdio.h>

static void add(ffi_cif *interface, void *result, void **arguments, void *more) { *(ffi_arg *)result = *(int *)arguments[0] + *(int *)more; }
static double multiply(int a, double b, float c) { return a + b * c; }

int main(void) {
  ffi_cif interface;
  ffi_type *types[] = {&ffi_type_sint, &ffi_type_double, &ffi_type_float};
  int a = 3, more = 100;
  double b = 1.5, result;
  float c = 4;
  void *values[] = {&a, &b, &c}, *code;
  ffi_prep_cif(&interface, FFI_DEFAULT_ABI, 3, &ffi_type_double, types);
  ffi_call(&interface, FFI_FN(multiply), &result, values);
  printf("called %g\n", result);
  ffi_closure *closure = ffi_closure_alloc(sizeof *closure, &code);
  ffi_prep_cif(&interface, FFI_DEFAULT_ABI, 1, &ffi_type_sint, types);
  ffi_prep_closure_loc(closure, &interface, add, &more, code);
  printf("called back %d\n", ((int (*)(int))code)(5));
}
