//! Making freshly written code visible to instruction fetch.
//!
//! x86-64 keeps its instruction caches coherent: nothing to do. On AArch64 data must be cleaned to the point of unification
//! and the instruction cache invalidated, line by line (Arm ARM, B2.7.4.2). Code is written through one virtual address and
//! runs at another. The clean may use either, since data caches behave as physically tagged ones; the invalidation must
//! use the address the code runs at, because an instruction cache may be indexed virtually. So both use the latter.

/// Makes `size` bytes of code at `address`, where they will run, visible to instruction fetch of all processors.
#[cfg(all(target_arch = "aarch64", not(target_os = "macos")))]
pub fn clear(address: u64, size: u64) {
    use std::arch::asm;
    if size == 0 {
        return;
    }
    let kinds: u64;
    // SAFETY: reads CTR_EL0, which Linux lets user code read (or emulates).
    unsafe { asm!("mrs {}, ctr_el0", out(reg) kinds, options(nomem, nostack, preserves_flags)) };
    let data_line = 4u64 << ((kinds >> 16) & 15);
    let code_line = 4u64 << (kinds & 15);
    let end = address + size;
    // CTR_EL0.IDC: cleaning is not needed. CTR_EL0.DIC: invalidating is not needed.
    if kinds & (1 << 28) == 0 {
        let mut line = address & !(data_line - 1);
        while line < end {
            // SAFETY: cleans a line of a readable mapping; changes no memory.
            unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
            line += data_line;
        }
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    if kinds & (1 << 29) == 0 {
        let mut line = address & !(code_line - 1);
        while line < end {
            // SAFETY: invalidates a line of the instruction cache; changes no memory.
            unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
            line += code_line;
        }
    }
    // SAFETY: barriers.
    unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
}

/// Makes `size` bytes of code at `address` visible to instruction fetch: nothing to do on this architecture.
#[cfg(not(target_arch = "aarch64"))]
pub fn clear(_address: u64, _size: u64) {}

/// Makes `size` bytes of code at `address`, where they will run, visible to instruction fetch of all processors.
#[cfg(all(target_arch = "aarch64", target_os = "macos"))]
pub fn clear(address: u64, size: u64) {
    unsafe extern "C" {
        fn sys_icache_invalidate(start: *mut libc::c_void, len: libc::size_t);
    }
    // SAFETY: a range of mapped memory; changes no memory.
    unsafe { sys_icache_invalidate(address as *mut libc::c_void, size as usize) };
}
