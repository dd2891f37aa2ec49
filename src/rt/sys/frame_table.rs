//! Which call frame records are about an address of linked code.
//!
//! Exceptions and backtraces ask that, the latter from signal handlers that may have interrupted anything, and children of `fork` whose other threads
//! are gone. So looking needs no lock: it is a skip list whose nodes never change nor go away once they can be seen.

use super::frame_records::Frame;
use super::frame_section::FrameSection;
use crate::base::{AddrRange, ExecutorAddr};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// Levels of the list. A quarter of the nodes of one is in the next, so there is work for all of them beyond 200,000 nodes.
const LEVELS: usize = 10;

/// Code and its records.
struct Node {
    code: AddrRange,
    records: FrameSection,
    next: AtomicPtr<Node>,
    /// The same on the levels above the lowest: none, for most.
    above: Box<[AtomicPtr<Node>]>,
}

impl Node {
    /// The node behind this one on `level`, which it must be on.
    fn next(&self, level: usize) -> &AtomicPtr<Node> {
        level.checked_sub(1).map_or(&self.next, |above| &self.above[above])
    }
}

/// The node behind which something is to be: `None` stands for the beginning.
type Place = Option<&'static Node>;

/// Code by address, and the call frame records about it.
pub struct FrameTable {
    first: [AtomicPtr<Node>; LEVELS],
    writer: Mutex<Writer>,
}

/// What who adds knows.
struct Writer {
    nodes: usize,
    /// Levels that have nodes.
    levels: usize,
    /// The places on all levels where the last node was added. Neighbours are linked one after another, mostly.
    last: [Place; LEVELS],
}

impl FrameTable {
    /// An empty table.
    pub const fn new() -> FrameTable {
        FrameTable {
            first: [const { AtomicPtr::new(ptr::null_mut()) }; LEVELS],
            writer: Mutex::new(Writer { nodes: 0, levels: 0, last: [None; LEVELS] }),
        }
    }

    /// The link behind `place` on `level`.
    fn link(&self, place: Place, level: usize) -> &AtomicPtr<Node> {
        place.map_or(&self.first[level], |node| node.next(level))
    }

    /// The last node from `place` on, on `level`, that begins at `address` or before.
    fn walk(&self, mut place: Place, level: usize, address: ExecutorAddr) -> Place {
        loop {
            // SAFETY: null, or a node that `add` has made, which lives as long as the process.
            let next = unsafe { self.link(place, level).load(Ordering::Acquire).as_ref() };
            match next {
                Some(node) if node.code.start <= address => place = next,
                _ => return place,
            }
        }
    }

    /// Adds the call frame records in `section`, which are about `code`; both are finalized and never unmapped, and no other code overlaps `code`.
    pub fn add(&self, code: AddrRange, section: AddrRange) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut place = None;
        let mut places = [None; LEVELS];
        for level in (0..writer.levels).rev() {
            // From where the last one was, if that is nearer.
            let start = |place: Place| place.map(|node| node.code.start);
            let near = writer.last[level].filter(|node| node.code.start <= code.start);
            place = self.walk(if start(near) > start(place) { near } else { place }, level, code.start);
            places[level] = place;
        }
        writer.nodes += 1;
        let height = (1 + writer.nodes.trailing_zeros() as usize / 2).min(LEVELS);
        let behind = |level: usize| AtomicPtr::new(self.link(places[level], level).load(Ordering::Relaxed));
        let node: &'static Node = Box::leak(Box::new(Node {
            code,
            records: FrameSection::new(section, code.start),
            next: behind(0),
            above: (1..height).map(behind).collect(),
        }));
        for (level, &place) in places[..height].iter().enumerate() {
            self.link(place, level).store(ptr::from_ref(node).cast_mut(), Ordering::Release);
        }
        writer.levels = writer.levels.max(height);
        writer.last = places;
        writer.last[..height].fill(Some(node));
    }

    /// The record about the code at `address`. May be called anywhere, signal handlers included.
    pub fn find(&self, address: ExecutorAddr) -> Option<Frame> {
        let node = (0..LEVELS).rev().fold(None, |place, level| self.walk(place, level, address));
        node.filter(|node| node.code.contains(address))?.records.find(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The section of one record, for code at `code`: a common entry and its frame, both as compilers write them.
    fn section(code: AddrRange) -> AddrRange {
        let mut bytes: Vec<u8> = vec![12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0x78, 16, 0, 0, 0];
        bytes.extend_from_slice(&20_u32.to_le_bytes());
        bytes.extend_from_slice(&20_u32.to_le_bytes());
        bytes.extend_from_slice(&code.start.0.to_le_bytes());
        bytes.extend_from_slice(&code.size().to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let bytes: &'static [u8] = bytes.leak();
        AddrRange::new(ExecutorAddr(bytes.as_ptr() as u64), bytes.len() as u64)
    }

    /// Code number `number` of a program: 16 bytes, with a gap of as many before the next.
    fn code(number: u64) -> AddrRange {
        AddrRange::new(ExecutorAddr(0x10_0000 + number * 32), 16)
    }

    fn check(table: &FrameTable, number: u64, is_there: bool) {
        let code = code(number);
        for (address, is_inside) in
            [(code.start.0 - 1, false), (code.start.0, true), (code.end.0 - 1, true), (code.end.0, false)]
        {
            let found = table.find(ExecutorAddr(address)).map(|frame| frame.code);
            assert_eq!(found, (is_there && is_inside).then_some(code), "{number}: {address:#x}");
        }
    }

    #[test]
    fn code_is_found_in_whatever_order_it_was_added() {
        const COUNT: u64 = 1009;
        // Ascending, descending, and by steps that go round all of it.
        for step in [1, COUNT - 1, 2, 7, 400, 503] {
            let table = FrameTable::new();
            let order: Vec<u64> = (0..COUNT).map(|n| n * step % COUNT).collect();
            for (added, &number) in order.iter().enumerate() {
                check(&table, number, false);
                table.add(code(number), section(code(number)));
                check(&table, number, true);
                check(&table, order[added / 2], true);
            }
            (0..COUNT).for_each(|number| check(&table, number, true));
        }
    }

    #[test]
    fn what_is_there_is_found_while_others_are_added() {
        static TABLE: FrameTable = FrameTable::new();
        const COUNT: u64 = 2000;
        (0..COUNT).step_by(2).for_each(|number| TABLE.add(code(number), section(code(number))));
        std::thread::scope(|scope| {
            for first in [1, 3] {
                scope.spawn(move || {
                    (first..COUNT).step_by(4).for_each(|number| TABLE.add(code(number), section(code(number))))
                });
            }
            scope.spawn(|| (0..COUNT).step_by(2).for_each(|number| check(&TABLE, number, true)));
        });
        (0..COUNT).for_each(|number| check(&TABLE, number, true));
    }
}
