//! The linker's own heap: an allocator for many cores that ask for much and give little back.
//!
//! The C library's is the program's: its settings are not the linker's to change, and on more than one core it grows page by page,
//! with a system call each, and hands memory from one thread to another under locks. What a big link needs is the opposite: memory in large
//! pieces, on huge pages, and no question whose it was. A small start matters as much: the first
//! memory is part of the program's own image and costs nothing until it is touched.
//!
//! - The heap is split into *slots*. A thread prefers that of its shard, and takes the next if another thread is in it. So nobody ever waits,
//!   neither a signal handler that interrupted its own thread in a slot, nor the child of a `fork` in which the thread that was there is gone.
//! - A slot has a free list for each size class, four classes to each doubling, and a piece of fresh memory. A block goes to
//!   the slot of whoever frees it.
//! - A page that nobody has touched is the dearest memory there is. So before fresh memory is taken, larger blocks that are free, as growing
//!   vectors leave behind, are used up by smaller ones; and blocks that were taken small, and grew where they were, serve as small ones again.
//! - Blocks beyond the classes are mappings of their own, which grow without being copied.

use super::huge_pages::{HUGE_PAGE, allow_huge_pages, map, map_aligned, want_huge_page};
use super::piece::Piece;
use crate::rt::shard;
use crossbeam_utils::CachePadded;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// A slot for each shard.
const SLOTS: usize = shard::SHARDS;

/// Alignment of every block in bytes; greater ones are rare and left to the C library.
const ALIGN: usize = 16;

/// Classes with a step of [`ALIGN`] bytes, up to [`FINE_LIMIT`].
const FINE: usize = FINE_LIMIT / ALIGN;
const FINE_LIMIT: usize = 128;

/// The greatest size of a class in bytes.
const CLASS_LIMIT: usize = 1 << 20;

/// Number of classes: the fine ones, then four to each doubling.
const CLASSES: usize = FINE + 4 * (CLASS_LIMIT.ilog2() - FINE_LIMIT.ilog2()) as usize;

/// Bytes of fresh memory that a slot takes at first, one time after another; later ones are huge pages.
const PIECES: [usize; 2] = [256 << 10, 1 << 20];
/// Bytes of address space that a slot takes at a time, for huge pages.
const ADDRESSES: usize = 8 * HUGE_PAGE;

/// The class of blocks of `size` bytes, which is at most [`CLASS_LIMIT`].
fn class_of(size: usize) -> usize {
    if size <= FINE_LIMIT {
        return size.max(1).div_ceil(ALIGN) - 1;
    }
    let last = size - 1;
    let doubling = last.ilog2() as usize;
    let quarter = last >> (doubling - 2) & 3;
    FINE + 4 * (doubling - FINE_LIMIT.ilog2() as usize) + quarter
}

/// The size of the blocks of `class` in bytes.
fn class_size(class: usize) -> usize {
    if class < FINE {
        return (class + 1) * ALIGN;
    }
    let (doubling, quarter) = ((class - FINE) / 4, (class - FINE) % 4);
    (FINE_LIMIT << doubling) / 4 * (5 + quarter)
}

/// A freed block.
struct Free {
    next: *mut Free,
}

/// What is in a slot.
struct State {
    free: [*mut Free; CLASSES],
    /// The classes that have free blocks, by bit.
    some: u64,
    /// What is left of a free block that is being used up.
    used: Piece,
    /// Memory that nobody has touched: zero.
    fresh: Piece,
    /// Addresses for more of it.
    addresses: Piece,
    /// How many pieces of it were taken.
    pieces: usize,
}

// A bit for each class.
const _: () = assert!(CLASSES <= 64);

struct Slot {
    busy: AtomicBool,
    state: UnsafeCell<State>,
}

// SAFETY: the state is only touched by the thread that has made `busy` true.
unsafe impl Sync for Slot {}

static HEAP: [CachePadded<Slot>; SLOTS] =
    [const { CachePadded::new(Slot { busy: AtomicBool::new(false), state: UnsafeCell::new(State::new()) }) }; SLOTS];

/// The first piece: part of the program's image.
#[repr(align(4096))]
struct First(UnsafeCell<[u8; PIECES[0]]>);
// SAFETY: given to one slot, once.
unsafe impl Sync for First {}
static FIRST: First = First(UnsafeCell::new([0; PIECES[0]]));
static FIRST_TAKEN: AtomicBool = AtomicBool::new(false);

/// Does `work` with a slot that is nobody else's meanwhile.
#[inline]
fn with_slot<R>(work: impl FnOnce(&mut State) -> R) -> R {
    let mut index = shard::of_this_thread();
    let mut slot = &HEAP[index];
    while slot.busy.swap(true, Ordering::Acquire) {
        index = (index + 1) % SLOTS;
        slot = &HEAP[index];
        std::hint::spin_loop();
    }
    // SAFETY: whoever makes `busy` true has the state for itself until it makes it false again.
    let result = work(unsafe { &mut *slot.state.get() });
    slot.busy.store(false, Ordering::Release);
    result
}

impl State {
    const fn new() -> State {
        State {
            free: [ptr::null_mut(); CLASSES],
            some: 0,
            used: Piece::EMPTY,
            fresh: Piece::EMPTY,
            addresses: Piece::EMPTY,
            pieces: 0,
        }
    }

    /// A block of `class`, and whether it is zero; null if there is no memory.
    #[inline]
    fn take(&mut self, class: usize) -> (*mut u8, bool) {
        let block = self.free[class];
        if !block.is_null() {
            return (self.pop(class).cast(), false);
        }
        let size = class_size(class);
        if self.used.has(size) || self.use_up(class) {
            return (self.used.cut(size), false);
        }
        if self.fresh.has(size) || self.refill(size) {
            return (self.fresh.cut(size), true);
        }
        (ptr::null_mut(), false)
    }

    /// The first free block of `class`, of which there is one.
    #[inline]
    fn pop(&mut self, class: usize) -> *mut Free {
        let block = self.free[class];
        // SAFETY: a block in a free list belongs to the slot, and begins with the link.
        self.free[class] = unsafe { (*block).next };
        if self.free[class].is_null() {
            self.some &= !(1 << class);
        }
        block
    }

    /// Frees `block` of `class`.
    ///
    /// # Safety
    /// It was taken as one of that class, and is used no more.
    #[inline]
    unsafe fn give(&mut self, block: *mut u8, class: usize) {
        let block = block.cast::<Free>();
        // SAFETY: the caller's promise; every block has room for a link.
        unsafe { (*block).next = self.free[class] };
        self.free[class] = block;
        self.some |= 1 << class;
    }

    /// Begins to use up the smallest free block that is larger than those of `class`; says whether there is one.
    fn use_up(&mut self, class: usize) -> bool {
        let suitable = self.some & !(u64::MAX >> (63 - class));
        if suitable == 0 {
            return false;
        }
        let class = suitable.trailing_zeros() as usize;
        let next = self.pop(class) as usize;
        let rest = std::mem::replace(&mut self.used, Piece { next, end: next + class_size(class) });
        let size = rest.end - rest.next;
        if size >= ALIGN {
            let class = class_of(size);
            let fitting = if class_size(class) > size { class - 1 } else { class };
            // SAFETY: nobody has the rest of a block that was used up, and it is as long as that.
            unsafe { self.give(rest.next as *mut u8, fitting) };
        }
        true
    }

    /// Makes the block at `block` of class `old` one of class `new` where it is, if it is the last one and there is room.
    fn extend(&mut self, block: *mut u8, old: usize, new: usize) -> bool {
        let (start, old, new) = (block as usize, class_size(old), class_size(new));
        self.fresh.extend(start, old, new) || self.used.extend(start, old, new)
    }

    /// Takes fresh memory for at least `size` bytes; what is left of the last piece is lost, unless the new one is next to it.
    #[cold]
    fn refill(&mut self, size: usize) -> bool {
        let piece = loop {
            let length = PIECES.get(self.pieces).copied().unwrap_or(HUGE_PAGE);
            self.pieces += 1;
            if length >= size {
                break self.piece(length);
            }
        };
        // Where address space is limited, a little may still be there.
        let piece = piece.or_else(|| Piece::of(map(mapping_size(size)) as usize, mapping_size(size)));
        let Some(piece) = piece else { return false };
        let next = if self.fresh.end == piece.next { self.fresh.next } else { piece.next };
        self.fresh = Piece { next, end: piece.end };
        true
    }

    /// Fresh memory of `length` bytes, one of [`PIECES`] or a huge page.
    fn piece(&mut self, length: usize) -> Option<Piece> {
        if length < HUGE_PAGE {
            let first = length == PIECES[0] && !FIRST_TAKEN.swap(true, Ordering::Relaxed);
            return Piece::of(if first { FIRST.0.get() as usize } else { map(length) as usize }, length);
        }
        if !self.addresses.has(HUGE_PAGE) {
            self.addresses = Piece::of(map_aligned(ADDRESSES), ADDRESSES)?;
        }
        let page = self.addresses.cut(HUGE_PAGE) as usize;
        want_huge_page(page);
        Piece::of(page, HUGE_PAGE)
    }
}

/// The size of the mapping of a block of `size` bytes, which is beyond the classes.
fn mapping_size(size: usize) -> usize {
    size.saturating_add(0xfff) & !0xfff
}

/// The heap. Nothing of it is global: for the program that makes it its allocator.
#[derive(Debug)]
pub struct Heap;

// SAFETY: a block is given away once until it is freed: it is taken out of a free list or off the fresh memory by the only thread in the slot. Blocks
// of a class are as large as the greatest size of the class, and aligned to `ALIGN`, as all sizes of classes are and all pieces.
// Mappings are aligned to pages. The layout alone says which of the three a block is, and it is the same when the block is freed.
unsafe impl GlobalAlloc for Heap {
    // SAFETY: the trait's contract.
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        }
        if layout.size() > CLASS_LIMIT {
            return map_large(layout.size());
        }
        with_slot(|slot| slot.take(class_of(layout.size())).0)
    }

    // SAFETY: the trait's contract.
    #[inline]
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise.
            return unsafe { System.dealloc(start, layout) };
        }
        if layout.size() > CLASS_LIMIT {
            // SAFETY: the whole mapping of the block.
            unsafe { libc::munmap(start.cast(), mapping_size(layout.size())) };
            return;
        }
        // SAFETY: the caller's promise.
        with_slot(|slot| unsafe { slot.give(start, class_of(layout.size())) });
    }

    // SAFETY: the trait's contract.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc_zeroed(layout) };
        }
        if layout.size() > CLASS_LIMIT {
            return map_large(layout.size());
        }
        let (block, zero) = with_slot(|slot| slot.take(class_of(layout.size())));
        if !zero && !block.is_null() {
            // SAFETY: the block is that long.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    // SAFETY: the trait's contract.
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size fits the layout's rules.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if layout.align() > ALIGN {
            // SAFETY: the caller's promise.
            return unsafe { System.realloc(start, layout, size) };
        }
        match (layout.size() > CLASS_LIMIT, size > CLASS_LIMIT) {
            (true, true) => {
                let (old, new) = (mapping_size(layout.size()), mapping_size(size));
                // SAFETY: the whole mapping of the block.
                let moved = unsafe { libc::mremap(start.cast(), old, new, libc::MREMAP_MAYMOVE) };
                if moved != libc::MAP_FAILED {
                    return moved.cast();
                }
                // It is copied: the system moves no memory of which it has been told different things.
            }
            (false, false) => {
                let (old, new) = (class_of(layout.size()), class_of(size));
                if old == new || new > old && with_slot(|slot| slot.extend(start, old, new)) {
                    return start;
                }
            }
            _ => {}
        }
        // SAFETY: both blocks are as long as what is copied; the old one is given back by its own layout.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(start, moved, layout.size().min(size));
                self.dealloc(start, layout);
            }
            moved
        }
    }
}

/// A block of `size` bytes beyond the classes.
fn map_large(size: usize) -> *mut u8 {
    let length = mapping_size(size);
    let start = map(length);
    if !start.is_null() && length >= 2 * HUGE_PAGE {
        allow_huge_pages(start as usize, length);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_its_sizes_and_wastes_at_most_a_quarter() {
        let mut last = 0;
        for size in (1..5000).chain((5000..=CLASS_LIMIT).step_by(997)).chain([CLASS_LIMIT]) {
            let class = class_of(size);
            assert!(class < CLASSES && class >= last, "{size}");
            assert!(class_size(class) >= size && class_size(class).is_multiple_of(ALIGN), "{size}");
            assert!(class_size(class) - size < ALIGN.max(size / 4 + 1), "{size}");
            assert_eq!(class_of(class_size(class)), class, "{size}");
            last = class;
        }
        assert_eq!(last, CLASSES - 1);
    }

    /// A deterministic sequence of numbers.
    fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        }
    }

    /// Takes, resizes and frees blocks of all kinds, each filled with a number of its own.
    fn churn(seed: u64) {
        let mut number = numbers(seed);
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        for round in 0..1000_u64 {
            let tag = (round + seed) as u8;
            let magnitude = number() % 21;
            let size = (1 + number() % (1 << magnitude)) as usize;
            let layout = Layout::from_size_align(size, 1 << (number() % 7)).unwrap();
            // SAFETY: blocks are used within their sizes, and freed once, by their own layouts.
            unsafe {
                match number() % 4 {
                    0 | 1 => {
                        let zeroed = number().is_multiple_of(2);
                        let block = if zeroed { Heap.alloc_zeroed(layout) } else { Heap.alloc(layout) };
                        assert!(!block.is_null() && (block as usize).is_multiple_of(layout.align()));
                        assert!(!zeroed || std::slice::from_raw_parts(block, size).iter().all(|b| *b == 0));
                        block.write_bytes(tag, size);
                        blocks.push((block, layout, tag));
                    }
                    2 if !blocks.is_empty() => {
                        let index = number() as usize % blocks.len();
                        let (block, old, tag) = blocks[index];
                        let moved = Heap.realloc(block, old, size);
                        let kept = std::slice::from_raw_parts(moved, size.min(old.size()));
                        assert!(kept.iter().all(|b| *b == tag));
                        moved.write_bytes(tag, size);
                        blocks[index] = (moved, Layout::from_size_align(size, old.align()).unwrap(), tag);
                    }
                    _ if blocks.is_empty() => {}
                    _ => {
                        let (block, layout, tag) = blocks.swap_remove(number() as usize % blocks.len());
                        assert!(std::slice::from_raw_parts(block, layout.size()).iter().all(|b| *b == tag));
                        Heap.dealloc(block, layout);
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_keep_what_is_in_them_on_all_threads() {
        std::thread::scope(|scope| {
            for seed in 0..SLOTS as u64 + 8 {
                scope.spawn(move || churn(seed));
            }
        });
    }

    #[test]
    fn a_thread_in_a_slot_keeps_nobody_waiting() {
        let block = with_slot(|_| {
            // As a signal handler would, or the child of a fork.
            Box::new(with_slot(|slot| slot.take(0)))
        });
        assert!(!block.0.is_null());
    }

    #[test]
    fn mappings_grow_whatever_the_system_was_told_of_parts_of_them() {
        const SIZE: usize = 5 << 20;
        let layouts = [SIZE, 4 * SIZE].map(|size| Layout::from_size_align(size, 8).unwrap());
        // Not every block gets huge pages.
        for n in 0..8 {
            // SAFETY: blocks are used within their sizes, and freed once, by their own layouts.
            unsafe {
                let block = Heap.alloc(layouts[0]);
                block.add(SIZE - 1).write(n);
                if n % 2 == 0 {
                    assert_eq!(libc::mprotect(block.cast(), 4096, libc::PROT_READ), 0);
                }
                let block = Heap.realloc(block, layouts[0], 4 * SIZE);
                assert!(!block.is_null());
                assert_eq!(block.add(SIZE - 1).read(), n);
                block.add(4 * SIZE - 1).write(n);
                Heap.dealloc(block, layouts[1]);
            }
        }
    }

    #[test]
    fn a_large_free_block_is_used_up_before_fresh_memory_is() {
        let mut slot = State { pieces: 1, ..State::new() };
        let (large, _) = slot.take(class_of(64 << 10));
        let fresh = slot.fresh.next;
        // SAFETY: the block is used no more.
        unsafe { slot.give(large, class_of(64 << 10)) };
        for size in [3000, 40, 3000, 40, 600] {
            let (block, zero) = slot.take(class_of(size));
            let inside = block as usize - large as usize;
            assert!(!zero && inside + size <= 64 << 10, "{size} bytes at {inside}");
        }
        assert_eq!(slot.fresh.next, fresh);
        let (other, zero) = slot.take(class_of(64 << 10));
        assert!(zero && other as usize == fresh);
    }

    #[test]
    fn blocks_that_grew_serve_as_small_ones_again() {
        let mut slot = State { pieces: 1, ..State::new() };
        let mut once = || {
            let (block, _) = slot.take(2);
            assert!(slot.extend(block, 2, 9));
            // SAFETY: the block is used no more.
            unsafe { slot.give(block, 9) };
            slot.fresh.next
        };
        let first = once();
        assert!((0..100).all(|_| once() == first));
    }

    #[test]
    fn the_last_block_grows_where_it_is() {
        let mut slot = State { pieces: 1, ..State::new() };
        let (block, _) = slot.take(2);
        assert!(slot.extend(block, 2, 5));
        let (other, _) = slot.take(0);
        assert_eq!(other as usize, block as usize + class_size(5));
        assert!(!slot.extend(block, 5, 6));
    }
}
