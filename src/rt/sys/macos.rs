//! macOS: every segment has its own pages, written while they are writable and switched to their protection when final.
//!
//! Type-checked only; never run on a Mac. Hardened processes will need `MAP_JIT` and `pthread_jit_write_protect_np`.

use std::io;

use super::{Extent, View, icache};
use crate::base::MemProt;

/// Segments must not share pages: their protection changes when they are final.
pub const PAGES_ARE_SHARED: bool = false;

/// Nothing is behind memory here but itself.
#[derive(Debug)]
pub struct Backing;

impl Backing {
    /// Nothing to make.
    ///
    /// # Errors
    /// None here.
    pub fn new(_size: u64) -> io::Result<Backing> {
        Ok(Backing)
    }

    /// Makes `extent` writable; its own view until [`finish`].
    ///
    /// # Errors
    /// What the operating system says.
    pub fn map(&self, _offset: u64, extent: Extent, _prot: MemProt) -> io::Result<View> {
        extent.into_private()
    }
}

/// Gives the pages of `size` bytes at `address` their protection and makes code visible.
///
/// # Errors
/// What the operating system says.
pub fn finish(address: u64, size: u64, prot: MemProt) -> io::Result<()> {
    let access = match prot {
        MemProt::ReadWrite => return Ok(()),
        MemProt::Read => libc::PROT_READ,
        MemProt::ReadExec => libc::PROT_READ | libc::PROT_EXEC,
    };
    // SAFETY: whole pages that belong to one segment, whose content is not written again.
    if unsafe { libc::mprotect(address as *mut libc::c_void, size as usize, access) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if prot == MemProt::ReadExec {
        icache::clear(address, size);
    }
    Ok(())
}

/// An address inside the C library: where shared libraries are.
pub fn near_address() -> u64 {
    libc::dlsym as *const () as u64
}
