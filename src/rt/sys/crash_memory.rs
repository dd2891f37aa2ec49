//! Memory for a report of a crash: from an arena, since nobody knows what state the heap is in.

use super::Heap;
use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Memory for a process that has crashed.
struct Arena {
    in_use: AtomicBool,
    /// The free part of the current piece.
    next: AtomicU64,
    end: AtomicU64,
}

static ARENA: Arena = Arena::new();

/// From now on memory comes from the arena.
pub fn use_arena() {
    ARENA.in_use.store(true, Ordering::Release);
}

/// Whether memory comes from the arena.
#[cfg(target_os = "linux")]
pub fn has_crashed() -> bool {
    ARENA.in_use.load(Ordering::Relaxed)
}

/// Bytes of a piece of the arena, unless more is wanted at once.
const PIECE: u64 = 64 << 20;

impl Arena {
    const fn new() -> Arena {
        Arena { in_use: AtomicBool::new(false), next: AtomicU64::new(0), end: AtomicU64::new(0) }
    }

    // Nobody is in a hurry after a crash, and everybody is before.
    #[cold]
    #[inline(never)]
    fn take(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size() as u64, layout.align() as u64);
        let mut next = self.next.load(Ordering::Acquire);
        loop {
            let start = next.next_multiple_of(align);
            let end = start.saturating_add(size);
            if next == 0 || end > self.end.load(Ordering::Acquire) {
                return self.piece(layout);
            }
            match self.next.compare_exchange_weak(next, end, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return start as *mut u8,
                Err(other) => next = other,
            }
        }
    }

    /// Takes a new piece for `layout`; its rest becomes the current one. Two threads that meet here lose a rest, no more.
    fn piece(&self, layout: Layout) -> *mut u8 {
        let size = (layout.size() as u64).saturating_add(layout.align() as u64).max(PIECE);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a mapping at no particular address replaces nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), size as usize, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return ptr::null_mut();
        }
        let start = start as u64;
        let taken = start.next_multiple_of(layout.align() as u64);
        // A thread that sees the new end with the old start finds no room: pieces do not overlap and the old start is behind or far.
        self.next.store(0, Ordering::Release);
        self.end.store(start + size, Ordering::Release);
        self.next.store(taken + layout.size() as u64, Ordering::Release);
        taken as *mut u8
    }
}

/// The linker's own heap, until the process crashes: then memory comes from elsewhere, since the program may have written over the heap, and
/// the crashed thread may have been in the middle of it. For the program that calls
/// [`catch_crashes`](crate::rt::catch_crashes).
#[derive(Debug)]
pub struct CrashSafeAllocator;

// SAFETY: what the heap gives satisfies the contract, and so do fresh pieces of the arena. No memory of the one is ever given
// back to the other: in a process that has crashed none is given back.
//
// Never inline: thousands of places allocate and free, and a heap in each of them was a fifth of the program's code.
unsafe impl GlobalAlloc for CrashSafeAllocator {
    // SAFETY: the trait's contract.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ARENA.in_use.load(Ordering::Relaxed) {
            return ARENA.take(layout);
        }
        // SAFETY: the caller's promise.
        unsafe { Heap.alloc(layout) }
    }

    // SAFETY: the trait's contract.
    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if ARENA.in_use.load(Ordering::Relaxed) {
            return ARENA.take(layout);
        }
        // SAFETY: the caller's promise.
        unsafe { Heap.alloc_zeroed(layout) }
    }

    // SAFETY: the trait's contract.
    #[inline(never)]
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if !ARENA.in_use.load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            unsafe { Heap.dealloc(start, layout) }
        }
    }

    // SAFETY: the trait's contract.
    #[inline(never)]
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !ARENA.in_use.load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            return unsafe { Heap.realloc(start, layout, size) };
        }
        // SAFETY: the caller promises that the new size fits the layout's rules; both pieces are as long as what is copied.
        unsafe {
            let moved = ARENA.take(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(start, moved, layout.size().min(size));
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned_and_apart() {
        let arena = Arena::new();
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for (size, align) in [
            (1, 1),
            (100, 64),
            (3, 2),
            (PIECE as usize, 4096),
            (8, 8),
            (PIECE as usize / 2, 16),
            (PIECE as usize / 2, 1),
        ] {
            let start = arena.take(Layout::from_size_align(size, align).unwrap()) as u64;
            assert!(start != 0 && start.is_multiple_of(align as u64), "{size} {align}");
            let end = start + size as u64;
            assert!(taken.iter().all(|(other, other_end)| end <= *other || *other_end <= start), "{size} {align}");
            taken.push((start, end));
        }
    }
}
