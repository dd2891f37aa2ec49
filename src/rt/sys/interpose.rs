//! Symbol interposition: the program's definitions are those of the shared libraries too (System V gABI, "Shared Object Dependencies": a symbol is looked
//! for in the executable first).
//!
//! The libraries were loaded before the program was linked, so the loader has found other definitions for what they refer to, or none. The places
//! where it has written those addresses get the program's. A place is known by its symbol's *name*: so an allocator that the program defines
//! is the C library's too, an inline variable is one variable, and a library calls back functions of the program.
//!
//! - This process's own file and the loader keep what they have: the linker's memory must not come from a program that it is linking.
//! - Constructors of libraries have run with what the loader found. Memory that they have allocated is given back to where it is from
//!   ([`super::allocator`]).
//! - Libraries that the program loads later are changed after their constructors have run.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;

use super::allocator;
use super::loaded::{Library, Reference, for_each_library, word_at};
use super::loader::{self, Program};
use super::rebind;
use crate::base::ExecutorAddr;
use rustc_hash::FxHashMap;

/// The names that loaded libraries refer to and for which `wanted` holds, each once.
pub fn references(wanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for_each_library(|library| {
        if is_changed(library) {
            let mut seen = PerSymbol::default();
            for reference in library.references() {
                seen.get(&reference, |name| {
                    if wanted(name) {
                        names.push(name.to_vec());
                    }
                });
            }
        }
    });
    names.sort_unstable();
    names.dedup();
    names
}

/// What is known of the symbols of a library, by their place in its table: many are referred to more than once, and most not at all.
#[derive(Default)]
struct PerSymbol<T>(FxHashMap<usize, T>);

impl<T: Copy> PerSymbol<T> {
    /// What `find` says of the symbol's name; it is asked once for each symbol.
    fn get(&mut self, reference: &Reference<'_>, find: impl FnOnce(&[u8]) -> T) -> T {
        *self.0.entry(reference.index).or_insert_with(|| find(reference.name()))
    }
}

/// Makes all loaded libraries use `definitions`, addresses by name, and the loader's functions as programs get them.
///
/// # Errors
/// What the operating system says of changing the libraries' tables.
pub fn bind(definitions: &BTreeMap<Vec<u8>, ExecutorAddr>) -> io::Result<()> {
    let mut result = Ok(());
    for_each_library(|library| {
        if result.is_ok() && is_changed(library) {
            result = bind_library(library, definitions);
        }
    });
    result
}

/// Makes all loaded libraries, those loaded since the last time among them, use the definitions of `program`, and the addresses of what was moved.
///
/// # Errors
/// As [`bind`].
pub fn bind_all(program: &Program) -> io::Result<()> {
    let names = references(&mut |name| program.symbols.exports(name));
    let find = |name: Vec<u8>| program.symbols.find(&name).map(|address| (name, address));
    bind(&names.into_iter().filter_map(find).collect())?;
    rebind::rebind(&[])
}

/// Whether the definitions that `library` uses may change.
fn is_changed(library: &Library<'_>) -> bool {
    // SAFETY: no precondition.
    let loader = unsafe { libc::getauxval(libc::AT_BASE) };
    !library.is_host && (loader == 0 || library.segment_with(loader, 0).is_none())
}

fn bind_library(library: &Library<'_>, definitions: &BTreeMap<Vec<u8>, ExecutorAddr>) -> io::Result<()> {
    let allocates = definitions.contains_key(&b"malloc"[..]);
    let definition = |name: &[u8]| match definitions.get(name) {
        Some(address) if allocates => Some(allocator::guarded(name, address.0)),
        Some(address) => Some(address.0),
        None => loader::for_libraries(name),
    };
    let mut known = PerSymbol::default();
    let changed = |reference: Reference<'_>| {
        let address = known.get(&reference, definition)?.wrapping_add(reference.addend);
        (word_at(reference.place).load(Ordering::Relaxed) != address).then_some((reference.place, address))
    };
    let places: Vec<(u64, u64)> = library.references().filter_map(changed).collect();
    if places.is_empty() { Ok(()) } else { library.change(&places) }
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::in_child;
    use std::sync::atomic::AtomicUsize;

    static ASKED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn counting(size: usize) -> *mut libc::c_void {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: no precondition.
        unsafe { libc::malloc(size) }
    }

    #[test]
    fn the_c_library_refers_to_its_allocator_by_name() {
        let names = references(&mut |name| name == b"malloc" || name == b"free");
        assert_eq!(names, [b"free".to_vec(), b"malloc".to_vec()]);
    }

    #[test]
    fn libraries_use_the_programs_definition() {
        let good = in_child(|| {
            bind(&BTreeMap::from([(b"malloc".to_vec(), ExecutorAddr(counting as *const () as u64))])).unwrap();
            // SAFETY: a C string.
            let copy = unsafe { libc::strdup(c"copied".as_ptr()) };
            // Looked at, so that the copy is made.
            !std::hint::black_box(copy).is_null() && ASKED.load(Ordering::Relaxed) == 1
        });
        assert!(good);
    }

    #[test]
    fn this_file_keeps_its_own() {
        let good = in_child(|| {
            bind(&BTreeMap::from([(b"malloc".to_vec(), ExecutorAddr(counting as *const () as u64))])).unwrap();
            drop(std::hint::black_box(Box::new([0u8; 100])));
            ASKED.load(Ordering::Relaxed) == 0
        });
        assert!(good);
    }
}
