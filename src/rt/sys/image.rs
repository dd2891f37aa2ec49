//! Segments of an image, mapped from its file.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::Extent;
use crate::rt::image::{ImageProt, ImageSegment};

/// Segments in memory, writable until [`Mapped::protect`]: code only if it was asked for, and then it cannot run before.
#[derive(Debug)]
pub struct Mapped<'a> {
    extent: Extent,
    segments: Vec<&'a ImageSegment>,
    code_is_written: bool,
}

impl<'a> Mapped<'a> {
    /// Maps `segments`, whose bytes begin in `file` at the offsets beside them, over `extent`, which is large enough; their addresses
    /// count from its start.
    ///
    /// Errors: what the operating system says.
    pub fn new(
        file: &File,
        segments: &[(&'a ImageSegment, u64)],
        extent: Extent,
        code_is_written: bool,
    ) -> io::Result<Mapped<'a>> {
        for (segment, offset) in segments {
            let end = segment.address.checked_add(segment.size);
            if end.is_none_or(|end| end > extent.size()) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let access = match segment.prot {
                ImageProt::ReadExec if !code_is_written => libc::PROT_READ | libc::PROT_EXEC,
                _ => libc::PROT_READ | libc::PROT_WRITE,
            };
            let start = extent.start() + segment.address;
            let offset = libc::off_t::try_from(*offset).map_err(|_| io::ErrorKind::InvalidData)?;
            let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
            let zeroes = flags | libc::MAP_ANON | libc::MAP_NORESERVE;
            for (size, flags, fd) in [(segment.size, zeroes, -1), (segment.content_size, flags, file.as_raw_fd())] {
                let mapped = match size {
                    0 => std::ptr::null_mut(),
                    // SAFETY: replaces addresses that the extent owns and that nothing uses yet. Private mappings: what is
                    // written to them does not reach the file.
                    _ => unsafe {
                        let offset = if fd < 0 { 0 } else { offset };
                        libc::mmap(start as *mut libc::c_void, size as usize, access, flags, fd, offset)
                    },
                };
                if mapped == libc::MAP_FAILED {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        Ok(Mapped { extent, segments: segments.iter().map(|(segment, _)| *segment).collect(), code_is_written })
    }

    /// Where the image begins.
    pub fn start(&self) -> u64 {
        self.extent.start()
    }

    /// Adds the image's start to the pointers for which there is a bit in `bits`: bit `n` of word `m` is that at
    /// `8 * (64 * m + n)` bytes from `address`, the beginning of a segment.
    pub fn relocate(&mut self, address: u64, bits: &[u64]) {
        for (index, &word) in bits.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let bit = u64::from(rest.trailing_zeros());
                rest &= rest - 1;
                self.relocate_one(address + 8 * (64 * index as u64 + bit));
            }
        }
    }

    /// Adds the image's start to the pointer at `address` of the image.
    pub fn relocate_one(&mut self, address: u64) {
        let start = self.start();
        let bytes = self.bytes::<8>(address);
        *bytes = u64::from_le_bytes(*bytes).wrapping_add(start).to_le_bytes();
    }

    /// Writes `bytes` to `address` of the image.
    pub fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) {
        *self.bytes::<N>(address) = bytes;
    }

    fn bytes<const N: usize>(&mut self, address: u64) -> &mut [u8; N] {
        let inside = |s: &&&ImageSegment| {
            let writable = s.prot != ImageProt::ReadExec || self.code_is_written;
            writable && address >= s.address && address + N as u64 <= s.address + s.size
        };
        assert!(self.segments.iter().any(|s| inside(&s)), "an image's tables are checked before it is mapped");
        // SAFETY: in a segment that is mapped writable and that nobody else knows yet.
        unsafe { &mut *((self.extent.start() + address) as *mut [u8; N]) }
    }

    /// Gives the segments their protections; answers where the image begins.
    ///
    /// Errors: what the operating system says.
    pub fn protect(self) -> io::Result<u64> {
        for segment in &self.segments {
            let access = match segment.prot {
                ImageProt::Read => libc::PROT_READ,
                ImageProt::ReadExec if self.code_is_written => libc::PROT_READ | libc::PROT_EXEC,
                _ => continue,
            };
            let start = self.extent.start() + segment.address;
            // SAFETY: whole pages that `new` has mapped.
            if unsafe { libc::mprotect(start as *mut libc::c_void, segment.size as usize, access) } != 0 {
                return Err(io::Error::last_os_error());
            }
            if segment.prot == ImageProt::ReadExec {
                super::icache::clear(start, segment.size);
            }
        }
        Ok(self.extent.start())
    }
}
