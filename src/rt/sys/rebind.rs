//! Symbols of the process that get another address: what copy relocations and canonical PLT entries are to a static linker.
//!
//! Code that holds addresses in 32 bits cannot refer to shared libraries where they are. Its data symbols get a copy in low
//! memory, its functions a stub there, and every shared library that refers to them is made to use the same: the places
//! that its dynamic relocations have written the old address to (System V gABI, "Dynamic Linking") get the new one.
//!
//! - A place is known by its *value*: whatever name or version led to the old address, the new one is meant. So `environ` and
//!   `__environ` stay one variable.
//! - Calls (`JUMP_SLOT`) go on as before; only addresses that code can see are changed.
//! - The libraries' constructors have run. What a copy holds of pointers into itself or to other copies follows it; what they
//!   have put elsewhere (the address of a stream kept on the heap) is still the original's.
//! - Libraries that the program loads later follow when their constructors have run. `dlsym`, called by linked code, knows ([`super::loader`]).
//! - Another thread that changes a variable while it is being moved may lose the change.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::loaded::{Library, for_each_library, word_at};
use super::loader::is_stand_in;
use crate::base::ExecutorAddr;
use crate::rt::executor::{ProcessObject, Rebinding};

const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STT_GNU_IFUNC: u8 = 10;
const STV_PROTECTED: u8 = 3;

/// What has been moved, by its old address.
static MOVED: Mutex<BTreeMap<u64, Moved>> = Mutex::new(BTreeMap::new());
/// Whether anything has been: most processes never ask further.
static ANY: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Copy, Debug)]
struct Moved {
    to: u64,
    /// Size of a copy; 0 for a function.
    size: u64,
}

fn moved() -> MutexGuard<'static, BTreeMap<u64, Moved>> {
    MOVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address that the program knows `address` by: another one if what is there was moved. For threads that link.
pub fn current(address: ExecutorAddr) -> ExecutorAddr {
    if !ANY.load(Ordering::Acquire) {
        return address;
    }
    moved().get(&address.0).map_or(address, |m| ExecutorAddr(m.to))
}

/// What is at `address`, a symbol's; `None` for what cannot be moved: no size is known, or its library does not ask where it is.
pub fn describe(address: ExecutorAddr) -> Option<ProcessObject> {
    if is_stand_in(address) {
        return Some(ProcessObject::Function);
    }
    // Not `dladdr`, which waits for the loader's lock: another thread may have that for as long as a library's constructors run.
    let mut found = None;
    for_each_library(|library| {
        let Some(segment) = library.segment_with(address.0, 0) else { return };
        let symbol = library.symbol_at(address.0);
        found = match symbol.map(|symbol| (symbol.st_info & 0xf, symbol.st_size)) {
            Some((STT_FUNC | STT_GNU_IFUNC, _)) => Some(ProcessObject::Function),
            Some((STT_OBJECT, 0)) => None,
            Some((STT_OBJECT, size)) => {
                // Nobody says what it is aligned to; the address shows it, up to a page.
                let align = 1 << address.0.trailing_zeros().min(12);
                let is_protected = symbol.is_some_and(|symbol| symbol.st_other & 3 == STV_PROTECTED);
                (!is_protected).then_some(ProcessObject::Data { size, align })
            }
            // What an indirect function has chosen has no name of its own.
            _ => (segment.p_flags & libc::PF_X != 0).then_some(ProcessObject::Function),
        };
    });
    found
}

/// Moves what `rebindings` say: copies data, then makes all libraries use the new addresses, and those of what was moved before.
///
/// # Errors
/// What the operating system says of changing the protection of tables.
pub fn rebind(rebindings: &[Rebinding]) -> io::Result<()> {
    if rebindings.is_empty() && !ANY.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut moved = moved();
    for rebinding in rebindings {
        let size = match rebinding.object {
            ProcessObject::Data { size, .. } => size,
            ProcessObject::Function => 0,
        };
        // SAFETY: the symbol's table entry gives the size; the session gives as much linked memory that nobody uses yet.
        unsafe {
            std::ptr::copy_nonoverlapping(rebinding.from.0 as *const u8, rebinding.to.0 as *mut u8, size as usize);
        }
        moved.insert(rebinding.from.0, Moved { to: rebinding.to.0, size });
    }
    ANY.store(true, Ordering::Release);
    follow_copies(&moved);
    let mut result = Ok(());
    for_each_library(|library| result = std::mem::replace(&mut result, Ok(())).and(rebind_library(library, &moved)));
    result
}

/// Makes pointers in copies, to themselves and to other copies, lead to the copies.
fn follow_copies(moved: &BTreeMap<u64, Moved>) {
    for (&from, copy) in moved.iter().filter(|(_, m)| m.size != 0) {
        let first = copy.to.next_multiple_of(8);
        for place in (first..(copy.to + copy.size).saturating_sub(7)).step_by(8) {
            let word = word_at(place);
            let value = word.load(Ordering::Relaxed);
            let new = if (from..from + copy.size).contains(&value) {
                value - from + copy.to
            } else {
                match moved.get(&value) {
                    Some(other) if other.size != 0 => other.to,
                    _ => continue,
                }
            };
            // If the program has changed it meanwhile, it knows better.
            let _ = word.compare_exchange(value, new, Ordering::Release, Ordering::Relaxed);
        }
    }
}

/// The places of `library` that hold the address of something moved, and what they are to hold.
fn stale_places(library: &Library<'_>, moved: &BTreeMap<u64, Moved>) -> Vec<Stale> {
    let mut stale = Vec::new();
    for reference in library.references().filter(|r| !r.is_call) {
        let old = word_at(reference.place).load(Ordering::Relaxed);
        // The program's own functions keep the addresses that the linker was started with.
        let target = moved.get(&old.wrapping_sub(reference.addend)).filter(|m| m.size != 0 || !library.is_host);
        if let Some(m) = target {
            stale.push(Stale { place: reference.place, old, new: m.to.wrapping_add(reference.addend) });
        }
    }
    stale
}

fn rebind_library(library: &Library<'_>, moved: &BTreeMap<u64, Moved>) -> io::Result<()> {
    let stale = stale_places(library, moved);
    library.change(&stale.iter().map(|s| (s.place, s.new)).collect::<Vec<_>>())?;
    for Stale { place, old, new } in stale {
        // What has been moved itself has its copy of the old address, if the program has not changed it.
        if let Some((from, copy)) = moved.range(..=place).next_back().filter(|(from, m)| place - *from + 8 <= m.size) {
            let place = place - from + copy.to;
            if place.is_multiple_of(8) {
                let _ = word_at(place).compare_exchange(old, new, Ordering::Release, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// A place of a library that holds the address of something moved.
struct Stale {
    place: u64,
    old: u64,
    new: u64,
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::process::symbol;
    use crate::rt::sys::testing::in_child;

    fn address(name: &str) -> ExecutorAddr {
        symbol(name.as_bytes(), None).unwrap()
    }

    #[test]
    fn symbols_are_described_by_their_tables() {
        assert_eq!(describe(address("malloc")), Some(ProcessObject::Function));
        // An indirect function: the address is that of what it has chosen.
        assert_eq!(describe(address("strcmp")), Some(ProcessObject::Function));
        assert!(matches!(describe(address("optind")), Some(ProcessObject::Data { size: 4, align: 4.. })));
        assert!(matches!(describe(address("environ")), Some(ProcessObject::Data { size: 8, align: 8.. })));
    }

    #[test]
    fn what_is_in_no_library_is_not_described() {
        let variable = Box::new(0u64);
        assert_eq!(describe(ExecutorAddr(&raw const *variable as u64)), None);
        assert_eq!(describe(address("optind").offset(1)), None);
    }

    fn move_data(name: &str) -> u64 {
        let from = address(name);
        let object = describe(from).unwrap();
        let to = Box::leak(Box::new([0u64; 64])).as_ptr() as u64;
        rebind(&[Rebinding { from, to: ExecutorAddr(to), object }]).unwrap();
        to
    }

    #[test]
    fn libraries_use_the_copy() {
        let good = in_child(|| {
            let copy = move_data("optind");
            let arguments = [c"name", c"-a", c"-b"].map(|a| a.as_ptr().cast_mut());
            // SAFETY: three C strings.
            unsafe { libc::getopt(3, arguments.as_ptr(), c"ab".as_ptr()) };
            word_at(copy).load(Ordering::Relaxed) == 2
        });
        assert!(good);
    }

    #[test]
    fn the_host_itself_uses_the_copy() {
        let good = in_child(|| {
            let copy = move_data("environ");
            word_at(copy).store(0, Ordering::Relaxed);
            std::env::vars_os().next().is_none() && current(symbol(b"environ", None).unwrap()).0 == copy
        });
        assert!(good);
    }

    #[test]
    fn aliases_stay_one_variable() {
        let good = in_child(|| {
            let copy = move_data("__environ");
            current(address("environ")).0 == copy
        });
        assert!(good);
    }

    #[test]
    fn pointers_of_copies_follow_copies() {
        let good = in_child(|| {
            let stream = move_data("_IO_2_1_stdout_");
            let variable = move_data("stdout");
            word_at(variable).load(Ordering::Relaxed) == stream
        });
        assert!(good);
    }

    #[test]
    fn tables_are_read_only_again() {
        let writable = || -> Vec<String> {
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            let libc = maps.lines().filter(|line| line.contains("libc.so"));
            libc.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
        };
        let good = in_child(|| {
            let before = writable();
            move_data("optind");
            before == writable()
        });
        assert!(good);
    }
}
