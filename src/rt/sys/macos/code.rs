//! Memory for code: `MAP_JIT` on Apple silicon, changed protection on Intel.
//!
//! Apple silicon has no page that can be written and executed by one thread at a time. A `MAP_JIT` mapping is either to each
//! thread, as that thread says with `pthread_jit_write_protect_np` (Apple, "Porting just-in-time compilers to Apple silicon"); a
//! process with the hardened runtime gets executable memory in no other way. Blocks are written by several threads, so they are
//! written elsewhere, and copied by the one that finishes the segment.
//!
//! `mmap` refuses `MAP_JIT` together with `MAP_FIXED`: the reserved addresses are given back, and asked for again, at once.

use std::io;

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
    if code == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    if code as u64 != start {
        // SAFETY: the mapping made above, which nobody uses.
        unsafe { libc::munmap(code, size) };
        return Err(io::ErrorKind::AddrInUse.into());
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

/// Code addresses and where their bytes are written first.
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

/// Makes the `size` bytes written for `address` code.
///
/// # Errors
/// `InvalidInput` for addresses that [`map`] has not given out.
#[cfg(target_arch = "aarch64")]
pub fn finish(address: u64, size: u64) -> io::Result<()> {
    let holds = |s: &&Staged| s.start <= address && address + size <= s.start + s.size;
    let view = staged().iter().find(holds).map(|s| s.view + (address - s.start));
    let view = view.ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: the bytes' view has been given up for good, and nothing of the code runs yet. Only this thread's right to write
    // changes, and it runs none of the code until it has given that right back.
    unsafe {
        libc::pthread_jit_write_protect_np(0);
        std::ptr::copy_nonoverlapping(view as *const u8, address as *mut u8, size as usize);
        libc::pthread_jit_write_protect_np(1);
    }
    icache::clear(address, size);
    Ok(())
}

/// Makes `extent` memory for code, written where it is until [`finish`].
///
/// # Errors
/// What the operating system says.
#[cfg(not(target_arch = "aarch64"))]
pub fn map(extent: Extent) -> io::Result<View> {
    extent.into_private()
}

/// Makes the `size` bytes at `address` code.
///
/// # Errors
/// What the operating system says.
#[cfg(not(target_arch = "aarch64"))]
pub fn finish(address: u64, size: u64) -> io::Result<()> {
    super::protect(address, size, libc::PROT_READ | libc::PROT_EXEC)?;
    icache::clear(address, size);
    Ok(())
}
