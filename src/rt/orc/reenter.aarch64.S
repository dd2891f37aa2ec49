// First call of a lazy function on AArch64 (AAPCS64): save the arguments, ask for the function, go on into it.
//
// A reentry trampoline is the eight bytes `stp x29, x30, [sp, #-16]!` and `bl __orc_rt_reenter`. It is branched to by
// the stub that the program called, so on entry here
//
//     x30        = trampoline + 8       tells which function is wanted
//     [sp]       = the program's x29
//     [sp, #8]   = return address of the program's own call
//
// Arguments may be in any register that a call does not destroy by convention, and which ones they are depends on a
// prototype nobody here knows. So everything is kept:
//
//   x0-x7 (integers), x8 (address of a returned structure), x9-x15 (static chain and private conventions), x19-x28
//   (kept by every callee, but conventions exist that pass arguments in them), v0-v31, FPCR, FPSR;
//   x18 where it is an ordinary register or a shadow call stack pointer; where the platform owns it, it is not touched;
//   with SVE also z0-z31, p0-p15 and FFR, of whatever length they are.
//
// Not kept: x16 and x17, which any veneer between caller and callee may destroy (x16 carries the landing address), and
// SME state: a call made in streaming mode or with live ZA does not survive its first call.
//
// The function is entered by `br x16`: with branch target identification a function may be entered that way through
// the `bti c` (or `paciasp`) that it starts with, which a branch through any register but x16 and x17 may not use.
// `ret` through a register would be a forged return to the return predictor and to a guarded control stack.
//
// Unwinding: the trampoline's pair is the frame record of this function, and the canonical frame address is that of
// the program's call, so the unwinder steps from here straight to the program. The trampoline, which has no unwind
// information, is never seen.
//
// Stack: 768 bytes with the trampoline's pair; with SVE 35 times the vector length more.

#include "asm.h"

#define TRAMPOLINE_SIZE 8

// Offsets from sp.
#define SAVED_X0 0
#define SAVED_X19 128
#define SAVED_X18 208
#define LANDING_ADDRESS 216
#define SAVED_FPCR 224
#define SAVED_V0 240
#define FRAME_SIZE 752

// From the canonical frame address to sp.
#define FRAME_FROM_CFA -(FRAME_SIZE + 16)

// getauxval(AT_HWCAP), bit HWCAP_SVE.
#define AT_HWCAP 16
#define HWCAP_SVE 22

// `stp` or `ldp` for the general registers that every platform lets us touch, in the frame at sp.
.macro general_registers instruction
	\instruction	x0, x1, [sp, #SAVED_X0 + 0]
	\instruction	x2, x3, [sp, #SAVED_X0 + 16]
	\instruction	x4, x5, [sp, #SAVED_X0 + 32]
	\instruction	x6, x7, [sp, #SAVED_X0 + 48]
	\instruction	x8, x9, [sp, #SAVED_X0 + 64]
	\instruction	x10, x11, [sp, #SAVED_X0 + 80]
	\instruction	x12, x13, [sp, #SAVED_X0 + 96]
	\instruction	x14, x15, [sp, #SAVED_X0 + 112]
	\instruction	x19, x20, [sp, #SAVED_X19 + 0]
	\instruction	x21, x22, [sp, #SAVED_X19 + 16]
	\instruction	x23, x24, [sp, #SAVED_X19 + 32]
	\instruction	x25, x26, [sp, #SAVED_X19 + 48]
	\instruction	x27, x28, [sp, #SAVED_X19 + 64]
.endm

// `stp` or `ldp` for the vector registers that every processor has, in the frame at `frame`.
.macro vector_registers instruction, frame
	\instruction	q0, q1, [\frame, #SAVED_V0 + 0]
	\instruction	q2, q3, [\frame, #SAVED_V0 + 32]
	\instruction	q4, q5, [\frame, #SAVED_V0 + 64]
	\instruction	q6, q7, [\frame, #SAVED_V0 + 96]
	\instruction	q8, q9, [\frame, #SAVED_V0 + 128]
	\instruction	q10, q11, [\frame, #SAVED_V0 + 160]
	\instruction	q12, q13, [\frame, #SAVED_V0 + 192]
	\instruction	q14, q15, [\frame, #SAVED_V0 + 224]
	\instruction	q16, q17, [\frame, #SAVED_V0 + 256]
	\instruction	q18, q19, [\frame, #SAVED_V0 + 288]
	\instruction	q20, q21, [\frame, #SAVED_V0 + 320]
	\instruction	q22, q23, [\frame, #SAVED_V0 + 352]
	\instruction	q24, q25, [\frame, #SAVED_V0 + 384]
	\instruction	q26, q27, [\frame, #SAVED_V0 + 416]
	\instruction	q28, q29, [\frame, #SAVED_V0 + 448]
	\instruction	q30, q31, [\frame, #SAVED_V0 + 480]
.endm

#ifndef __APPLE__
	.arch_extension sve

// `str` or `ldr` for the scalable vectors at sp.
.macro sve_vectors instruction
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\instruction	z\n, [sp, #\n, mul vl]
	.endr
.endm

// `str` or `ldr` for the predicates at sp, an eighth of a vector each.
.macro sve_predicates instruction
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\instruction	p\n, [sp, #\n, mul vl]
	.endr
.endm

// FFR behind the predicates; 16 predicates and FFR take 17/8 of a vector, rounded up to 3.
#define SAVED_FFR [sp, #16, mul vl]
#define PREDICATE_VECTORS 3
#define SCALABLE_VECTORS 32

	.weak	getauxval
#endif

	function_section __orc_rt_sysv_reenter
	define_reentry_names
	.cfi_startproc
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	hint	#34			// bti c, for the jump stub of a far call
	mov	x29, sp
	.cfi_def_cfa x29, 16
	sub	sp, sp, #FRAME_SIZE
	general_registers stp
	.cfi_offset x19, FRAME_FROM_CFA + SAVED_X19 + 0
	.cfi_offset x20, FRAME_FROM_CFA + SAVED_X19 + 8
	.cfi_offset x21, FRAME_FROM_CFA + SAVED_X19 + 16
	.cfi_offset x22, FRAME_FROM_CFA + SAVED_X19 + 24
	.cfi_offset x23, FRAME_FROM_CFA + SAVED_X19 + 32
	.cfi_offset x24, FRAME_FROM_CFA + SAVED_X19 + 40
	.cfi_offset x25, FRAME_FROM_CFA + SAVED_X19 + 48
	.cfi_offset x26, FRAME_FROM_CFA + SAVED_X19 + 56
	.cfi_offset x27, FRAME_FROM_CFA + SAVED_X19 + 64
	.cfi_offset x28, FRAME_FROM_CFA + SAVED_X19 + 72
	vector_registers stp, sp
	mrs	x10, fpcr
	mrs	x11, fpsr
	stp	x10, x11, [sp, #SAVED_FPCR]
	sub	x19, x30, #TRAMPOLINE_SIZE

#ifndef __APPLE__
	str	x18, [sp, #SAVED_X18]
	// x20 = the HWCAP word, or 0 where the C library has no getauxval. That function reads a list of words, so the
	// scalable state is still as it was.
	mov	x20, #0
	adrp	x9, :got:getauxval
	ldr	x9, [x9, #:got_lo12:getauxval]
	cbz	x9, LOCAL(no_getauxval)
	mov	x0, #AT_HWCAP
	blr	x9
	mov	x20, x0
LOCAL(no_getauxval):
	tbz	x20, #HWCAP_SVE, LOCAL(saved)
	addvl	sp, sp, #-SCALABLE_VECTORS
	sve_vectors str
	addvl	sp, sp, #-PREDICATE_VECTORS
	sve_predicates str
	rdffr	p0.b
	str	p0, SAVED_FFR
LOCAL(saved):
#endif

	mov	x0, x19
	bl	SYM(__orc_rt_resolve)
	sub	x9, x29, #FRAME_SIZE
	str	x0, [x9, #LANDING_ADDRESS]

	// Writing v0-v31 clears the rest of z0-z31: first the short ones.
	ldp	x10, x11, [x9, #SAVED_FPCR]
	msr	fpcr, x10
	msr	fpsr, x11
	vector_registers ldp, x9
#ifndef __APPLE__
	tbz	x20, #HWCAP_SVE, LOCAL(restored)
	ldr	p0, SAVED_FFR
	wrffr	p0.b
	sve_predicates ldr
	addvl	sp, sp, #PREDICATE_VECTORS
	sve_vectors ldr
LOCAL(restored):
#endif
	mov	sp, x9
#ifndef __APPLE__
	ldr	x18, [sp, #SAVED_X18]
#endif
	ldr	x16, [sp, #LANDING_ADDRESS]
	general_registers ldp
	.cfi_restore x19
	.cfi_restore x20
	.cfi_restore x21
	.cfi_restore x22
	.cfi_restore x23
	.cfi_restore x24
	.cfi_restore x25
	.cfi_restore x26
	.cfi_restore x27
	.cfi_restore x28
	add	sp, sp, #FRAME_SIZE
	.cfi_def_cfa sp, 16
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa_offset 0
	br	x16
	.cfi_endproc
	end_reentry_names

	hidden_import SYM(__orc_rt_resolve)
	end_of_file
