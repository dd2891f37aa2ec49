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
//!   the slot of whoever frees it. Some threads free what others take: before a slot takes another huge page, it takes over what one of the others has free.
//! - A page that nobody has touched is the dearest memory there is. So before fresh memory is taken, larger blocks that are free, as growing
//!   vectors leave behind, are used up by smaller ones; and blocks that were taken small, and grew where they were, serve as small ones again.
//! - Blocks beyond the classes are mappings of their own, which grow without being copied.

use super::huge_pages::{HUGE_PAGE, allow_huge_pages, map};
use super::slot::{ALIGN, CLASS_LIMIT, State, class_of, mapping_size};
use crate::rt::shard;
use crossbeam_utils::CachePadded;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};

/// A slot for each shard.
const SLOTS: usize = shard::SHARDS;

struct Slot {
    busy: AtomicBool,
    state: UnsafeCell<State>,
}

// SAFETY: the state is only touched by the thread that has made `busy` true.
unsafe impl Sync for Slot {}

static HEAP: [CachePadded<Slot>; SLOTS] =
    [const { CachePadded::new(Slot { busy: AtomicBool::new(false), state: UnsafeCell::new(State::new()) }) }; SLOTS];

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

/// Has `slot`, one of the heap's that is the caller's, take over what another one has free; says whether there is one with enough.
pub fn take_over_elsewhere(slot: &mut State) -> bool {
    HEAP.iter().any(|other| {
        // The caller's own is busy.
        if other.busy.swap(true, Ordering::Acquire) {
            return false;
        }
        // SAFETY: whoever makes `busy` true has the state for itself until it makes it false again.
        let worth_it = slot.take_over(unsafe { &mut *other.state.get() });
        other.busy.store(false, Ordering::Release);
        worth_it
    })
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
        match take_free(layout) {
            Some(block) => block.as_ptr(),
            // SAFETY: the caller's promise.
            None => unsafe { alloc_otherwise(layout) },
        }
    }

    // SAFETY: the trait's contract.
    #[inline]
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if layout.align() <= ALIGN && layout.size() <= CLASS_LIMIT {
            // SAFETY: the caller's promise.
            with_slot(|slot| unsafe { slot.give(start, class_of(layout.size())) });
        } else {
            // SAFETY: the caller's promise.
            unsafe { dealloc_otherwise(start, layout) }
        }
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

/// A free block for `layout`, if the first slot that is looked at has one: what nearly all are.
#[inline]
fn take_free(layout: Layout) -> Option<NonNull<u8>> {
    if layout.align() > ALIGN || layout.size() > CLASS_LIMIT {
        return None;
    }
    let slot = &HEAP[shard::of_this_thread()];
    if slot.busy.swap(true, Ordering::Acquire) {
        return None;
    }
    // SAFETY: whoever makes `busy` true has the state for itself until it makes it false again.
    let block = unsafe { &mut *slot.state.get() }.take_free(class_of(layout.size()));
    slot.busy.store(false, Ordering::Release);
    block
}

/// A block for `layout`, wherever it comes from.
///
/// # Safety
/// That of [`GlobalAlloc::alloc`].
#[cold]
#[inline(never)]
unsafe fn alloc_otherwise(layout: Layout) -> *mut u8 {
    if layout.align() > ALIGN {
        // SAFETY: the caller's promise.
        return unsafe { System.alloc(layout) };
    }
    if layout.size() > CLASS_LIMIT {
        return map_large(layout.size());
    }
    with_slot(|slot| slot.take(class_of(layout.size())).0)
}

/// Frees a block of `layout`, which is of no class.
///
/// # Safety
/// That of [`GlobalAlloc::dealloc`].
#[cold]
#[inline(never)]
unsafe fn dealloc_otherwise(start: *mut u8, layout: Layout) {
    if layout.align() > ALIGN {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) };
    } else {
        // SAFETY: the whole mapping of the block.
        unsafe { libc::munmap(start.cast(), mapping_size(layout.size())) };
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
}
