// Register tests on AArch64. Layout of `struct registers`: x0-x15 at 0, x18 at 128, x19-x29 at 136, FPCR and FPSR at 224,
// vector registers at 256, with SVE followed by predicates and FFR.

#define STACK_ARGUMENT 0x6789
#define STACK_OK 9216

	.arch_extension sve

	.macro global_address register, name
	adrp	\register, \name
	add	\register, \register, :lo12:\name
	.endm

	.text
	.globl	call_with_registers
	.type	call_with_registers, %function
call_with_registers:
	.cfi_startproc
	stp	x29, x30, [sp, #-176]!
	.cfi_def_cfa_offset 176
	.cfi_offset x29, -176
	.cfi_offset x30, -168
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	str	x18, [sp, #160]
	mov	x9, #STACK_ARGUMENT
	stp	x9, xzr, [sp, #-16]!
	global_address x16, context
	mov	x9, sp
	stp	x1, x9, [x16]
	str	x2, [x16, #16]
	mov	x16, x0
	ldp	x9, x10, [x16, #224]
	msr	fpcr, x9
	msr	fpsr, x10
	add	x9, x16, #256
	adrp	x10, vector_level
	ldr	w10, [x10, #:lo12:vector_level]
	cbnz	w10, 1f
	ldp	q0, q1, [x9, #0]
	ldp	q2, q3, [x9, #32]
	ldp	q4, q5, [x9, #64]
	ldp	q6, q7, [x9, #96]
	ldp	q8, q9, [x9, #128]
	ldp	q10, q11, [x9, #160]
	ldp	q12, q13, [x9, #192]
	ldp	q14, q15, [x9, #224]
	ldp	q16, q17, [x9, #256]
	ldp	q18, q19, [x9, #288]
	ldp	q20, q21, [x9, #320]
	ldp	q22, q23, [x9, #352]
	ldp	q24, q25, [x9, #384]
	ldp	q26, q27, [x9, #416]
	ldp	q28, q29, [x9, #448]
	ldp	q30, q31, [x9, #480]
	b	2f
1:
	addvl	x10, x9, #31
	addvl	x10, x10, #1
	ldr	p0, [x10, #16, mul vl]
	wrffr	p0.b
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	p\n, [x10, #\n, mul vl]
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	z\n, [x9, #\n, mul vl]
	.endr
2:
	global_address x17, context
	ldr	x17, [x17, #16]
	ldr	x0, [x16, #0]
	ldr	x1, [x16, #8]
	ldr	x2, [x16, #16]
	ldr	x3, [x16, #24]
	ldr	x4, [x16, #32]
	ldr	x5, [x16, #40]
	ldr	x6, [x16, #48]
	ldr	x7, [x16, #56]
	ldr	x8, [x16, #64]
	ldr	x9, [x16, #72]
	ldr	x10, [x16, #80]
	ldr	x11, [x16, #88]
	ldr	x12, [x16, #96]
	ldr	x13, [x16, #104]
	ldr	x14, [x16, #112]
	ldr	x15, [x16, #120]
	ldr	x18, [x16, #128]
	ldr	x19, [x16, #136]
	ldr	x20, [x16, #144]
	ldr	x21, [x16, #152]
	ldr	x22, [x16, #160]
	ldr	x23, [x16, #168]
	ldr	x24, [x16, #176]
	ldr	x25, [x16, #184]
	ldr	x26, [x16, #192]
	ldr	x27, [x16, #200]
	ldr	x28, [x16, #208]
	ldr	x29, [x16, #216]
	blr	x17
.Lreturned:
	msr	fpcr, xzr
	add	sp, sp, #16
	ldr	x18, [sp, #160]
	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #176
	ret
	.cfi_endproc

	.globl	capture_registers
	.type	capture_registers, %function
capture_registers:
	global_address x17, context
	ldr	x16, [x17]
	str	x0, [x16, #0]
	str	x1, [x16, #8]
	str	x2, [x16, #16]
	str	x3, [x16, #24]
	str	x4, [x16, #32]
	str	x5, [x16, #40]
	str	x6, [x16, #48]
	str	x7, [x16, #56]
	str	x8, [x16, #64]
	str	x9, [x16, #72]
	str	x10, [x16, #80]
	str	x11, [x16, #88]
	str	x12, [x16, #96]
	str	x13, [x16, #104]
	str	x14, [x16, #112]
	str	x15, [x16, #120]
	str	x18, [x16, #128]
	str	x19, [x16, #136]
	str	x20, [x16, #144]
	str	x21, [x16, #152]
	str	x22, [x16, #160]
	str	x23, [x16, #168]
	str	x24, [x16, #176]
	str	x25, [x16, #184]
	str	x26, [x16, #192]
	str	x27, [x16, #200]
	str	x28, [x16, #208]
	str	x29, [x16, #216]
	mrs	x9, fpcr
	mrs	x10, fpsr
	stp	x9, x10, [x16, #224]
	add	x9, x16, #256
	stp	xzr, xzr, [x16, #240]
	adrp	x10, vector_level
	ldr	w10, [x10, #:lo12:vector_level]
	cbnz	w10, 1f
	stp	q0, q1, [x9, #0]
	stp	q2, q3, [x9, #32]
	stp	q4, q5, [x9, #64]
	stp	q6, q7, [x9, #96]
	stp	q8, q9, [x9, #128]
	stp	q10, q11, [x9, #160]
	stp	q12, q13, [x9, #192]
	stp	q14, q15, [x9, #224]
	stp	q16, q17, [x9, #256]
	stp	q18, q19, [x9, #288]
	stp	q20, q21, [x9, #320]
	stp	q22, q23, [x9, #352]
	stp	q24, q25, [x9, #384]
	stp	q26, q27, [x9, #416]
	stp	q28, q29, [x9, #448]
	stp	q30, q31, [x9, #480]
	b	2f
1:
	addvl	x10, x9, #31
	addvl	x10, x10, #1
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	p\n, [x10, #\n, mul vl]
	.endr
	rdffr	p0.b
	str	p0, [x10, #16, mul vl]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	z\n, [x9, #\n, mul vl]
	.endr
2:
	// Return address, stack pointer and stack argument as call_with_registers made them.
	adr	x9, .Lreturned
	cmp	x9, x30
	ldr	x10, [x17, #8]
	mov	x11, sp
	ccmp	x10, x11, #0, eq
	ldr	x12, [sp]
	mov	x13, #STACK_ARGUMENT
	ccmp	x12, x13, #0, eq
	cset	w9, eq
	mov	x10, #STACK_OK
	str	w9, [x16, x10]
	ret

	.globl	clobber_registers
	.type	clobber_registers, %function
clobber_registers:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	mov	x\n, #-1
	.endr
	mov	x9, #0x02000000
	msr	fpcr, x9
	mov	x9, #0x10
	msr	fpsr, x9
	adrp	x10, vector_level
	ldr	w10, [x10, #:lo12:vector_level]
	cbnz	w10, 1f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().16b, #0xff
	.endr
	ret
1:
	setffr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pfalse	p\n\().b
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	z\n\().b, #-1
	.endr
	ret

	.globl	scalable_vector_size
	.type	scalable_vector_size, %function
scalable_vector_size:
	cntb	x0
	ret

	.bss
	.p2align 3
context:	.zero 24
	.section .note.GNU-stack, "", %progbits
