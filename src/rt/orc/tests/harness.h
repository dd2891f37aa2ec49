// What the assembler part of the tests offers to the C part, per architecture.

#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#define TRAMPOLINE_SIZE 5
#else
#define TRAMPOLINE_SIZE 8
#endif

// Values of all registers that must survive, at offsets the assembler knows.
struct registers {
  unsigned char values[9216];
  int stack_ok;
};

// How many bytes of `values` this processor has registers for.
size_t registers_size(void);
// The kind of its vector registers.
const char *vector_name(void);
// Turns random values into ones that the control registers take.
void prepare_registers(struct registers *registers);
// Calls `function` with all registers as in `sent` and one argument on the stack.
void call_with_registers(const struct registers *sent, struct registers *received, void *function);
// The function called: stores all registers in `received`, and whether the stack is as the call made it.
void capture_registers(void);
// Destroys every register that a function may destroy, and the control registers that it may not.
void clobber_registers(void);
// Writes the reentry trampoline that calls `reenter`.
void write_trampoline(unsigned char *at, void *reenter);
