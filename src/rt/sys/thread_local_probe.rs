//! Where libraries have their thread-local variables: asked of the dynamic loader.
//!
//! `dlsym` answers with the calling thread's copy, and asking it makes the loader decide that the
//! library's storage is dynamic. A library that refers to the variable by a relocation gets the
//! numbers themselves: the offset from the thread pointer (`TPOFF`, and the loader then makes that
//! offset hold for all threads, those that run included), or module and offset in the module
//! (`DTPMOD`, `DTPOFF`). So such a library is written, and loaded for a moment.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use object::elf::{self, RelocationType};

use super::dispatch::as_program;
use super::generated_library::{Definition, GeneratedLibrary};
use crate::base::ExecutorAddr;
use crate::rt::thread_local::ThreadLocalPlace;

/// The relocations for a variable's module, its offset there, and its offset from the thread pointer.
#[cfg(target_arch = "x86_64")]
const RELOCATIONS: [RelocationType; 3] = [elf::R_X86_64_DTPMOD64, elf::R_X86_64_DTPOFF64, elf::R_X86_64_TPOFF64];
#[cfg(target_arch = "aarch64")]
const RELOCATIONS: [RelocationType; 3] =
    [elf::R_AARCH64_TLS_DTPMOD, elf::R_AARCH64_TLS_DTPREL, elf::R_AARCH64_TLS_TPREL];

/// Returns where the thread-local variable `name` is, if a loaded library has one.
///
/// Libraries stay loaded, and answers stay what they are.
pub fn ask(name: &[u8]) -> Option<ThreadLocalPlace> {
    // Each question costs as much as loading a library, and many files may ask the same one.
    static KNOWN: Mutex<BTreeMap<Vec<u8>, ThreadLocalPlace>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&place) = known().get(name) {
        return Some(place);
    }
    let place = as_program(|| ask_loader(name))?;
    known().insert(name.to_vec(), place);
    Some(place)
}

fn ask_loader(name: &[u8]) -> Option<ThreadLocalPlace> {
    let [module, offset, static_offset] = RELOCATIONS;
    if let Some([value]) = relocated(name, [static_offset]) {
        return (value != 0).then_some(ThreadLocalPlace::Offset(ExecutorAddr(value)));
    }
    let [module, offset] = relocated(name, [module, offset])?;
    (module != 0).then_some(ThreadLocalPlace::Dynamic { module, offset })
}

/// Returns what the loader makes of `relocations` of the thread-local variable `name`: zeroes if there
/// is no such variable, `None` if the loader refuses.
fn relocated<const N: usize>(name: &[u8], relocations: [RelocationType; N]) -> Option<[u64; N]> {
    let library = GeneratedLibrary {
        symbols: vec![(name, Definition::ThreadLocalReference)],
        words: relocations.to_vec(),
        ..GeneratedLibrary::default()
    };
    let loaded =
        library.load(libc::RTLD_LOCAL).inspect_err(|error| log::debug!("thread-local memory: {error}")).ok()?;
    let words = loaded.words();
    loaded.close();
    words
}
