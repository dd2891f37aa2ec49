//! Blocks of thread-local memory that threads get when they first ask for them.
//!
//! A word of each thread ([`super::thread_local_reserve::table_offset`]) leads to its table, which has the addresses of its blocks:
//!
//! ```text
//!  word ──> [ how many | block 0 | block 1 | … ]      null, or a null word: not made yet
//! ```
//! [`tls_get_addr`] takes the place of the C library's `__tls_get_addr` in linked code, and passes on to it what concerns
//! modules of the dynamic loader. Blocks and tables come from the operating system and not from `malloc`: that may be the program's,
//! and use thread-local variables itself.
//!
//! Blocks go when their thread ends, after the destructors of its C++ variables and as late among those of its `pthread` keys as can
//! be had: a key's destructor may set it again for another round, up to [`ROUNDS`], and ours does so each time but the last.

use std::ffi::c_void;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::thread_local_reserve::{table_offset, thread_pointer};
use super::{dispatch, interrupts, page_size, process};
use crate::base::{ExecutorAddr, align_up};
use crate::link::tables::AT_THREAD_POINTER;
use crate::rt::executor::ExecutorError;
use crate::rt::gate;
use crate::rt::thread_local::ThreadLocalPlace;

/// What `__tls_get_addr` takes (psABI, "General Dynamic"): two words of a GOT.
#[repr(C)]
#[derive(Debug)]
pub struct Index {
    module: u64,
    offset: u64,
}

/// One block, of which each thread has a copy.
#[derive(Debug)]
struct Module {
    size: u64,
    align: u64,
    /// Initial values other than zero: offset and bytes.
    values: Vec<(u64, Box<[u8]>)>,
    /// The threads' copies.
    copies: Vec<u64>,
}

/// Rounds of key destructors when a thread ends (PTHREAD_DESTRUCTOR_ITERATIONS of glibc).
const ROUNDS: usize = 4;

/// Where the word of each thread is, from its thread pointer; 0, which is nobody's offset, before there are blocks.
pub(super) static TABLE_OFFSET: AtomicU64 = AtomicU64::new(0);

/// Blocks by number; what `module` of an [`Index`] is below its top bit. Number 0 is the memory around the thread pointer.
static MODULES: Mutex<Vec<Module>> = Mutex::new(Vec::new());

static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();

fn modules() -> MutexGuard<'static, Vec<Module>> {
    MODULES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a block; see [`crate::rt::ThreadLocalMemory::allocate_dynamic`].
///
/// # Errors
/// [`ExecutorError::ThreadLocalDynamic`].
pub fn allocate(size: u64, align: u64) -> Result<u64, ExecutorError> {
    let offset = table_offset().ok_or(ExecutorError::ThreadLocalDynamic)?;
    // A child of a fork must not find the list locked.
    dispatch::guard_forks();
    super::thread_local_descriptor::prepare();
    let _inside = gate::enter();
    let mut modules = modules();
    if modules.is_empty() {
        KEY.get_or_init(|| {
            let mut key = 0;
            // SAFETY: stores one key. Without one, blocks of threads that end are not given back.
            unsafe { libc::pthread_key_create(&mut key, Some(thread_ends)) };
            key
        });
        TABLE_OFFSET.store(offset, Ordering::Release);
        modules.push(Module { size: 0, align: 1, values: Vec::new(), copies: Vec::new() });
    }
    modules.push(Module { size, align, values: Vec::new(), copies: Vec::new() });
    Ok(AT_THREAD_POINTER | (modules.len() as u64 - 1))
}

/// Makes `bytes` the initial value at `offset` in block `module`: in the copies that there are, where no code uses it yet, and in those
/// to come.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for what is in no block.
pub fn initialize(module: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let _inside = gate::enter();
    let mut modules = modules();
    let module = modules.get_mut((module & !AT_THREAD_POINTER) as usize).ok_or(io::ErrorKind::InvalidInput)?;
    if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > module.size) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for &copy in &module.copies {
        // SAFETY: inside the block; copies in the list are mapped.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (copy + offset) as *mut u8, bytes.len()) };
    }
    module.values.push((offset, bytes.into()));
    Ok(())
}

/// The C library's function, for linked code: the address of a variable in the calling thread.
///
/// # Safety
/// `index` is that of a module of the dynamic loader or of a block, and an offset in it.
pub unsafe extern "C" fn tls_get_addr(index: *const Index) -> u64 {
    // SAFETY: the caller's promise.
    let Index { module, offset } = unsafe { &*index };
    if module & AT_THREAD_POINTER == 0 {
        return loaders(index);
    }
    let number = module & !AT_THREAD_POINTER;
    if number == 0 {
        return thread_pointer().wrapping_add(*offset);
    }
    find(number).unwrap_or_else(|| make(number)).wrapping_add(*offset)
}

/// The address of what is at `place`, a place that was given out, in the calling thread.
pub fn address(place: ThreadLocalPlace) -> ExecutorAddr {
    ExecutorAddr(match place {
        ThreadLocalPlace::Offset(offset) => thread_pointer().wrapping_add(offset.0),
        // SAFETY: places that were given out name modules of the loader and blocks.
        ThreadLocalPlace::Dynamic { module, offset } => unsafe { tls_get_addr(&Index { module, offset }) },
    })
}

/// What the dynamic loader says.
fn loaders(index: *const Index) -> u64 {
    type Get = extern "C" fn(*const Index) -> u64;
    static GET: OnceLock<Get> = OnceLock::new();
    let get = GET.get_or_init(|| {
        let found = process::symbol(b"__tls_get_addr", None);
        let address = found.unwrap_or_else(|| fail("the dynamic loader has no __tls_get_addr"));
        // SAFETY: the address of that function.
        unsafe { std::mem::transmute::<*const (), Get>(address.0 as *const ()) }
    });
    get(index)
}

/// The word of the calling thread that leads to its table.
fn word() -> *mut *mut u64 {
    thread_pointer().wrapping_add(TABLE_OFFSET.load(Ordering::Acquire)) as *mut *mut u64
}

/// The calling thread's copy of block `number`, if it has one.
fn find(number: u64) -> Option<u64> {
    // SAFETY: the thread's own word, and the table it leads to, which has as many words behind the first as that says.
    unsafe {
        let table = *word();
        if table.is_null() || number >= *table {
            return None;
        }
        Some(*table.add(1 + number as usize)).filter(|&block| block != 0)
    }
}

/// Makes the calling thread's copy of block `number`.
#[cold]
fn make(number: u64) -> u64 {
    let held = interrupts::hold();
    let block = {
        let _inside = gate::enter();
        let mut modules = modules();
        let table = table_for(modules.len() as u64);
        match modules.get_mut(number as usize) {
            None => fail("linked code asks for a thread-local block that does not exist"),
            Some(module) => {
                let block = module.copy();
                // SAFETY: the table has a word for each block.
                unsafe { *table.add(1 + number as usize) = block };
                block
            }
        }
    };
    held.restore();
    block
}

/// The calling thread's table, made or enlarged to hold `count` blocks.
fn table_for(count: u64) -> *mut u64 {
    // SAFETY: the thread's own word and table; the new table is larger than the old one, of which nothing is used afterwards.
    unsafe {
        let old = *word();
        let had = if old.is_null() { 0 } else { *old };
        if had >= count {
            return old;
        }
        let size = table_size(count);
        let new = map(size, 1) as *mut u64;
        *new = size / 8 - 1;
        if old.is_null() {
            libc::pthread_setspecific(*KEY.wait(), std::ptr::without_provenance(1));
        } else {
            std::ptr::copy_nonoverlapping(old.add(1), new.add(1), had as usize);
            libc::munmap(old.cast(), ((had + 1) * 8) as usize);
        }
        *word() = new;
        new
    }
}

/// Bytes of a table for `count` blocks: whole pages.
fn table_size(count: u64) -> u64 {
    ((count + 1) * 8).next_multiple_of(page_size())
}

impl Module {
    /// A new copy with its initial values.
    fn copy(&mut self) -> u64 {
        let block = map(self.size, self.align);
        for (offset, bytes) in &self.values {
            // SAFETY: inside the block, as was checked when they were noted.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (block + offset) as *mut u8, bytes.len()) };
        }
        self.copies.push(block);
        block
    }
}

/// Maps `size` zero bytes, in whole pages, aligned to `align`. Ends the process if there are none, as the C library does.
fn map(size: u64, align: u64) -> u64 {
    let page = page_size();
    let size = size.max(1).next_multiple_of(page);
    let padding = if align > page { align } else { 0 };
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let all = size.saturating_add(padding);
    // SAFETY: a new mapping, of which the ends that alignment leaves over are given back: nothing uses them.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), all as usize, access, flags, -1, 0);
        if start == libc::MAP_FAILED {
            fail("cannot allocate memory for thread-local data");
        }
        let start = start as u64;
        let block = align_up(start, align.max(page)).unwrap_or(start);
        for (from, to) in [(start, block), (block + size, start + all)] {
            if from < to {
                libc::munmap(from as *mut c_void, (to - from) as usize);
            }
        }
        block
    }
}

/// The destructor of our key: `round` is its value.
extern "C" fn thread_ends(round: *mut c_void) {
    let held = interrupts::hold();
    // SAFETY: sets the key that is being destroyed; or takes the thread's table apart, after which its word is null again.
    unsafe {
        if (round as usize) < ROUNDS {
            libc::pthread_setspecific(*KEY.wait(), std::ptr::without_provenance(round as usize + 1));
        } else if !(*word()).is_null() {
            let _inside = gate::enter();
            let mut modules = modules();
            let table = std::mem::replace(&mut *word(), std::ptr::null_mut());
            let count = *table;
            for (number, module) in modules.iter_mut().enumerate().take(count as usize) {
                let block = *table.add(1 + number);
                if block != 0 {
                    module.copies.retain(|&copy| copy != block);
                    libc::munmap(block as *mut c_void, module.size.max(1).next_multiple_of(page_size()) as usize);
                }
            }
            libc::munmap(table.cast(), ((count + 1) * 8) as usize);
        }
    }
    held.restore();
}

/// Ends the process: a variable's address cannot be refused.
fn fail(why: &str) -> ! {
    eprintln!("rjitlink: error: {why}");
    std::process::abort()
}

#[cfg(test)]
#[path = "thread_local_blocks_tests.rs"]
mod tests;
