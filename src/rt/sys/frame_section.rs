//! A section of call frame records, with an index of them that is made when somebody wants it, if there are many.
//!
//! Whoever asks may be a signal handler, so neither locks nor an allocator may be needed.

use super::frame_records::{Frame, Frames};
use super::huge_pages;
use crate::base::{AddrRange, ExecutorAddr};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::{ptr, slice};

/// A section of call frame records, and its index once there is one.
pub struct FrameSection {
    section: AddrRange,
    /// Pairs, ascending: how far a function is behind [`FrameSection::base`], and its record behind the section's start. Null until made.
    index: AtomicPtr<(u32, u32)>,
    rows: AtomicUsize,
    /// The lowest address of code.
    base: ExecutorAddr,
}

/// Sections up to this size, in bytes, are read from the front: some twenty records.
const SMALL: u64 = 1 << 10;

impl FrameSection {
    /// `section`, whose records are about code at `base` and behind; for the rest see [`Frames::new`].
    pub fn new(section: AddrRange, base: ExecutorAddr) -> FrameSection {
        FrameSection { section, index: AtomicPtr::default(), rows: AtomicUsize::new(0), base }
    }

    /// The record about the code at `address`.
    pub fn find(&self, address: ExecutorAddr) -> Option<Frame> {
        let is_about = |frame: &Frame| frame.code.contains(address);
        let Some(index) = self.index() else { return Frames::new(self.section).find(is_about) };
        let distance = u32::try_from(address.0.checked_sub(self.base.0)?).ok()?;
        let before = index.partition_point(|&(function, _)| function <= distance);
        let &(_, record) = index.get(before.checked_sub(1)?)?;
        let start = self.section.start.offset(u64::from(record));
        Frames::new(AddrRange { start, end: self.section.end }).next().filter(is_about)
    }

    /// The index; `None` if it is not worth it or there is no memory.
    fn index(&self) -> Option<&[(u32, u32)]> {
        if self.section.size() <= SMALL {
            return None;
        }
        let mut rows = self.index.load(Ordering::Acquire);
        if rows.is_null() {
            rows = self.make_index()?;
        }
        // SAFETY: as many rows as were counted before the pointer was published; they do not change any more.
        Some(unsafe { slice::from_raw_parts(rows, self.rows.load(Ordering::Acquire)) })
    }

    /// Makes the index, unless another thread is first, and publishes it.
    fn make_index(&self) -> Option<*mut (u32, u32)> {
        let row = |frame: Frame| {
            let function = frame.code.start.0.checked_sub(self.base.0)?;
            Some((u32::try_from(function).ok()?, (frame.record.0 - self.section.start.0) as u32))
        };
        let count = Frames::new(self.section).filter_map(row).count();
        let size = count * size_of::<(u32, u32)>();
        let rows = huge_pages::map(size).cast::<(u32, u32)>();
        if rows.is_null() {
            return None;
        }
        // SAFETY: `count` rows of zeroes, which nobody else knows of yet.
        let index = unsafe { slice::from_raw_parts_mut(rows, count) };
        index.iter_mut().zip(Frames::new(self.section).filter_map(row)).for_each(|(to, row)| *to = row);
        index.sort_unstable();
        // Whoever makes it at the same time finds as many.
        self.rows.store(count, Ordering::Release);
        match self.index.compare_exchange(ptr::null_mut(), rows, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(rows),
            Err(others) => {
                // SAFETY: the mapping made above, which nobody has seen.
                unsafe { libc::munmap(rows.cast(), size) };
                Some(others)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame_records::tests::{Section, code};
    use super::*;

    /// Functions of 16 bytes, every 32 bytes, whose records are in an order of their own.
    fn many(count: u64) -> FrameSection {
        let mut section = Section::default();
        let common = section.common(1, "zR", &[0x04]);
        for number in 0..count {
            let start = 0x10_0000 + number * 7 % count * 32;
            section.frame(common, &[start.to_le_bytes(), 16_u64.to_le_bytes()].concat());
        }
        FrameSection::new(section.finish(), ExecutorAddr(0x10_0000))
    }

    #[test]
    fn sections_with_and_without_an_index_have_the_same_answers() {
        for count in [1, 5, 1000] {
            let records = many(count);
            assert_eq!(records.index().is_some(), count == 1000);
            for number in 0..count {
                let function = code(0x10_0000 + number * 32, 16);
                for address in function.start.0..function.start.0 + 32 {
                    let found = records.find(ExecutorAddr(address)).map(|frame| frame.code);
                    assert_eq!(found, (address < function.end.0).then_some(function), "{count}: {address:#x}");
                }
            }
            assert_eq!(records.find(ExecutorAddr(0xf_ffff)), None);
            assert_eq!(records.find(ExecutorAddr(u64::MAX)), None);
        }
    }

    #[test]
    fn an_index_is_made_once_by_whoever_comes_first() {
        let records = many(3000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(records.find(ExecutorAddr(0x10_0000 + 2999 * 32)).is_some()));
            }
        });
    }
}
