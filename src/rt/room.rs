//! How much room a region has, for those who only ask: without its lock, which every batch would take once more.

use super::memory::Bounds;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Room is told in steps of so many bytes, rounded down: what hardly ever changes stays in all caches.
const STEP: u64 = 1 << 20;

/// What is known of a region: nothing at first.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The bounds as long as all code is in the window.
    narrow: OnceLock<Bounds>,
    /// Bytes of code that the window has room for, in steps; 0 once code may be elsewhere.
    code: AtomicU64,
    /// Bytes that there are in all, in steps.
    all: AtomicU64,
}

impl Room {
    /// Notes that there is room for `code` bytes of code within `narrow`, and for `all` bytes in all.
    pub fn note(&self, narrow: Bounds, code: u64, all: u64) {
        self.narrow.get_or_init(|| narrow);
        for (place, bytes) in [(&self.code, code), (&self.all, all)] {
            let bytes = bytes / STEP * STEP;
            if place.load(Ordering::Relaxed) != bytes {
                place.store(bytes, Ordering::Relaxed);
            }
        }
    }

    /// The bounds, if there surely is room for `code` bytes of code among `all` bytes; what others take at the same time is not reckoned with.
    pub fn bounds(&self, code: u64, all: u64) -> Option<Bounds> {
        let fits = code < self.code.load(Ordering::Relaxed) && all < self.all.load(Ordering::Relaxed);
        self.narrow.get().filter(|_| fits).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AddrRange, ExecutorAddr};

    #[test]
    fn only_what_surely_fits_gets_an_answer() {
        let range = AddrRange::new(ExecutorAddr(0x1000), 16 * STEP);
        let narrow = Bounds { code: range, all: range };
        let room = Room::default();
        assert_eq!(room.bounds(0, 0), None);
        room.note(narrow, 3 * STEP + 5, 5 * STEP);
        assert_eq!(room.bounds(3 * STEP - 1, 5 * STEP - 1), Some(narrow));
        assert_eq!(room.bounds(3 * STEP, 4 * STEP), None);
        assert_eq!(room.bounds(0, 5 * STEP), None);
        room.note(narrow, 0, 5 * STEP);
        assert_eq!(room.bounds(0, 0), None);
    }
}
