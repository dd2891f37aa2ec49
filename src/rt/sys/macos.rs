//! macOS: every segment has its own pages, written while they are writable and switched to their protection when final.
//!
//! Type-checked only; never run on a Mac. Hardened processes will need `MAP_JIT` and `pthread_jit_write_protect_np`.

use std::ffi::{CStr, c_char};
use std::io;

use super::{Extent, View, icache};
use crate::base::{AddrRange, ExecutorAddr, MemProt};

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

/// The largest reservation that leaves room for the program: not limited here.
pub fn largest_reservation() -> u64 {
    u64::MAX
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

/// Part of the C library.
pub const MATHEMATICS: Option<&CStr> = None;

/// The address of a symbol by its name in the object file, which has one more underscore than dlsym wants. Symbols have no
/// versions here.
pub fn find_symbol(name: &CStr, version: Option<&CStr>) -> Option<ExecutorAddr> {
    let name = name.to_bytes_with_nul().strip_prefix(b"_")?;
    if version.is_some() {
        return None;
    }
    // SAFETY: the tail of a C string; the default handle is always valid.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast()) };
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

/// Calls a symbol resolver.
pub fn call_resolver(resolver: ExecutorAddr) -> ExecutorAddr {
    // SAFETY: the session gives the address of a finalized resolver, which takes no argument here.
    let resolver: extern "C-unwind" fn() -> u64 = unsafe { std::mem::transmute(resolver.0 as *const ()) };
    ExecutorAddr(resolver())
}

/// Where `__register_frame` must be called for the section `eh_frame`: at each FDE, which is what libunwind's takes.
pub fn frame_records(eh_frame: AddrRange) -> Vec<ExecutorAddr> {
    let word = |address: u64| {
        // SAFETY: inside the finalized section the session gives.
        unsafe { (address as *const u32).read_unaligned() }
    };
    let mut fdes = Vec::new();
    let mut at = eh_frame.start.0;
    while at + 8 <= eh_frame.end.0 && word(at) != 0 {
        // A record: its length, then 0 for a CIE, the distance to its CIE for an FDE.
        if word(at + 4) != 0 {
            fdes.push(ExecutorAddr(at));
        }
        at += 4 + u64::from(word(at));
    }
    fdes
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
