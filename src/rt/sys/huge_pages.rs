//! Fresh memory from the system, on huge pages where those are quick to get.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes of a huge page.
pub const HUGE_PAGE: usize = 2 << 20;

/// `size` bytes of zero-filled memory, a mapping of its own; null if there are none.
pub fn map(size: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping at no particular address replaces nothing.
    let start = unsafe { libc::mmap(ptr::null_mut(), size, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };
    if start == libc::MAP_FAILED { ptr::null_mut() } else { start.cast() }
}

/// `size` bytes of zero-filled memory, on huge pages if the system has them; 0 if there are none.
pub fn huge_pages(size: usize) -> usize {
    let start = map(size + HUGE_PAGE) as usize;
    if start == 0 {
        return 0;
    }
    let aligned = start.next_multiple_of(HUGE_PAGE);
    want_huge_pages(aligned, size);
    aligned
}

/// How long the system may take to give a huge page: several times what zeroing it takes.
const PATIENCE: Duration = Duration::from_micros(500);

/// Whether it took longer once. Under a hypervisor that takes free memory away from its guests, fresh huge pages can cost more than
/// all small ones in them.
static SLOW: AtomicBool = AtomicBool::new(false);

/// Has the `size` bytes at `start`, fresh memory of the caller's that nobody has touched, be on huge pages, unless those are slow to get.
pub fn want_huge_pages(start: usize, size: usize) {
    let first = start.next_multiple_of(HUGE_PAGE);
    if SLOW.load(Ordering::Relaxed) || first + HUGE_PAGE > start + size {
        return;
    }
    // SAFETY: the caller's memory, which is writable. That the advice is not followed does no harm.
    unsafe {
        libc::madvise(first as *mut _, start + size - first, libc::MADV_HUGEPAGE);
        let before = Instant::now();
        (first as *mut u8).write_volatile(0);
        if before.elapsed() > PATIENCE {
            SLOW.store(true, Ordering::Relaxed);
            let rest = first + HUGE_PAGE;
            libc::madvise(rest as *mut _, start + size - rest, libc::MADV_NOHUGEPAGE);
        }
    }
}
