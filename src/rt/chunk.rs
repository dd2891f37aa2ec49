//! Chunks: what the memory manager of this process fills, from front to end.
//!
//! Code and constants are written at other addresses than the program sees them at. So a fresh page of theirs costs a page of memory and two
//! page faults, while the program waits for its first call. In a large program, an idle core has those instead: it makes pages present
//! before anything is written to them, and takes those away that were written some time ago: what is mapped twice counts twice.

use super::memory::{Segment, SegmentRequest};
use super::pool;
use super::sys::{Extent, View, ViewPages};
use crate::base::{ExecutorAddr, MemProt, align_up};

/// What is used of a chunk, in bytes, before pages are made present in advance: more than small programs have.
const SMALL: u64 = 64 << 10;
/// Bytes that are made present at a time, when less than half as many are.
const STEP: u64 = 256 << 10;

/// The unused end of a chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    rest: View,
    pages: ViewPages,
    /// Up to which address pages are present, or are about to be.
    present: u64,
    /// Up to which address they are present where the program sees them only.
    written: u64,
}

impl Chunk {
    /// A chunk of the memory at `view`, for segments of `prot`.
    pub fn new(view: View, prot: MemProt) -> Chunk {
        let present = match prot {
            // Private memory, written where the program sees it: its pages come when they are touched, many at a time.
            MemProt::ReadWrite => u64::MAX,
            MemProt::Read | MemProt::ReadExec => view.address().saturating_add(SMALL),
        };
        Chunk { pages: view.pages(), present, written: view.address(), rest: view }
    }

    /// Bytes that nobody has taken.
    pub fn left(&self) -> u64 {
        self.rest.size() as u64
    }

    /// Where `size` bytes would go.
    pub fn fit(&self, size: u64, align: u64) -> Option<u64> {
        let start = align_up(self.rest.address(), align)?;
        let end = start.checked_add(size)?;
        (end - self.rest.address() <= self.left()).then_some(start)
    }

    /// Takes the segment that is asked for, at `start`, which [`Chunk::fit`] has answered.
    pub fn take(&mut self, request: &SegmentRequest, start: u64) -> Segment {
        let mut bytes = self.take_at(start, request.size);
        let content = bytes.take_front(request.content_size as usize);
        self.make_present();
        Segment::of_view(ExecutorAddr(start), request.size, request.prot, content)
    }

    /// Takes `size` bytes, whole pages, at `start`, which [`Chunk::fit`] has answered, to map something else there.
    pub fn take_pages(&mut self, start: u64, size: u64) -> Option<Extent> {
        Extent::of_unused(self.take_at(start, size))
    }

    /// The whole pages that nobody has taken any of.
    pub fn into_unused(self) -> Option<Extent> {
        Extent::of_unused(self.rest)
    }

    fn take_at(&mut self, start: u64, size: u64) -> View {
        let padding = start - self.rest.address();
        self.rest.take_front(padding as usize);
        self.rest.take_front(size as usize)
    }

    fn make_present(&mut self) {
        let used = self.rest.address();
        let Some((from, size)) = ahead(used, self.present, used + self.left()) else { return };
        let (pages, written) = (self.pages, self.written..used.saturating_sub(STEP).max(self.written));
        let settled = written.end;
        let ahead = move || {
            pages.make_present(from..from + size);
            pages.take_views_away(written);
        };
        if pool::offer(ahead) {
            (self.present, self.written) = (from + size, settled);
        }
    }
}

/// The addresses and the bytes to make present in a chunk that is used up to `used`, present up to `present`, and ends at `end`.
fn ahead(used: u64, present: u64, end: u64) -> Option<(u64, u64)> {
    let from = present.max(used);
    let few = present.saturating_sub(used) < STEP / 2;
    (few && from < end).then(|| (from, STEP.min(end - from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_present_before_they_are_used_and_not_long_before() {
        let end = 100 * STEP;
        for (used, present, expected) in [
            (0, STEP / 2, None),
            (1, STEP / 2, Some((STEP / 2, STEP))),
            (STEP, STEP, Some((STEP, STEP))),
            (5 * STEP, STEP, Some((5 * STEP, STEP))),
            (end - 10, end - 5, Some((end - 5, 5))),
            (end - 10, end, None),
            (end, STEP, None),
            (0, u64::MAX, None),
        ] {
            assert_eq!(ahead(used, present, end), expected, "{used:#x} {present:#x}");
        }
    }
}
