//! Memory for code: `MAP_JIT` on Apple silicon, changed protection on Intel.
//!
//! Apple silicon has no page that can be written and executed by one thread at a time. A `MAP_JIT` mapping is either to each
//! thread, as that thread says with `pthread_jit_write_protect_np` (Apple, "Porting just-in-time compilers to Apple silicon"); a
//! process with the hardened runtime gets executable memory in no other way. Other threads go on executing meanwhile. Blocks are
//! written by several threads, so they are written elsewhere, and copied by the one that finishes the segment: it runs nothing of
//! the program until it is done, so signals wait, whose handlers may be linked code.
//!
//! `mmap` refuses `MAP_JIT` together with `MAP_FIXED`: the reserved addresses are given back, and asked for again, at once. Where
//! that fails, or the process may have no more than one such mapping (the entitlement `com.apple.security.cs.single-jit`), code is
//! written in place and made executable afterwards, which only the hardened runtime forbids.

use std::io;

#[cfg(target_arch = "aarch64")]
use crate::rt::sys::interrupts;
use crate::rt::sys::{Extent, View, icache};

/// Makes `extent` memory for code: what is written to the view becomes code with [`finish`].
///
/// # Errors
/// What the operating system says; `AddrInUse` when another thread was quicker to map the addresses.
#[cfg(target_arch = "aarch64")]
pub fn map(extent: Extent) -> io::Result<View> {
    let (start, size) = (extent.start(), extent.size() as usize);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANON;
    extent.release();
    // SAFETY: without MAP_FIXED nothing is replaced.
    let code = unsafe {
        libc::mmap(start as *mut libc::c_void, size, access | libc::PROT_EXEC, anonymous | libc::MAP_JIT, -1, 0)
    };
    if code as u64 != start {
        if code != libc::MAP_FAILED {
            // SAFETY: the mapping made above, which nobody uses.
            unsafe { libc::munmap(code, size) };
        }
        return Extent::reserve(size as u64, Some(start))?.into_private();
    }
    // SAFETY: no address given, so nothing is replaced.
    let view = unsafe { libc::mmap(std::ptr::null_mut(), size, access, anonymous | libc::MAP_NORESERVE, -1, 0) };
    if view == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    staged().push(Staged { start, size: size as u64, view: view as u64 });
    // SAFETY: a fresh mapping, never unmapped, that only this view and, when that is given up, `finish` use.
    Ok(unsafe { View::new(view.cast(), size, start) })
}

/// Code addresses whose bytes are written elsewhere first, and where.
#[cfg(target_arch = "aarch64")]
struct Staged {
    start: u64,
    size: u64,
    view: u64,
}

#[cfg(target_arch = "aarch64")]
fn staged() -> std::sync::MutexGuard<'static, Vec<Staged>> {
    static STAGED: std::sync::Mutex<Vec<Staged>> = std::sync::Mutex::new(Vec::new());
    STAGED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Makes `extent` memory for code, written where it is until [`finish`].
///
/// # Errors
/// What the operating system says.
#[cfg(not(target_arch = "aarch64"))]
pub fn map(extent: Extent) -> io::Result<View> {
    extent.into_private()
}

/// Makes the `size` bytes written for `address` code.
///
/// # Errors
/// What the operating system says.
pub fn finish(address: u64, size: u64) -> io::Result<()> {
    if !copy_staged(address, size) {
        super::protect(address, size, libc::PROT_READ | libc::PROT_EXEC)?;
    }
    icache::clear(address, size);
    Ok(())
}

/// Copies the `size` bytes for `address` from where they were written; says whether that is elsewhere.
#[cfg(target_arch = "aarch64")]
fn copy_staged(address: u64, size: u64) -> bool {
    let holds = |s: &&Staged| s.start <= address && address + size <= s.start + s.size;
    let Some(view) = staged().iter().find(holds).map(|s| s.view + (address - s.start)) else {
        return false;
    };
    let interrupts = interrupts::hold();
    // SAFETY: the bytes' view has been given up for good, and nothing of the code runs yet. Only this thread's right to write
    // changes, and it runs none of the code until it has given that right back.
    unsafe {
        libc::pthread_jit_write_protect_np(0);
        std::ptr::copy_nonoverlapping(view as *const u8, address as *mut u8, size as usize);
        libc::pthread_jit_write_protect_np(1);
    }
    interrupts.restore();
    true
}

/// Never elsewhere.
#[cfg(not(target_arch = "aarch64"))]
fn copy_staged(_address: u64, _size: u64) -> bool {
    false
}
