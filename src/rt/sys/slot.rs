//! What is in a slot of the linker's heap: free blocks, by class, and fresh memory.

use super::heap;
use super::huge_pages::{HUGE_PAGE, map, map_aligned, want_huge_page};
use super::piece::Piece;
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};

/// Alignment of every block in bytes; greater ones are rare and left to the C library.
pub const ALIGN: usize = 16;

/// Classes with a step of [`ALIGN`] bytes, up to [`FINE_LIMIT`].
const FINE: usize = FINE_LIMIT / ALIGN;
const FINE_LIMIT: usize = 128;

/// The greatest size of a class in bytes.
pub const CLASS_LIMIT: usize = 1 << 20;

/// Number of classes: the fine ones, then four to each doubling.
const CLASSES: usize = FINE + 4 * (CLASS_LIMIT.ilog2() - FINE_LIMIT.ilog2()) as usize;

/// Bytes of fresh memory that a slot takes at first, one time after another; later ones are huge pages.
const PIECES: [usize; 2] = [256 << 10, 1 << 20];
/// Bytes of address space that a slot takes at a time, for huge pages.
const ADDRESSES: usize = 8 * HUGE_PAGE;

/// Bytes from which on it is worth it to take over what another slot has free: far fewer than a thread takes that allocates what others free.
const WORTHWHILE: usize = 256 << 10;

/// The class of blocks of `size` bytes, which is at most [`CLASS_LIMIT`].
#[inline]
pub fn class_of(size: usize) -> usize {
    if size <= FINE_LIMIT {
        return size.saturating_sub(1) / ALIGN;
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

/// The size of the mapping of a block of `size` bytes, which is beyond the classes.
pub fn mapping_size(size: usize) -> usize {
    size.saturating_add(0xfff) & !0xfff
}

/// A freed block.
struct Free {
    next: *mut Free,
}

/// What is in a slot.
pub struct State {
    free: [*mut Free; CLASSES],
    /// How many of each there are.
    counts: [u32; CLASSES],
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

/// The first piece: part of the program's image.
#[repr(align(4096))]
struct First(UnsafeCell<[u8; PIECES[0]]>);
// SAFETY: given to one slot, once.
unsafe impl Sync for First {}
static FIRST: First = First(UnsafeCell::new([0; PIECES[0]]));
static FIRST_TAKEN: AtomicBool = AtomicBool::new(false);

impl State {
    /// Nothing.
    pub const fn new() -> State {
        State {
            free: [ptr::null_mut(); CLASSES],
            counts: [0; CLASSES],
            some: 0,
            used: Piece::EMPTY,
            fresh: Piece::EMPTY,
            addresses: Piece::EMPTY,
            pieces: 0,
        }
    }

    /// A free block of `class`.
    #[inline]
    pub fn take_free(&mut self, class: usize) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.free[class])?;
        self.pop(class);
        Some(block.cast())
    }

    /// A block of `class`, and whether it is zero; null if there is no memory.
    #[inline]
    pub fn take(&mut self, class: usize) -> (*mut u8, bool) {
        if let Some(block) = self.take_free(class) {
            return (block.as_ptr(), false);
        }
        let size = class_size(class);
        if self.used.has(size) || self.use_up(class) {
            return (self.used.cut(size), false);
        }
        if self.fresh.has(size) {
            return (self.fresh.cut(size), true);
        }
        self.take_elsewhere(class)
    }

    /// The same, if there is none here.
    #[cold]
    fn take_elsewhere(&mut self, class: usize) -> (*mut u8, bool) {
        // What others have free is in memory already.
        if self.pieces >= PIECES.len() && heap::take_over_elsewhere(self) {
            if let Some(block) = self.take_free(class) {
                return (block.as_ptr(), false);
            }
            if self.use_up(class) {
                return (self.used.cut(class_size(class)), false);
            }
        }
        match self.refill(class_size(class)) {
            true => (self.fresh.cut(class_size(class)), true),
            false => (ptr::null_mut(), false),
        }
    }

    /// The first free block of `class`, of which there is one.
    #[inline]
    fn pop(&mut self, class: usize) -> *mut Free {
        let block = self.free[class];
        self.counts[class] -= 1;
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
    pub unsafe fn give(&mut self, block: *mut u8, class: usize) {
        let block = block.cast::<Free>();
        // SAFETY: the caller's promise; every block has room for a link.
        unsafe { (*block).next = self.free[class] };
        self.free[class] = block;
        self.counts[class] += 1;
        self.some |= 1 << class;
    }

    /// Takes over the free blocks of `other`, of the classes of which there are none here, if they are worth it; says whether they are.
    pub fn take_over(&mut self, other: &mut State) -> bool {
        let wanted = other.some & !self.some;
        let classes = || (0..CLASSES).filter(|class| wanted & 1 << class != 0);
        let size: usize = classes().map(|class| other.counts[class] as usize * class_size(class)).sum();
        if size < WORTHWHILE {
            return false;
        }
        for class in classes() {
            self.free[class] = std::mem::replace(&mut other.free[class], ptr::null_mut());
            self.counts[class] = std::mem::replace(&mut other.counts[class], 0);
        }
        self.some |= wanted;
        other.some &= !wanted;
        true
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
    pub fn extend(&mut self, block: *mut u8, old: usize, new: usize) -> bool {
        let (start, old, new) = (block as usize, class_size(old), class_size(new));
        self.fresh.extend(start, old, new) || self.used.extend(start, old, new)
    }

    /// Takes fresh memory for at least `size` bytes; what is left of the last piece is lost, unless the new one is next to it.
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
    fn what_another_slot_has_free_is_taken_over_where_there_is_nothing_of_its_kind() {
        let mut slots = [State { pieces: 1, ..State::new() }, State { pieces: 1, ..State::new() }];
        let classes = [class_of(40), class_of(3000), class_of(100 << 10)];
        let mut give = |slot: usize, class: usize, count: usize| {
            let blocks: Vec<*mut u8> = (0..count).map(|_| slots[slot].take(class).0).collect();
            // SAFETY: the blocks are used no more.
            blocks.iter().for_each(|&block| unsafe { slots[slot].give(block, class) });
            blocks
        };
        let own = give(0, classes[1], 1);
        let others = classes.map(|class| give(1, class, 2));
        let [one, other] = &mut slots;
        assert!(!one.take_over(other), "not worth it");
        let more: Vec<*mut u8> = (0..3).map(|_| other.take(classes[2]).0).collect();
        // SAFETY: the blocks are used no more.
        more.iter().for_each(|&block| unsafe { other.give(block, classes[2]) });
        assert!(one.take_over(other));
        assert_eq!([one.counts, other.counts].map(|counts| classes.map(|class| counts[class])), [[2, 1, 3], [0, 2, 0]]);
        assert_eq!([one.take(classes[1]).0, one.take(classes[0]).0], [own[0], others[0][1]]);
        assert!(more.contains(&one.take(classes[2]).0));
        assert_eq!(other.take(classes[1]).0, others[1][1]);
        assert!(!others[0].contains(&other.take(classes[0]).0));
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
