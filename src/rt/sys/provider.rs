//! A shared library made in memory, for libraries that cannot be loaded because they refer to symbols of the program: it defines those.
//!
//! The loader wants a file with a dynamic symbol table (System V gABI, "Dynamic Linking"). This one has nothing else: its symbols are absolute, the addresses
//! of the program's own. For a library that is loaded before the program is linked they are that of a function which says so; the places where the loader puts
//! them get the program's addresses before anything of the program runs ([`super::interpose`]).

use std::collections::BTreeSet;
use std::ffi::{CString, c_int};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use object::{Object, ObjectSymbol};

use super::dispatch::as_program;
use super::process;
use crate::base::ExecutorAddr;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SYMBOL: usize = 24;
const DYNAMIC: [u64; 5] = [4, 6, 5, 10, 11];
/// What this process runs on (e_machine; System V gABI, chapter 4).
pub const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
const SHN_ABS: u16 = 0xfff1;
/// PF_R and PF_W; PF_X is 1.
const READ_WRITE: u32 = 6;

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
    let image = image(&symbols, READ_WRITE);
    if as_program(|| load(&image, libc::RTLD_GLOBAL)).is_err() {
        return false;
    }
    provided().extend(symbols.into_iter().map(|(name, _)| name));
    true
}

/// Makes stacks executable as the loader does it, with all that belongs to it (other threads, those that start later, guards): a library is loaded that asks for it.
///
/// # Errors
/// What the loader says; newer ones refuse.
pub fn make_stacks_executable() -> std::io::Result<()> {
    load(&image(&[], READ_WRITE | 1), libc::RTLD_LOCAL)
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

/// Loads a library from its bytes; with `RTLD_GLOBAL` as `scope`, its symbols are everybody's.
fn load(image: &[u8], scope: c_int) -> std::io::Result<()> {
    // SAFETY: the name is a C string; the call has no other precondition.
    let fd = unsafe { libc::memfd_create(c"rjitlink-program".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else knows.
    let mut file = unsafe { std::fs::File::from_raw_fd(fd) };
    file.write_all(image)?;
    // The loader takes a path it knows for the library it has loaded from there, and numbers of descriptors come again.
    static LOADED: AtomicUsize = AtomicUsize::new(0);
    let number = LOADED.fetch_add(1, Ordering::Relaxed);
    let path = format!("/proc/self/fd/{}{}", "./".repeat(number), file.as_raw_fd());
    if Path::new(&path).exists() {
        return load_file(&path, scope);
    }
    // After `chroot`, say. What is left is a file that is there while it is loaded.
    let mut result = Err(std::io::ErrorKind::NotFound.into());
    for folder in ["/tmp", "/dev/shm", "."] {
        let path = format!("{folder}/rjitlink-{}-{number}.so", super::process_id());
        let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        result = created.and_then(|mut file| {
            let loaded = file.write_all(image).and_then(|()| load_file(&path, scope));
            std::fs::remove_file(&path).and(loaded)
        });
        if result.is_ok() {
            break;
        }
    }
    result
}

fn load_file(path: &str, scope: c_int) -> std::io::Result<()> {
    let path = CString::new(path)?;
    // SAFETY: a C string; the library has no code.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | scope) };
    if handle.is_null() { Err(std::io::Error::other(process::loader_error())) } else { Ok(()) }
}

/// The library's bytes: headers, dynamic section, hash table, symbols, names, in one segment. It asks for stacks with the protection `stack`.
fn image(symbols: &[(Vec<u8>, ExecutorAddr)], stack: u32) -> Vec<u8> {
    let dynamic = HEADER + 3 * PROGRAM_HEADER;
    let hash = dynamic + 16 * (DYNAMIC.len() + 1);
    // Loaders may divide by the number of buckets.
    let mut buckets = vec![0u32; symbols.len().max(1)];
    let mut chains = vec![0u32; symbols.len() + 1];
    let table = (hash + 4 * (2 + buckets.len() + chains.len())).next_multiple_of(8);
    let strings = table + SYMBOL * (symbols.len() + 1);
    let mut names = vec![0u8];
    let mut entries = vec![0u8; SYMBOL];
    for (index, (name, address)) in symbols.iter().enumerate() {
        entries.extend((names.len() as u32).to_le_bytes());
        // STB_GLOBAL, STT_NOTYPE, default visibility.
        entries.extend([1 << 4, 0]);
        entries.extend(SHN_ABS.to_le_bytes());
        entries.extend(address.0.to_le_bytes());
        entries.extend([0; 8]);
        names.extend(name);
        names.push(0);
        let bucket = hash_of(name) as usize % symbols.len();
        chains[index + 1] = std::mem::replace(&mut buckets[bucket], index as u32 + 1);
    }
    let size = strings + names.len();
    let mut bytes = Vec::with_capacity(size);
    // ELF64, little-endian, version 1; ET_DYN.
    bytes.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0");
    bytes.extend(MACHINE.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([0u64, HEADER as u64, 0].iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(0u32.to_le_bytes());
    let counts = [HEADER, PROGRAM_HEADER, 3, 0, 0, 0];
    bytes.extend(counts.iter().flat_map(|&count| (count as u16).to_le_bytes()));
    // PT_LOAD, PT_DYNAMIC, PT_GNU_STACK; the loader writes to its tables.
    let segments = [(1u32, READ_WRITE, 0, size), (2, READ_WRITE, dynamic, hash - dynamic), (0x6474_e551, stack, 0, 0)];
    for (kind, flags, offset, size) in segments {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        let words = [offset, offset, offset, size, size, 0x1000];
        bytes.extend(words.iter().flat_map(|&word| (word as u64).to_le_bytes()));
    }
    // DT_HASH, DT_SYMTAB, DT_STRTAB, DT_STRSZ, DT_SYMENT, DT_NULL.
    for (tag, value) in DYNAMIC.into_iter().zip([hash, table, strings, names.len(), SYMBOL]).chain([(0, 0)]) {
        bytes.extend(tag.to_le_bytes());
        bytes.extend((value as u64).to_le_bytes());
    }
    let counts = [buckets.len() as u32, chains.len() as u32];
    bytes.extend(counts.iter().chain(&buckets).chain(&chains).flat_map(|word| word.to_le_bytes()));
    bytes.resize(table, 0);
    bytes.extend(entries);
    bytes.extend(names);
    bytes
}

/// The hash of DT_HASH tables (System V gABI, "Hash Table").
fn hash_of(name: &[u8]) -> u32 {
    name.iter().fold(0u32, |hash, &byte| {
        let hash = (hash << 4).wrapping_add(u32::from(byte));
        let high = hash & 0xf000_0000;
        (hash ^ (high >> 24)) & !high
    })
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::in_child;
    use std::cell::Cell;

    #[test]
    fn the_loader_finds_what_is_provided() {
        let good = in_child(|| {
            let names = ["provided_one", "provided_two", "provided_three"];
            let symbols =
                names.iter().enumerate().map(|(n, name)| (name.as_bytes().to_vec(), ExecutorAddr(0x1000 + n as u64)));
            load(&image(&symbols.collect::<Vec<_>>(), READ_WRITE), libc::RTLD_GLOBAL).unwrap();
            let found = names.map(|name| process::symbol(name.as_bytes(), None));
            found == [0x1000, 0x1001, 0x1002].map(|address| Some(ExecutorAddr(address)))
        });
        assert!(good);
    }

    #[test]
    fn one_library_after_the_other_is_loaded() {
        let good = in_child(|| {
            let names: [&[u8]; 3] = [b"provided_first", b"provided_second", b"provided_third"];
            names.iter().all(|name| {
                load(&image(&[(name.to_vec(), ExecutorAddr(0x99))], READ_WRITE), libc::RTLD_GLOBAL).unwrap();
                process::symbol(name, None) == Some(ExecutorAddr(0x99))
            })
        });
        assert!(good);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn code_on_the_stack_of_any_thread_runs_once_that_is_asked_for() {
        fn run() -> bool {
            let code = std::hint::black_box([0xc3u8; 4]);
            // SAFETY: code that does nothing but return.
            unsafe { std::mem::transmute::<*const u8, extern "C" fn()>(code.as_ptr())() };
            true
        }
        let good = in_child(|| {
            make_stacks_executable().unwrap();
            run() && std::thread::spawn(run).join().unwrap()
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
