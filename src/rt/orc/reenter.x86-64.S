// First call of a lazy function on x86-64, System V ABI: save the arguments, ask for the function, go on into it.
//
// A reentry trampoline is the five bytes `call __orc_rt_reenter`. It is jumped to by the stub that the program called,
// so on entry here
//
//     (%rsp)  = trampoline + 5       tells which function is wanted
//     8(%rsp) = return address of the program's own call
//     rsp     = 0 modulo 16          (a function is entered at 8 modulo 16, the trampoline pushed 8 more)
//
// Arguments may be in any register that a call does not destroy by convention, and which ones they are depends on a
// prototype nobody here knows. So everything is kept:
//
//   rax (number of vector registers of a variadic call), rdi, rsi, rdx, rcx, r8, r9 (integers), r10 (static chain),
//   rbx, rbp, r12-r15 (kept by every callee, but conventions exist that pass arguments in them),
//   r11 (scratch by convention, but who calls a function of its own file may know that it leaves r11 alone: gcc -fipa-ra);
//   x87, MXCSR, xmm, and what the processor adds to them: ymm, zmm, k0-k7, r16-r31.
//
// Vector state goes through XSAVE because FXSAVE would cut 256- and 512-bit arguments down to 128 bits. The components
// wanted are those of VECTOR_COMPONENTS that the system has enabled in XCR0. Not kept: AMX tiles and PKRU (never arguments,
// and the tiles alone are 8 KiB), the flags (dead across a call; the direction flag is clear on every call and stays so).
//
// The function is entered with the stack exactly as the program's call left it, by a jump through the slot of the landing
// address: that is in the red zone then, the 128 bytes below rsp which signal handlers keep out of. Overwriting the
// trampoline's return address and returning to it would be shorter, but is a forged return: a shadow stack faults on
// it. Instead the address is dropped, from the shadow stack too when there is one.
//
// Unwinding: the canonical frame address is that of the program's call, so the unwinder steps from here straight to the
// program. The trampoline, which has no unwind information, is never seen.
//
// Stack: 136 bytes of registers, then the save area (512 bytes without XSAVE, 832 with AVX, about 2600 with AVX-512: the
// processor decides) and at most 63 bytes to align it.

#include "asm.h"

// Bits of XCR0: x87 0, SSE 1, AVX 2, opmask 5, ZMM_Hi256 6, Hi16_ZMM 7, APX 19.
#define VECTOR_COMPONENTS 0x800E7
#define LAST_COMPONENT 19
// Bytes of the legacy area, which is also all that FXSAVE writes, and of the header behind it.
#define LEGACY_SIZE 512
#define HEADER_SIZE 64
// CPUID.1:ECX, bit 27.
#define OSXSAVE 0x8000000

#define TRAMPOLINE_SIZE 5

// Offsets from rbp.
#define LANDING_ADDRESS -8
#define TRAMPOLINE_RETURN 8
#define LAST_SAVED_REGISTER -120
// Offset of LANDING_ADDRESS from rsp where the function is entered.
#define LANDING_AT_ENTRY -24

	function_section __orc_rt_sysv_reenter
	define_reentry_names
	.cfi_startproc
	.cfi_def_cfa_offset 16
	endbr64				// for the jump stub of a far call
	pushq	%rbp
	.cfi_def_cfa_offset 24
	.cfi_offset %rbp, -24
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%r11			// the slot of the landing address: any value
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%rbx
	.cfi_offset %rbx, -104
	pushq	%r12
	.cfi_offset %r12, -112
	pushq	%r13
	.cfi_offset %r13, -120
	pushq	%r14
	.cfi_offset %r14, -128
	pushq	%r15
	.cfi_offset %r15, -136
	pushq	%r11

	// r12 = size of the save area << 32 | components, or 512 << 32 | 0 for FXSAVE. Zero: nobody has asked yet.
	movq	LOCAL(vector_state)(%rip), %r12
	testq	%r12, %r12
	jz	LOCAL(find_vector_state)
LOCAL(vector_state_known):
	movq	%r12, %rax
	shrq	$32, %rax
	subq	%rax, %rsp
	andq	$-64, %rsp
	testl	%r12d, %r12d
	jz	LOCAL(fxsave)
	// XSAVE leaves most of the header as it finds it, and XRSTOR faults on garbage there.
	xorl	%edx, %edx
	.irp	offset, 0, 8, 16, 24, 32, 40, 48, 56
	movq	%rdx, LEGACY_SIZE + \offset(%rsp)
	.endr
	movl	%r12d, %eax
	xsave64	(%rsp)
LOCAL(saved):

	movq	TRAMPOLINE_RETURN(%rbp), %rdi
	subq	$TRAMPOLINE_SIZE, %rdi
	callq	SYM(__orc_rt_resolve)
	movq	%rax, LANDING_ADDRESS(%rbp)

	testl	%r12d, %r12d
	jz	LOCAL(fxrstor)
	movl	%r12d, %eax
	xorl	%edx, %edx
	xrstor64 (%rsp)
LOCAL(restored):

	// Without a shadow stack rdssp is a no-operation, also on processors that do not know it.
	xorl	%r11d, %r11d
	rdsspq	%r11
	testq	%r11, %r11
	jz	LOCAL(no_shadow_stack)
	movl	$1, %r11d
	incsspq	%r11
LOCAL(no_shadow_stack):

	leaq	LAST_SAVED_REGISTER(%rbp), %rsp
	popq	%r11
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	leaq	8(%rsp), %rsp		// the landing address
	popq	%rbp
	.cfi_remember_state
	.cfi_def_cfa %rsp, 16
	.cfi_restore %rbp
	.cfi_restore %rbx
	.cfi_restore %r12
	.cfi_restore %r13
	.cfi_restore %r14
	.cfi_restore %r15
	leaq	8(%rsp), %rsp
	.cfi_def_cfa_offset 8
	jmpq	*LANDING_AT_ENTRY(%rsp)
	.cfi_restore_state

LOCAL(fxsave):
	fxsave64 (%rsp)
	jmp	LOCAL(saved)

LOCAL(fxrstor):
	fxrstor64 (%rsp)
	jmp	LOCAL(restored)

	// CPUID costs a trap to the hypervisor in a virtual machine, hence once a process, at its first lazy call. Threads
	// that meet here store the same value; it is one aligned word, so a plain store publishes it whole.
LOCAL(find_vector_state):
	movl	$1, %eax
	cpuid
	movl	$LEGACY_SIZE, %r14d
	xorl	%r13d, %r13d
	testl	$OSXSAVE, %ecx
	jz	LOCAL(store_vector_state)
	xorl	%ecx, %ecx
	xgetbv
	movl	%eax, %r13d
	andl	$VECTOR_COMPONENTS, %r13d
	movl	$(LEGACY_SIZE + HEADER_SIZE), %r14d
	movl	$2, %r15d
	// The area must reach to the end of the component that lies furthest back. CPUID.(0xD, n): size, offset.
LOCAL(next_component):
	btl	%r15d, %r13d
	jnc	LOCAL(component_done)
	movl	$0xD, %eax
	movl	%r15d, %ecx
	cpuid
	addl	%ebx, %eax
	cmpl	%r14d, %eax
	cmoval	%eax, %r14d
LOCAL(component_done):
	incl	%r15d
	cmpl	$LAST_COMPONENT, %r15d
	jbe	LOCAL(next_component)
LOCAL(store_vector_state):
	shlq	$32, %r14
	orq	%r14, %r13
	movq	%r13, LOCAL(vector_state)(%rip)
	movq	%r13, %r12
	jmp	LOCAL(vector_state_known)
	.cfi_endproc
	end_reentry_names

	hidden_import SYM(__orc_rt_resolve)

#ifdef __APPLE__
	.data
#else
	.section .bss.__orc_rt_vector_state, "aw", %nobits
#endif
	.p2align 3
LOCAL(vector_state):
	.zero	8

	end_of_file
