//! Where libraries have their thread-local variables: asked of the dynamic loader.
//!
//! `dlsym` answers with the calling thread's copy, and asking it makes the loader decide that the library's storage is dynamic. A
//! library that refers to the variable by a relocation gets the numbers themselves: the offset from the thread pointer
//! (`TPOFF`, and the loader then makes that offset hold for all threads, those that run included), or module and offset in the
//! module (`DTPMOD`, `DTPOFF`). So such a library is written, into memory, and loaded for a moment.

use std::collections::BTreeMap;
use std::ffi::{CString, c_void};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::{Mutex, PoisonError};

use super::dispatch::as_program;
use crate::base::ExecutorAddr;
use crate::rt::thread_local::ThreadLocalPlace;

/// The machine number in ELF headers, and the relocations for module, offset in it, offset from the thread pointer.
#[cfg(target_arch = "x86_64")]
const ABI: (u16, [u64; 3]) = (62, [16, 17, 18]);
#[cfg(target_arch = "aarch64")]
const ABI: (u16, [u64; 3]) = (183, [1028, 1029, 1030]);
#[cfg(target_arch = "riscv64")]
const ABI: (u16, [u64; 3]) = (243, [7, 9, 11]);

/// Sizes of the ELF file header, a program header, a symbol, a relocation, an entry of the dynamic section.
const HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;
const SYMBOL: u64 = 24;
const RELOCATION: u64 = 24;
const DYNAMIC: u64 = 16;
/// Where the words are that the loader fills in, behind the file header and two program headers.
const WORDS: u64 = HEADER + 2 * PROGRAM_HEADER;

/// Where the thread-local variable `name` is, if a loaded library has one.
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
    let [module, offset, static_offset] = ABI.1;
    if let Some([value, _]) = load(&library(name, &[static_offset])) {
        return (value != 0).then_some(ThreadLocalPlace::Offset(ExecutorAddr(value)));
    }
    let [module, offset] = load(&library(name, &[module, offset]))?;
    (module != 0).then_some(ThreadLocalPlace::Dynamic { module, offset })
}

/// A shared library with a word for each of `relocations`, which are against the weak undefined symbol `name`.
fn library(name: &[u8], relocations: &[u64]) -> Vec<u8> {
    let symbols = WORDS + 16;
    let rela = symbols + 2 * SYMBOL;
    let dynamic = rela + relocations.len() as u64 * RELOCATION;
    let strings = dynamic + 8 * DYNAMIC;
    let size = strings + name.len() as u64 + 2;
    let words = |out: &mut Vec<u8>, words: &[u64]| out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    // Type ET_DYN, machine, version; no entry; program headers behind this one; no section headers.
    out.extend([3u16, ABI.0].iter().flat_map(|half| half.to_le_bytes()));
    out.extend(1u32.to_le_bytes());
    words(&mut out, &[0, HEADER, 0]);
    out.extend(0u32.to_le_bytes());
    out.extend([HEADER as u16, PROGRAM_HEADER as u16, 2, 0, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    // PT_LOAD, everything, rw-; PT_DYNAMIC. Type and flags share a word.
    words(&mut out, &[1 | 6 << 32, 0, 0, 0, size, size, 0x1_0000]);
    words(&mut out, &[2 | 6 << 32, dynamic, dynamic, dynamic, 8 * DYNAMIC, 8 * DYNAMIC, 8]);
    words(&mut out, &[0, 0]);
    // The null symbol; then, at offset 1 of the strings, one that is STB_WEAK and STT_TLS, and undefined.
    words(&mut out, &[0, 0, 0, 1 | 0x26 << 32, 0, 0]);
    for (index, relocation) in relocations.iter().enumerate() {
        words(&mut out, &[WORDS + 8 * index as u64, 1 << 32 | relocation, 0]);
    }
    // DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_RELA, DT_RELASZ, DT_RELAENT, DT_NULL.
    let rela_size = relocations.len() as u64 * RELOCATION;
    for (tag, value) in [
        (5, strings),
        (6, symbols),
        (10, size - strings),
        (11, SYMBOL),
        (7, rela),
        (8, rela_size),
        (9, RELOCATION),
        (0, 0),
    ] {
        words(&mut out, &[tag, value]);
    }
    out.push(0);
    out.extend(name);
    out.push(0);
    out
}

/// A new file in memory, made with `flags`.
pub(super) fn memory_file(flags: libc::c_uint) -> io::Result<File> {
    // SAFETY: a C string; the descriptor is fresh and nobody else's.
    unsafe {
        match libc::memfd_create(c"rjitlink-tls".as_ptr(), flags) {
            fd if fd < 0 => Err(io::Error::last_os_error()),
            fd => Ok(File::from_raw_fd(fd)),
        }
    }
}

/// Loads a library that [`library`] made and reads its words; `None` if the loader refuses.
fn load(library: &[u8]) -> Option<[u64; 2]> {
    let mut file = memory_file(libc::MFD_CLOEXEC).ok()?;
    file.write_all(library).ok()?;
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    // SAFETY: a C string; the library has no code. Its base is that of its first and only segment, where WORDS lie.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if handle.is_null() {
            libc::dlerror();
            return None;
        }
        let words = base(handle).map(|base| ((base + WORDS) as *const [u64; 2]).read());
        libc::dlclose(handle);
        words
    }
}

/// Where the library of `handle` is loaded.
fn base(handle: *mut c_void) -> Option<u64> {
    /// `struct link_map`, as far as debuggers and `dlinfo` know it (link.h).
    #[repr(C)]
    struct LinkMap {
        base: u64,
    }
    let mut map: *const LinkMap = std::ptr::null();
    // SAFETY: a handle that is open; RTLD_DI_LINKMAP stores one pointer, which stays valid until the handle is closed.
    unsafe {
        let found = libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) == 0 && !map.is_null();
        found.then(|| (*map).base)
    }
}
