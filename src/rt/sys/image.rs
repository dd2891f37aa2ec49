//! Segments of an image, mapped from its file at the addresses it was linked for.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::rt::image::{ImageProt, ImageSegment};

/// Refuses to replace what is mapped already (Linux 4.17; older kernels take the address as a hint, which is checked).
#[cfg(target_os = "linux")]
const AT_FREE_ADDRESS: libc::c_int = libc::MAP_FIXED_NOREPLACE;
/// The address is a hint, which is checked.
#[cfg(not(target_os = "linux"))]
const AT_FREE_ADDRESS: libc::c_int = 0;

/// Maps `segments`, whose bytes begin at the offsets beside them in `file`: code as code, everything else writable until [`protect`].
///
/// Errors: that the addresses are taken, and what else the operating system says.
pub fn map(file: &File, segments: &[(&ImageSegment, u64)]) -> io::Result<()> {
    for (segment, offset) in segments {
        let access = match segment.prot {
            ImageProt::ReadExec => libc::PROT_READ | libc::PROT_EXEC,
            ImageProt::Read | ImageProt::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        };
        // The whole segment first: that claims its addresses. The file's pages then take the place of the first ones.
        reserve(segment.address, segment.size, access)?;
        if segment.content_size == 0 {
            continue;
        }
        let offset = libc::off_t::try_from(*offset).map_err(|_| io::ErrorKind::InvalidData)?;
        let (at, size) = (segment.address as *mut libc::c_void, segment.content_size as usize);
        // SAFETY: replaces a part of the mapping that was made just now, which nobody knows yet. The mapping is private: nobody's
        // writing to it reaches the file.
        let mapped =
            unsafe { libc::mmap(at, size, access, libc::MAP_PRIVATE | libc::MAP_FIXED, file.as_raw_fd(), offset) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn reserve(address: u64, size: u64, access: libc::c_int) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE | AT_FREE_ADDRESS;
    let at = address as *mut libc::c_void;
    // SAFETY: the address is a wish; nothing that is mapped is replaced.
    let mapped = unsafe { libc::mmap(at, size as usize, access, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    if mapped == at {
        return Ok(());
    }
    // SAFETY: made just now, known to nobody.
    unsafe { libc::munmap(mapped, size as usize) };
    Err(io::ErrorKind::AddrInUse.into())
}

/// Takes away the right to write where the program must not.
///
/// Errors: what the operating system says.
pub fn protect(segments: &[(&ImageSegment, u64)]) -> io::Result<()> {
    for (segment, _) in segments.iter().filter(|(s, _)| s.prot == ImageProt::Read && s.size != 0) {
        // SAFETY: pages that `map` has mapped, of which the linker writes nothing any more.
        if unsafe { libc::mprotect(segment.address as *mut libc::c_void, segment.size as usize, libc::PROT_READ) } != 0
        {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
