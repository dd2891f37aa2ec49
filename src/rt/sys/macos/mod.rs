//! macOS: every segment has its own pages. Constants are written in place and then made read-only; what becomes of code says `code`.
//!
//! Type-checked only: nothing in this folder has ever run on a Mac.

mod code;
pub mod thread_local;
mod unwind;

use std::ffi::{CStr, c_char};
use std::io;

pub use self::thread_local::provided;
pub use self::unwind::register_frames;
use super::{Extent, View};
use crate::base::{ExecutorAddr, MemProt};
use crate::rt::memory::CodeMemory;

/// Segments must not share pages: their protection changes when they are final.
pub const PAGES_ARE_SHARED: bool = false;

/// Nothing is behind memory here but itself.
#[derive(Debug)]
pub struct Backing;

impl Backing {
    /// Nothing to make: memory is private and nameless here, whatever it is used for.
    pub fn new(_size: u64, _use_of_code: CodeMemory) -> Backing {
        Backing
    }

    /// There is no file that could be lost.
    pub fn is_lost(&self) -> bool {
        false
    }

    /// Makes `extent` memory to be written through the view until [`finish`].
    ///
    /// # Errors
    /// What the operating system says.
    pub fn map(&self, _offset: u64, extent: Extent, prot: MemProt) -> io::Result<View> {
        match prot {
            MemProt::ReadExec => code::map(extent),
            MemProt::Read | MemProt::ReadWrite => extent.into_private(),
        }
    }
}

/// The largest reservation that leaves room for the program: not limited here.
pub fn largest_reservation() -> u64 {
    u64::MAX
}

/// Gives the pages of `size` bytes at `address` their protection and makes code visible.
///
/// # Errors
/// What the operating system says.
pub fn finish(address: u64, size: u64, prot: MemProt) -> io::Result<()> {
    match prot {
        MemProt::ReadWrite => Ok(()),
        MemProt::Read => protect(address, size, libc::PROT_READ),
        MemProt::ReadExec => code::finish(address, size),
    }
}

/// All segments have pages of their own here.
pub use self::finish as seal;

/// Changes the protection of the pages of `size` bytes at `address`.
fn protect(address: u64, size: u64, access: libc::c_int) -> io::Result<()> {
    // SAFETY: whole pages that belong to one segment, whose content is not written again.
    if unsafe { libc::mprotect(address as *mut libc::c_void, size as usize, access) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The number of the core that the calling thread is on: the system does not say.
pub fn core() -> Option<usize> {
    None
}

/// An address inside the C library: where shared libraries are.
pub fn near_address() -> u64 {
    libc::dlsym as *const () as u64
}

/// Part of the C library.
pub const MATHEMATICS: Option<&CStr> = None;

/// The C++ library.
pub const CPLUSPLUS: Option<&CStr> = Some(c"/usr/lib/libc++.1.dylib");

/// The address of a symbol by its C name. Symbols have no versions here.
pub fn find_symbol(name: &CStr, version: Option<&CStr>) -> Option<ExecutorAddr> {
    if version.is_some() {
        return None;
    }
    // SAFETY: a C string; the default handle is always valid.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    Some(ExecutorAddr(found as u64))
}

/// Makes `name` what the C library calls the program.
pub fn set_program_name(name: &'static CStr) {
    // SAFETY: a C string that stays as long as the process.
    unsafe { setprogname(name.as_ptr()) };
}

unsafe extern "C" {
    fn setprogname(name: *const c_char);
}

/// The program's environment, as it is now.
pub fn environment() -> *const *const c_char {
    // SAFETY: no precondition; the result is always valid.
    unsafe { (*libc::_NSGetEnviron()).cast() }
}

/// Nothing: there is no such vector.
pub fn auxiliary_vector() -> Vec<(usize, usize)> {
    Vec::new()
}

/// Pages come when they are touched.
pub fn make_present(_start: u64, _size: u64, _writable: bool) {}

/// Pages stay.
pub fn take_shared_pages_away(_start: u64, _size: u64) {}

/// Calls a symbol resolver.
pub fn call_resolver(resolver: ExecutorAddr) -> ExecutorAddr {
    // SAFETY: the session gives the address of a finalized resolver, which takes no argument here.
    let resolver: extern "C-unwind" fn() -> u64 = unsafe { std::mem::transmute(resolver.0 as *const ()) };
    ExecutorAddr(resolver())
}

/// Nothing gets another address: no memory lies below 2 GiB, so no code needs it there.
pub mod rebind {
    use crate::base::ExecutorAddr;
    use crate::rt::executor::{ProcessObject, Rebinding};
    use std::io;

    /// The same address.
    pub fn current(address: ExecutorAddr) -> ExecutorAddr {
        address
    }

    /// Nothing that could be moved.
    pub fn describe(_address: ExecutorAddr) -> Option<ProcessObject> {
        None
    }

    /// Not supported.
    ///
    /// # Errors
    /// That it is not, unless there is nothing to move.
    pub fn rebind(rebindings: &[Rebinding]) -> io::Result<()> {
        if rebindings.is_empty() { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }
}

#[cfg(test)]
mod tests;
