//! A program's own allocator in the place of the C library's.
//!
//! A program that defines `malloc` and `free` defines them for shared libraries too. In the program that a static linker makes, the executable's
//! allocator is there from the start; here four things differ, so libraries get the functions of this file, which look before they go on:
//!
//! - *In threads of the linker.* They have allocated from the C library before the program, in heaps of their own, and give that back when they end.
//! - *Before the program.* Constructors of libraries have allocated from the C library. What lies in its heap, as far as that reached when the program took
//!   over, goes back there. Blocks so large that they have mappings of their own are not recognized.
//! - *While linking.* The linker calls libraries that allocate (the unwinder, when it is told of unwind records). The program's allocator may be just what is
//!   being linked. Such memory comes from an arena that is never given back: a few bytes for each batch.
//! - *After a crash.* Whoever reports it calls the unwinder too, and the program's allocator may be what has crashed.
//!
//! The program's own calls are not looked at, and the linker's own memory comes from a heap of its own ([`super::Heap`]).

use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::crash_memory;
use crate::rt::{gate, pool};

/// The functions that give memory back, and what they are in the program.
const RELEASES: [&[u8]; 12] = [
    b"free",
    b"cfree",
    b"_ZdlPv",
    b"_ZdaPv",
    b"_ZdlPvm",
    b"_ZdaPvm",
    b"_ZdlPvSt11align_val_t",
    b"_ZdaPvSt11align_val_t",
    b"_ZdlPvmSt11align_val_t",
    b"_ZdaPvmSt11align_val_t",
    b"_ZdlPvRKSt9nothrow_t",
    b"_ZdaPvRKSt9nothrow_t",
];
static RELEASE: [AtomicU64; RELEASES.len()] = [const { AtomicU64::new(0) }; RELEASES.len()];
static MALLOC: AtomicU64 = AtomicU64::new(0);
static CALLOC: AtomicU64 = AtomicU64::new(0);
static REALLOC: AtomicU64 = AtomicU64::new(0);
static USABLE_SIZE: AtomicU64 = AtomicU64::new(0);

/// Bytes of the arena: address space, of which only what is used takes memory.
const ARENA: u64 = 256 << 20;
/// What is before a block of the arena: its size, and padding.
const BLOCK_HEADER: u64 = 16;

unsafe extern "C" {
    fn malloc_usable_size(memory: *mut c_void) -> usize;
}

/// What libraries are to get in the place of the program's function `name` at `address`.
pub fn guarded(name: &[u8], address: u64) -> u64 {
    let (slot, guard) = match name {
        b"malloc" => (&MALLOC, malloc_guard as *const ()),
        b"calloc" => (&CALLOC, calloc_guard as *const ()),
        b"realloc" => (&REALLOC, realloc_guard as *const ()),
        b"malloc_usable_size" => (&USABLE_SIZE, usable_size_guard as *const ()),
        _ => match RELEASES.iter().position(|release| *release == name) {
            Some(index) => (&RELEASE[index], release_guards()[index]),
            None => return address,
        },
    };
    places();
    slot.store(address, Ordering::Release);
    guard as u64
}

/// Memory that is not the program's.
struct Places {
    /// The C library's heap, when the program takes over: start and size.
    heap: (u64, u64),
    /// The arena: start and size, 0 if there is none.
    arena: (u64, u64),
    /// What of the arena is used.
    used: AtomicU64,
}

/// Found once, before libraries get any of these functions.
fn places() -> &'static Places {
    static PLACES: OnceLock<Places> = OnceLock::new();
    PLACES.get_or_init(|| {
        pool::start_all();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let line = maps.lines().find(|line| line.ends_with("[heap]")).and_then(|line| line.split(' ').next());
        let bounds = line.and_then(|range| range.split_once('-'));
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let bounds = bounds.and_then(|(start, end)| number(start).zip(number(end)));
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a mapping at no particular address replaces nothing.
        let arena = unsafe { libc::mmap(std::ptr::null_mut(), ARENA as usize, access, flags, -1, 0) };
        Places {
            heap: bounds.map_or((0, 0), |(start, end)| (start, end.saturating_sub(start))),
            arena: if arena == libc::MAP_FAILED { (0, 0) } else { (arena as u64, ARENA) },
            used: AtomicU64::new(0),
        }
    })
}

fn is_in(memory: *mut c_void, (start, size): (u64, u64)) -> bool {
    (memory as u64).wrapping_sub(start) < size
}

/// Zeroed memory from the arena; from the C library if that is full.
fn take(size: usize) -> *mut c_void {
    let places = places();
    let block = (size as u64).saturating_add(BLOCK_HEADER + 15) & !15;
    let start = places.used.fetch_add(block.min(ARENA), Ordering::Relaxed);
    if block > ARENA || start.saturating_add(block) > places.arena.1 {
        // SAFETY: no precondition.
        return unsafe { libc::calloc(1, size) };
    }
    let header = (places.arena.0 + start) as *mut u64;
    // SAFETY: a piece of the arena that nobody else was given.
    unsafe {
        header.write(size as u64);
        header.cast::<u8>().add(BLOCK_HEADER as usize).cast()
    }
}

/// Whether this thread is linking, and not running the program; or the process has crashed, and what it does is to report that.
fn is_linking() -> bool {
    gate::is_inside() || pool::is_worker() || crash_memory::has_crashed()
}

/// The program's function that `slot` holds the address of.
///
/// # Safety
/// `F` is the type of that function.
unsafe fn programs<F: Copy>(slot: &AtomicU64) -> F {
    let address = slot.load(Ordering::Acquire);
    // SAFETY: the caller's promise; stored before libraries were given the function that calls this.
    unsafe { std::mem::transmute_copy(&address) }
}

extern "C-unwind" fn malloc_guard(size: usize) -> *mut c_void {
    if is_linking() {
        return take(size);
    }
    // SAFETY: the program's `malloc`.
    let malloc: extern "C-unwind" fn(usize) -> *mut c_void = unsafe { programs(&MALLOC) };
    malloc(size)
}

extern "C-unwind" fn calloc_guard(count: usize, size: usize) -> *mut c_void {
    if is_linking() {
        return take(count.saturating_mul(size));
    }
    // SAFETY: the program's `calloc`.
    let calloc: extern "C-unwind" fn(usize, usize) -> *mut c_void = unsafe { programs(&CALLOC) };
    calloc(count, size)
}

extern "C-unwind" fn realloc_guard(memory: *mut c_void, size: usize) -> *mut c_void {
    let known = known_size(memory);
    if known.is_none() && !is_linking() {
        // SAFETY: the program's `realloc`.
        let realloc: extern "C-unwind" fn(*mut c_void, usize) -> *mut c_void = unsafe { programs(&REALLOC) };
        return realloc(memory, size);
    }
    let moved = if MALLOC.load(Ordering::Acquire) == 0 { take(size) } else { malloc_guard(size) };
    if !moved.is_null() {
        let size = known.unwrap_or(0).min(size);
        // SAFETY: a block of so many bytes, and a new one.
        unsafe { std::ptr::copy_nonoverlapping(memory.cast::<u8>(), moved.cast::<u8>(), size) };
        give_back(memory);
    }
    moved
}

/// The size of a block that is not the program's.
fn known_size(memory: *mut c_void) -> Option<usize> {
    let places = places();
    if is_in(memory, places.arena) {
        // SAFETY: what [`take`] has written before the block.
        return Some(unsafe { memory.cast::<u8>().sub(BLOCK_HEADER as usize).cast::<u64>().read() } as usize);
    }
    // SAFETY: a block of the C library's heap.
    is_in(memory, places.heap).then(|| unsafe { malloc_usable_size(memory) })
}

/// Gives back a block if it is not the program's; says whether it was not.
fn give_back(memory: *mut c_void) -> bool {
    let places = places();
    if is_in(memory, places.heap) {
        // SAFETY: from the C library's heap, whose functions this process itself uses.
        unsafe { libc::free(memory) };
        return true;
    }
    is_in(memory, places.arena)
}

/// The guards of [`RELEASES`].
fn release_guards() -> [*const (); RELEASES.len()] {
    [
        release_guard::<0> as *const (),
        release_guard::<1> as *const (),
        release_guard::<2> as *const (),
        release_guard::<3> as *const (),
        release_guard::<4> as *const (),
        release_guard::<5> as *const (),
        release_guard::<6> as *const (),
        release_guard::<7> as *const (),
        release_guard::<8> as *const (),
        release_guard::<9> as *const (),
        release_guard::<10> as *const (),
        release_guard::<11> as *const (),
    ]
}

/// Gives `memory` back; the other arguments, of which each function has as many as it likes, are passed on.
extern "C-unwind" fn release_guard<const INDEX: usize>(memory: *mut c_void, second: u64, third: u64) {
    // What a thread of the linker has that is not the arena's is from before the program. Not worth giving back: the thread is ending.
    if memory.is_null() || give_back(memory) || pool::is_worker() {
        return;
    }
    // SAFETY: the program's function of this name; it ignores what it does not take.
    let release: extern "C-unwind" fn(*mut c_void, u64, u64) = unsafe { programs(&RELEASE[INDEX]) };
    release(memory, second, third);
}

extern "C-unwind" fn usable_size_guard(memory: *mut c_void) -> usize {
    known_size(memory).unwrap_or_else(|| {
        // SAFETY: the program's function of this name.
        let usable_size: extern "C-unwind" fn(*mut c_void) -> usize = unsafe { programs(&USABLE_SIZE) };
        usable_size(memory)
    })
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::in_child;

    static RELEASED: AtomicU64 = AtomicU64::new(0);

    extern "C-unwind" fn note(memory: *mut c_void, size: u64) {
        RELEASED.store(memory as u64 + size, Ordering::Relaxed);
    }

    #[test]
    fn other_functions_are_left_alone() {
        assert_eq!(guarded(b"strlen", 0x1234), 0x1234);
    }

    #[test]
    fn what_the_program_allocated_goes_to_the_program() {
        let good = in_child(|| {
            let release = guarded(b"_ZdlPvm", note as *const () as u64);
            // SAFETY: the guard has the type of what it guards.
            let release: extern "C-unwind" fn(u64, u64) = unsafe { std::mem::transmute(release as *const ()) };
            let stack = 0u64;
            release(&raw const stack as u64, 7);
            RELEASED.load(Ordering::Relaxed) == &raw const stack as u64 + 7
        });
        assert!(good);
    }

    #[test]
    fn what_is_allocated_while_linking_is_nobodys() {
        let good = in_child(|| {
            guarded(b"malloc", note as *const () as u64);
            guarded(b"free", note as *const () as u64);
            let inside = gate::enter();
            let block = malloc_guard(100);
            drop(inside);
            let grown = known_size(block) == Some(100);
            release_guard::<0>(block, 0, 0);
            grown && RELEASED.load(Ordering::Relaxed) == 0
        });
        assert!(good);
    }

    #[test]
    fn a_block_from_before_moves_to_the_program_when_it_grows() {
        extern "C-unwind" fn programs_malloc(_: usize) -> *mut c_void {
            static BLOCK: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];
            BLOCK.as_ptr().cast_mut().cast()
        }
        let good = in_child(|| {
            guarded(b"malloc", programs_malloc as *const () as u64);
            let block = take(4);
            // SAFETY: four bytes.
            unsafe { block.cast::<u32>().write(0x1234_5678) };
            let moved = realloc_guard(block, 64);
            // SAFETY: as many bytes of the program's block.
            moved == programs_malloc(0) && unsafe { moved.cast::<u32>().read() } == 0x1234_5678
        });
        assert!(good);
    }
}
