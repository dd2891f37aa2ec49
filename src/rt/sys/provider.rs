//! A shared library made in memory, for libraries that cannot be loaded because they refer to symbols of the program: it defines those.
//!
//! Its symbols are absolute, the addresses of the program's own. For a library that is loaded
//! before the program is linked they are that of a function which says so; the places where the
//! loader puts them get the program's addresses before anything of the program runs
//! ([`super::interpose`]).

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use object::{Object, ObjectSymbol};

use super::dispatch::as_program;
use super::generated_library::{Definition, GeneratedLibrary};
use super::process;
use crate::base::ExecutorAddr;

/// If a library was not loaded for `reason`, the loader's words, because symbols are missing that `provide` knows: makes them known to the loader. Says whether loading
/// may go well now. `tried` is what this was called for before, of the same library: what is missing still is not to be had.
///
/// The caller is linking. The loader has a lock of its own, which a thread holds while constructors run that call the program, and thereby the linker: so
/// nothing is locked here, and nobody inside the gate, while the loader is asked for anything. Two threads may make the same symbol known; it has one address, and the loader
/// takes the first.
pub fn provide_missing(
    reason: &str,
    tried: &mut BTreeSet<Vec<u8>>,
    provide: &dyn Fn(&[u8]) -> Option<ExecutorAddr>,
) -> bool {
    static PROVIDED: Mutex<BTreeSet<Vec<u8>>> = Mutex::new(BTreeSet::new());
    let provided = || PROVIDED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((library, rest)) = reason.split_once(": undefined symbol: ") else {
        return false;
    };
    let name = rest.split([',', ' ']).next().unwrap_or_default().as_bytes();
    if !tried.insert(name.to_vec()) {
        return false;
    }
    // By another thread, since the loader has failed.
    if provided().contains(name) {
        return true;
    }
    let Some(address) = provide(name) else {
        return false;
    };
    let mut symbols = vec![(name.to_vec(), address)];
    // The loader names one; its library may lack more.
    for missing in undefined_symbols(library) {
        let is_known = missing == name || provided().contains(&missing);
        if !is_known && as_program(|| process::symbol(&missing, None)).is_none() {
            symbols.extend(provide(&missing).map(|address| (missing, address)));
        }
    }
    let definitions = symbols.iter().map(|(name, address)| (&name[..], Definition::Absolute(*address)));
    let library = GeneratedLibrary { symbols: definitions.collect(), ..GeneratedLibrary::default() };
    if let Err(error) = as_program(|| library.load(libc::RTLD_GLOBAL)) {
        log::warn!("shared libraries: {error}");
        return false;
    }
    provided().extend(symbols.into_iter().map(|(name, _)| name));
    true
}

/// Makes stacks executable as the loader does it, with all that belongs to it (other threads, those
/// that start later, guards): a library is loaded that asks for it.
///
/// # Errors
/// What the loader says. That of glibc 2.41 and later refuses, unless the process has begun with
/// executable stacks ([`super::restart`]).
pub fn make_stacks_executable() -> std::io::Result<()> {
    let library = GeneratedLibrary { executable_stacks: true, ..GeneratedLibrary::default() };
    library.load(libc::RTLD_LOCAL).map(drop)
}

/// The address for symbols of a program that is not linked yet.
pub fn too_early() -> ExecutorAddr {
    extern "C" fn called_too_early() {
        let text = "rjitlink: error: a shared library calls a function of the program while it is loaded, before the program is linked\n";
        // Nobody is left to tell if that fails.
        let _ = std::io::stderr().write_all(text.as_bytes());
        std::process::abort();
    }
    ExecutorAddr(called_too_early as *const () as u64)
}

/// The names that the library at `path` refers to and does not define, weak references left out.
fn undefined_symbols(path: &str) -> Vec<Vec<u8>> {
    let Ok(data) = std::fs::read(path) else { return Vec::new() };
    let Ok(file) = object::File::parse(&*data) else { return Vec::new() };
    let undefined =
        file.dynamic_symbols().filter(|s| s.is_undefined() && !s.is_weak() && s.kind() != object::SymbolKind::Tls);
    undefined.filter_map(|s| Some(s.name_bytes().ok()?.to_vec())).filter(|name| !name.is_empty()).collect()
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::in_child;
    use std::cell::Cell;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_on_the_stack_of_any_thread_runs_once_that_is_asked_for_or_the_loader_says_why_not() {
        fn run() -> bool {
            let code = std::hint::black_box([0xc3u8; 4]);
            // SAFETY: code that does nothing but return.
            unsafe { std::mem::transmute::<*const u8, extern "C" fn()>(code.as_ptr())() };
            true
        }
        let good = in_child(|| {
            match make_stacks_executable() {
                Ok(()) => run() && std::thread::spawn(run).join().unwrap(),
                // The loader of glibc 2.41 and later, where the process must start again.
                Err(error) => error.to_string().contains("cannot enable executable stack"),
            }
        });
        assert!(good);
    }

    #[test]
    fn other_reasons_are_not_looked_at() {
        let provide = |_: &[u8]| Some(ExecutorAddr(1));
        let reason = "libx.so: cannot open shared object file: No such file or directory";
        assert!(!provide_missing(reason, &mut BTreeSet::new(), &provide));
    }

    #[test]
    fn what_the_program_lacks_stays_missing() {
        let reason = "./libx.so: undefined symbol: nobody_has_it";
        assert!(!provide_missing(reason, &mut BTreeSet::new(), &|_| None));
    }

    #[test]
    fn nothing_is_provided_twice() {
        let good = in_child(|| {
            let reason = "/no/such/library.so: undefined symbol: provided_once, version X";
            let mut tried = BTreeSet::new();
            let asked = Cell::new(0);
            let provide = |_: &[u8]| {
                asked.set(asked.get() + 1);
                Some(ExecutorAddr(0x77))
            };
            // Whoever had failed before it was provided may try again, once.
            provide_missing(reason, &mut tried, &provide)
                && !provide_missing(reason, &mut tried, &provide)
                && provide_missing(reason, &mut BTreeSet::new(), &provide)
                && asked.get() == 1
        });
        assert!(good);
    }
}
