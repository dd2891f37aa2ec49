//! A piece of memory that an allocator cuts blocks off.

/// Memory that blocks are cut off, from `next` to `end`.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Its first address.
    pub next: usize,
    /// The address behind it.
    pub end: usize,
}

impl Piece {
    /// Nothing.
    pub const EMPTY: Piece = Piece { next: 0, end: 0 };

    /// The `length` bytes at `start`, which is 0 if there are none.
    pub fn of(start: usize, length: usize) -> Option<Piece> {
        (start != 0).then_some(Piece { next: start, end: start + length })
    }

    /// Whether it has `size` bytes.
    #[inline]
    pub fn has(&self, size: usize) -> bool {
        self.end - self.next >= size
    }

    /// Cuts `size` bytes off its start, which it must have.
    #[inline]
    pub fn cut(&mut self, size: usize) -> *mut u8 {
        debug_assert!(self.has(size));
        let block = self.next;
        self.next += size;
        block as *mut u8
    }

    /// Makes the block at `start`, of `old` bytes, one of `new` bytes where it is, if it was the last that was cut off and there is room.
    pub fn extend(&mut self, start: usize, old: usize, new: usize) -> bool {
        let fits = start + old == self.next && start + new <= self.end;
        if fits {
            self.next = start + new;
        }
        fits
    }
}
