//! What descriptors of thread-local variables call: [`resolver`].
//!
//! A descriptor is two words, the second of which leads to the variable's module and offset, as `__tls_get_addr` takes them. The
//! function gets the descriptor's address in the register that it answers in (rax; x0) and must leave all others as they are, vectors
//! included; only flags may change, and with SVE what the vectors have beyond 128 bits and the predicates, which compilers know.
//! So it is written in assembly for a block that the thread has, and keeps everything where it asks for one.
#![allow(unsafe_code)]

use super::thread_local_blocks::{TABLE_OFFSET, tls_get_addr};
use crate::base::ExecutorAddr;

/// The function.
pub fn resolver() -> ExecutorAddr {
    ExecutorAddr(resolve as *const () as u64)
}

#[cfg(target_arch = "x86_64")]
pub use x86_64::prepare;

/// Called before there are descriptors.
#[cfg(not(target_arch = "x86_64"))]
pub fn prepare() {}

#[cfg(target_arch = "x86_64")]
use x86_64::resolve;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::{TABLE_OFFSET, tls_get_addr};
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Bits of XCR0 that are kept: x87 0, SSE 1, AVX 2, opmask 5, ZMM_Hi256 6, Hi16_ZMM 7, APX 19; not AMX tiles, whose 8 KiB no
    /// function touches that does not know of them.
    const COMPONENTS: u32 = 0x800e7;
    /// Size of the XSAVE area for these, 0 without XSAVE; and which of them the system has enabled.
    static AREA_SIZE: AtomicU32 = AtomicU32::new(0);
    static ENABLED: AtomicU32 = AtomicU32::new(0);

    /// Finds out what there is to keep.
    pub fn prepare() {
        const OSXSAVE: u32 = 1 << 27;
        if __cpuid(1).ecx & OSXSAVE == 0 {
            return;
        }
        let enabled: u32;
        // SAFETY: the system has enabled XGETBV.
        unsafe { std::arch::asm!("xgetbv", in("ecx") 0, out("eax") enabled, out("edx") _, options(nomem, nostack)) };
        let enabled = enabled & COMPONENTS;
        let end = |component: u32| {
            let found = __cpuid_count(0xd, component);
            found.eax + found.ebx
        };
        // The legacy area and the header are 576 bytes.
        let size = (2..32).filter(|component| enabled >> component & 1 != 0).map(end).max().unwrap_or(0).max(576);
        ENABLED.store(enabled, Ordering::Relaxed);
        AREA_SIZE.store(size, Ordering::Release);
    }

    /// See the module documentation. Module numbers of blocks have the top bit set; the table begins with its length.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn resolve() {
        std::arch::naked_asm!(
            ".cfi_startproc",
            "push rcx",
            ".cfi_adjust_cfa_offset 8",
            "push rdx",
            ".cfi_adjust_cfa_offset 8",
            "mov rax, [rax + 8]",
            "mov rcx, [rip + {table_offset}]",
            "test rcx, rcx",
            "jz 2f",
            "mov rcx, fs:[rcx]",
            "test rcx, rcx",
            "jz 2f",
            "mov rdx, [rax]",
            "btr rdx, 63",
            "jnc 2f",
            "cmp rdx, [rcx]",
            "jae 2f",
            "mov rcx, [rcx + rdx * 8 + 8]",
            "test rcx, rcx",
            "jz 2f",
            "mov rax, [rax + 8]",
            "add rax, rcx",
            "3:",
            "sub rax, fs:[0]",
            "pop rdx",
            ".cfi_remember_state",
            ".cfi_adjust_cfa_offset -8",
            "pop rcx",
            ".cfi_adjust_cfa_offset -8",
            "ret",
            // The thread has no such block yet, or it is a library's.
            "2:",
            ".cfi_restore_state",
            "push rbp",
            ".cfi_adjust_cfa_offset 8",
            ".cfi_rel_offset rbp, 0",
            "mov rbp, rsp",
            ".cfi_def_cfa_register rbp",
            "push rbx",
            "push rsi",
            "push rdi",
            "push r8",
            "push r9",
            "push r10",
            "push r11",
            "mov rdi, rax",
            "mov ebx, [rip + {area_size}]",
            "cld",
            "test ebx, ebx",
            "jz 4f",
            "sub rsp, rbx",
            "and rsp, -64",
            "xor eax, eax",
            "mov [rsp + 512], rax",
            "mov [rsp + 520], rax",
            "mov [rsp + 528], rax",
            "mov [rsp + 536], rax",
            "mov [rsp + 544], rax",
            "mov [rsp + 552], rax",
            "mov [rsp + 560], rax",
            "mov [rsp + 568], rax",
            "xor edx, edx",
            "mov eax, [rip + {enabled}]",
            "xsave64 [rsp]",
            "call {get}",
            "mov rcx, rax",
            "xor edx, edx",
            "mov eax, [rip + {enabled}]",
            "xrstor64 [rsp]",
            "mov rax, rcx",
            "jmp 5f",
            "4:",
            "sub rsp, 512",
            "and rsp, -16",
            "fxsave64 [rsp]",
            "call {get}",
            "fxrstor64 [rsp]",
            "5:",
            "lea rsp, [rbp - 56]",
            "pop r11",
            "pop r10",
            "pop r9",
            "pop r8",
            "pop rdi",
            "pop rsi",
            "pop rbx",
            "pop rbp",
            ".cfi_def_cfa rsp, 24",
            ".cfi_restore rbp",
            "jmp 3b",
            ".cfi_endproc",
            table_offset = sym TABLE_OFFSET,
            area_size = sym AREA_SIZE,
            enabled = sym ENABLED,
            get = sym tls_get_addr,
        )
    }
}

/// See the module documentation. Module numbers of blocks have the top bit set; the table begins with its length.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn resolve() {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "hint #34",
        "stp x1, x2, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        "stp x3, x4, [sp, #16]",
        "ldr x0, [x0, #8]",
        "adrp x1, {table_offset}",
        "ldr x1, [x1, #:lo12:{table_offset}]",
        "mrs x2, tpidr_el0",
        "cbz x1, 2f",
        "ldr x1, [x2, x1]",
        "cbz x1, 2f",
        "ldr x3, [x0]",
        "tbz x3, #63, 2f",
        "and x3, x3, #0x7fffffffffffffff",
        "ldr x4, [x1]",
        "cmp x3, x4",
        "b.hs 2f",
        "add x1, x1, x3, lsl #3",
        "ldr x1, [x1, #8]",
        "cbz x1, 2f",
        "ldr x0, [x0, #8]",
        "add x0, x0, x1",
        "3:",
        "mrs x2, tpidr_el0",
        "sub x0, x0, x2",
        "ldp x3, x4, [sp, #16]",
        "ldp x1, x2, [sp], #32",
        ".cfi_remember_state",
        ".cfi_def_cfa_offset 0",
        "ret",
        // The thread has no such block yet, or it is a library's.
        "2:",
        ".cfi_restore_state",
        "sub sp, sp, #656",
        ".cfi_def_cfa_offset 688",
        "stp x29, x30, [sp]",
        ".cfi_rel_offset x29, 0",
        ".cfi_rel_offset x30, 8",
        "mov x29, sp",
        "stp x5, x6, [sp, #16]",
        "stp x7, x8, [sp, #32]",
        "stp x9, x10, [sp, #48]",
        "stp x11, x12, [sp, #64]",
        "stp x13, x14, [sp, #80]",
        "stp x15, x16, [sp, #96]",
        "stp x17, x18, [sp, #112]",
        "stp q0, q1, [sp, #128]",
        "stp q2, q3, [sp, #160]",
        "stp q4, q5, [sp, #192]",
        "stp q6, q7, [sp, #224]",
        "stp q8, q9, [sp, #256]",
        "stp q10, q11, [sp, #288]",
        "stp q12, q13, [sp, #320]",
        "stp q14, q15, [sp, #352]",
        "stp q16, q17, [sp, #384]",
        "stp q18, q19, [sp, #416]",
        "stp q20, q21, [sp, #448]",
        "stp q22, q23, [sp, #480]",
        "stp q24, q25, [sp, #512]",
        "stp q26, q27, [sp, #544]",
        "stp q28, q29, [sp, #576]",
        "stp q30, q31, [sp, #608]",
        "mrs x9, fpsr",
        "str x9, [sp, #640]",
        "bl {get}",
        "ldr x9, [sp, #640]",
        "msr fpsr, x9",
        "ldp q30, q31, [sp, #608]",
        "ldp q28, q29, [sp, #576]",
        "ldp q26, q27, [sp, #544]",
        "ldp q24, q25, [sp, #512]",
        "ldp q22, q23, [sp, #480]",
        "ldp q20, q21, [sp, #448]",
        "ldp q18, q19, [sp, #416]",
        "ldp q16, q17, [sp, #384]",
        "ldp q14, q15, [sp, #352]",
        "ldp q12, q13, [sp, #320]",
        "ldp q10, q11, [sp, #288]",
        "ldp q8, q9, [sp, #256]",
        "ldp q6, q7, [sp, #224]",
        "ldp q4, q5, [sp, #192]",
        "ldp q2, q3, [sp, #160]",
        "ldp q0, q1, [sp, #128]",
        "ldp x17, x18, [sp, #112]",
        "ldp x15, x16, [sp, #96]",
        "ldp x13, x14, [sp, #80]",
        "ldp x11, x12, [sp, #64]",
        "ldp x9, x10, [sp, #48]",
        "ldp x7, x8, [sp, #32]",
        "ldp x5, x6, [sp, #16]",
        "ldp x29, x30, [sp]",
        "add sp, sp, #656",
        ".cfi_def_cfa_offset 32",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "b 3b",
        ".cfi_endproc",
        table_offset = sym TABLE_OFFSET,
        get = sym tls_get_addr,
    )
}

#[cfg(test)]
pub(super) mod tests {
    /// What the resolver answers for `descriptor`.
    pub fn call(descriptor: &[u64; 2]) -> u64 {
        let answer: u64;
        // SAFETY: the resolver changes the register of its argument and flags only; on AArch64 the link register too.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            std::arch::asm!("call {}", sym super::resolve, inout("rax") descriptor.as_ptr() => answer);
            #[cfg(target_arch = "aarch64")]
            std::arch::asm!("bl {}", sym super::resolve, inout("x0") descriptor.as_ptr() => answer, out("x30") _);
        }
        answer
    }
}
