// What rustc's link step adds to a program besides names for its allocator: marks that the step has been taken, of which only
// the existence counts, and what happens when memory runs out (0: abort). In older compilers they are bytes, in newer ones functions
// that return one. The linker gives them the mangled names that objects use.

char __rust_no_alloc_shim_is_unstable = 0;
char __rust_alloc_error_handler_should_panic = 0;

char __rust_no_alloc_shim_is_unstable_v2(void) { return 0; }

char __rust_alloc_error_handler_should_panic_v2(void) { return 0; }
