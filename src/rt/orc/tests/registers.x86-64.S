// Register tests on x86-64. Layout of `struct registers`: general registers at 0, MXCSR at 112, x87 control word at 116,
// mask registers at 128, two x87 registers at 192, vector registers at 256.

#define STACK_ARGUMENT 0x0123456789abcdef
#define STACK_OK 9216

	.text
	.globl	call_with_registers
	.type	call_with_registers, %function
call_with_registers:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, saved_rsp(%rip)
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsi, destination(%rip)
	movq	%rdx, function(%rip)
	movabsq	$STACK_ARGUMENT, %rax
	pushq	%rax
	movq	%rdi, %r11
	ldmxcsr	112(%r11)
	fldt	208(%r11)
	fldt	192(%r11)
	fldcw	116(%r11)
	cmpl	$1, vector_level(%rip)
	jb	1f
	je	2f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	128 + 8 * \n(%r11), %k\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64	256 + 64 * \n(%r11), %zmm\n
	.endr
	jmp	3f
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	256 + 16 * \n(%r11), %xmm\n
	.endr
	jmp	3f
2:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	256 + 32 * \n(%r11), %ymm\n
	.endr
3:
	movq	0(%r11), %rax
	movq	8(%r11), %rbx
	movq	16(%r11), %rcx
	movq	24(%r11), %rdx
	movq	32(%r11), %rsi
	movq	40(%r11), %rdi
	movq	48(%r11), %rbp
	movq	56(%r11), %r8
	movq	64(%r11), %r9
	movq	72(%r11), %r10
	movq	80(%r11), %r12
	movq	88(%r11), %r13
	movq	96(%r11), %r14
	movq	104(%r11), %r15
	callq	*function(%rip)
.Lreturned:
	fninit
	movl	$0x1f80, -8(%rsp)
	ldmxcsr	-8(%rsp)
	popq	%rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	retq
	.cfi_endproc

	.globl	capture_registers
	.type	capture_registers, %function
capture_registers:
	movq	destination(%rip), %r11
	movq	%rax, 0(%r11)
	movq	%rbx, 8(%r11)
	movq	%rcx, 16(%r11)
	movq	%rdx, 24(%r11)
	movq	%rsi, 32(%r11)
	movq	%rdi, 40(%r11)
	movq	%rbp, 48(%r11)
	movq	%r8, 56(%r11)
	movq	%r9, 64(%r11)
	movq	%r10, 72(%r11)
	movq	%r12, 80(%r11)
	movq	%r13, 88(%r11)
	movq	%r14, 96(%r11)
	movq	%r15, 104(%r11)
	stmxcsr	112(%r11)
	movl	$0, 116(%r11)
	fnstcw	116(%r11)
	movq	$0, 120(%r11)
	.irp	offset, 192, 200, 208, 216, 224, 232, 240, 248
	movq	$0, \offset(%r11)
	.endr
	fstpt	192(%r11)
	fstpt	208(%r11)
	cmpl	$1, vector_level(%rip)
	jb	1f
	je	2f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	%k\n, 128 + 8 * \n(%r11)
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64	%zmm\n, 256 + 64 * \n(%r11)
	.endr
	jmp	3f
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	%xmm\n, 256 + 16 * \n(%r11)
	.endr
	jmp	3f
2:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, 256 + 32 * \n(%r11)
	.endr
3:
	// Return address and stack argument as call_with_registers put them, where it put them.
	movl	$0, STACK_OK(%r11)
	leaq	.Lreturned(%rip), %rax
	cmpq	%rax, (%rsp)
	jne	4f
	movabsq	$STACK_ARGUMENT, %rax
	cmpq	%rax, 8(%rsp)
	jne	4f
	leaq	56(%rsp), %rax
	cmpq	%rax, saved_rsp(%rip)
	jne	4f
	movl	$1, STACK_OK(%r11)
4:
	retq

	.globl	clobber_registers
	.type	clobber_registers, %function
clobber_registers:
	.irp	register, rcx, rsi, rdi, r8, r9, r10, r11
	movq	$-1, %\register
	.endr
	cmpl	$1, vector_level(%rip)
	jb	1f
	je	2f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kxnorq	%k0, %k0, %k\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vpternlogd $0xff, %zmm\n, %zmm\n, %zmm\n
	.endr
	jmp	3f
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pcmpeqd	%xmm\n, %xmm\n
	.endr
	jmp	3f
2:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vxorps	%xmm\n, %xmm\n, %xmm\n
	vcmptrueps %ymm\n, %ymm\n, %ymm\n
	.endr
3:
	fninit
	fldpi
	movl	$0x1fbf, -8(%rsp)
	ldmxcsr	-8(%rsp)
	movq	$-1, %rax
	movq	$-1, %rdx
	retq

	.bss
	.p2align 3
saved_rsp:	.zero 8
destination:	.zero 8
function:	.zero 8
	.section .note.GNU-stack, "", %progbits
