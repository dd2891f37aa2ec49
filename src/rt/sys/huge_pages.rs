//! Fresh memory from the system, on huge pages where those are quick to get.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Addresses for `size` bytes of zero-filled memory, aligned to huge pages; 0 if there are none.
pub fn map_aligned(size: usize) -> usize {
    match map(size + HUGE_PAGE) as usize {
        0 => 0,
        start => start.next_multiple_of(HUGE_PAGE),
    }
}

/// How long the system may take to give a huge page: several times what zeroing it takes, and less than the small pages in it.
const PATIENCE: Duration = Duration::from_micros(500);

/// How many times the size of a huge page is taken in small pages before the first: a program that needs no more has more to lose than to win.
const BEGINNING: usize = 1;

/// The same after the first that was slow, and at most.
const FIRST_PAUSE: usize = 2;
const LONGEST_PAUSE: usize = 64;

/// What the system is like at the moment. Under a hypervisor that takes free memory away from its guests, a huge page it has taken costs seven
/// times as much as all small ones in it, and one that it has not taken a seventh. Neighbours are mostly alike, for dozens of them.
struct Weather {
    /// For how many more the question is not asked again.
    pause: AtomicUsize,
    /// How long the next pause will be.
    next_pause: AtomicUsize,
}

static WEATHER: Weather = Weather::new(BEGINNING);

impl Weather {
    const fn new(pause: usize) -> Weather {
        Weather { pause: AtomicUsize::new(pause), next_pause: AtomicUsize::new(FIRST_PAUSE) }
    }

    /// Whether the next huge page is to be asked for.
    fn is_fair(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.pause.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err()
    }

    /// Notes whether one that was asked for came quickly.
    fn note(&self, is_quick: bool) {
        let pause = self.next_pause.load(Ordering::Relaxed);
        if !is_quick {
            self.pause.store(pause, Ordering::Relaxed);
        }
        let next_pause = if is_quick { FIRST_PAUSE } else { (2 * pause).min(LONGEST_PAUSE) };
        self.next_pause.store(next_pause, Ordering::Relaxed);
    }
}

/// Has the `size` bytes at `start`, fresh memory of the caller's that nobody has touched and all of which will be written soon, be on huge pages,
/// those of them that are quick to get.
pub fn want_huge_pages(start: usize, size: usize) {
    let mut page = start.next_multiple_of(HUGE_PAGE);
    while page + HUGE_PAGE <= start + size {
        want_huge_page(page);
        page += HUGE_PAGE;
    }
}

/// The same for a mapping of which parts may never be written: only its first huge page is touched, and what that is like is taken for what all are
/// like. All of the mapping is told the same, since the system moves it in one piece only then.
pub fn allow_huge_pages(start: usize, size: usize) {
    let first = start.next_multiple_of(HUGE_PAGE);
    if first + HUGE_PAGE > start + size || !WEATHER.is_fair() {
        return;
    }
    let advise = |advice| {
        // SAFETY: the caller's memory. That the advice is not followed does no harm.
        unsafe { libc::madvise(start as *mut _, size, advice) };
    };
    advise(libc::MADV_HUGEPAGE);
    if !touch(first) {
        advise(libc::MADV_NOHUGEPAGE);
    }
}

/// Touches the fresh `page`, which may be a huge one; says whether it came quickly.
fn touch(page: usize) -> bool {
    let before = Instant::now();
    // SAFETY: the callers' memory, which is writable.
    unsafe { (page as *mut u8).write_volatile(0) };
    let is_quick = before.elapsed() <= PATIENCE;
    WEATHER.note(is_quick);
    is_quick
}

/// Has the aligned huge page at `page`, fresh memory of the caller's that nobody has touched, be one, unless those are slow to get.
pub fn want_huge_page(page: usize) {
    if WEATHER.is_fair() {
        // SAFETY: the caller's memory. That the advice is not followed does no harm.
        unsafe { libc::madvise(page as *mut _, HUGE_PAGE, libc::MADV_HUGEPAGE) };
        touch(page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_get_longer_until_a_page_comes_quickly() {
        let weather = Weather::new(0);
        let pause = || (0..1000).take_while(|_| !weather.is_fair()).count();
        let mut pauses = Vec::new();
        for is_quick in [false, false, false, true, false, true, true] {
            weather.note(is_quick);
            pauses.push(pause());
        }
        assert_eq!(pauses, [2, 4, 8, 0, 2, 0, 0]);
        for _ in 0..10 {
            weather.note(false);
        }
        assert_eq!(pause(), LONGEST_PAUSE);
    }
}
