//! Linux: code and constants are a memfd, mapped twice.
//!
//! One mapping is writable and never executable, the other is what the program sees and never writable. So nothing changes
//! protection after it is mapped, batches can share pages, and no page is ever writable and executable.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::{Extent, View, icache};
use crate::base::MemProt;

/// Segments may share pages: what is mapped never changes protection.
pub const PAGES_ARE_SHARED: bool = true;

/// The file behind code and constants: sparse, nameless, gone with its last mapping.
#[derive(Debug)]
pub struct Backing {
    file: OwnedFd,
}

impl Backing {
    /// A file of `size` zero bytes that take no memory until they are written.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new(size: u64) -> io::Result<Backing> {
        // SAFETY: the name is a C string; the call has no other precondition.
        let fd = unsafe { libc::memfd_create(c"rjitlink".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor that nobody else knows.
        let file = unsafe { OwnedFd::from_raw_fd(fd) };
        let length = libc::off_t::try_from(size).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: no precondition.
        if unsafe { libc::ftruncate(file.as_raw_fd(), length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Backing { file })
    }

    /// Maps the file from `offset` on over `extent` with protection `prot` ([`MemProt::Read`] or [`MemProt::ReadExec`]), and
    /// once more, writable, elsewhere: the view returned.
    ///
    /// Every part of the file may be mapped once only.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn map(&self, offset: u64, extent: Extent, prot: MemProt) -> io::Result<View> {
        let size = extent.size() as usize;
        let access = match prot {
            MemProt::ReadExec => libc::PROT_READ | libc::PROT_EXEC,
            MemProt::Read | MemProt::ReadWrite => libc::PROT_READ,
        };
        let fd = self.file.as_raw_fd();
        let offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let at = extent.start() as *mut libc::c_void;
        // SAFETY: MAP_FIXED replaces addresses that the extent owns and that nothing uses.
        let program = unsafe { libc::mmap(at, size, access, libc::MAP_SHARED | libc::MAP_FIXED, fd, offset) };
        if program == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: no address given, so nothing is replaced.
        let view = unsafe { libc::mmap(std::ptr::null_mut(), size, access, libc::MAP_SHARED, fd, offset) };
        if view == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh mapping, never unmapped, the only writable one of this part of the file; `extent` ends here.
        Ok(unsafe { View::new(view.cast(), size, extent.start()) })
    }
}

/// Makes `size` bytes at `address`, already written through their view, visible as what they are.
///
/// # Errors
/// None here.
pub fn finish(address: u64, size: u64, prot: MemProt) -> io::Result<()> {
    if prot == MemProt::ReadExec {
        icache::clear(address, size);
    }
    Ok(())
}

/// An address inside the C library: where shared libraries are.
pub fn near_address() -> u64 {
    libc::dl_iterate_phdr as *const () as u64
}
