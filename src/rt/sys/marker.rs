//! The mark that a profiler finds in its recording: an executable mapping of a file.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Maps the first page of `file`, executable, for good. `perf record` notes executable mappings with the names of their files, and
/// `perf inject` looks for names of jitdumps among them. The page is never written through this mapping, and nothing executes it.
///
/// # Errors
/// What the operating system says: on file systems mounted `noexec` that it is not permitted.
pub fn map_marker(file: &File) -> io::Result<()> {
    let access = libc::PROT_READ | libc::PROT_EXEC;
    let page = super::page_size() as usize;
    // SAFETY: a mapping at no particular address replaces nothing.
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), page, access, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Nanoseconds of the clock by which jitdumps are timed: `perf record -k mono`.
pub fn monotonic_nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}
