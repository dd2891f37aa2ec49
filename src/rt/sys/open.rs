//! `dlopen` as the program and the shared libraries of a linked program get it: what is opened may need the program's symbols, and uses its definitions.
//!
//! The loader looks who calls `dlopen`, by the return address: names are searched for in the caller's own directories (DT_RPATH, DT_RUNPATH) and
//! `$ORIGIN` is the caller's folder. The program has no such directories. For a library, which cannot be the caller when there is something to do after
//! the call, the file is found here and the loader is given its path. What of a library's own search is not done here: subdirectories for
//! kinds of processors (`glibc-hwcaps`). Libraries in other namespaces (`dlmopen`) keep the loader's function, so the namespace is always the program's.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::dispatch::as_linker;
use super::generated_library::MACHINE;
use super::loader::{RTLD_DL_LINKMAP, dladdr1, program, program_handle};
use super::{interpose, process, provider};

const RTLD_DI_SERINFO: c_int = 4;
const RTLD_DI_SERINFOSIZE: c_int = 5;

unsafe extern "C" {
    fn dlinfo(handle: *mut c_void, request: c_int, answer: *mut c_void) -> c_int;
}

/// `dlopen` for the program: a library that needs the program's symbols gets them.
pub extern "C" fn dlopen_for_program(path: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: the caller's promise.
    let open = || unsafe { libc::dlopen(path, flags) };
    let mut handle = open();
    let Some(program) = program().filter(|_| !path.is_null()) else {
        return handle;
    };
    let mut tried = BTreeSet::new();
    while handle.is_null() {
        let reason = process::loader_error();
        let provide = |name: &[u8]| program.symbols.find(name);
        if !as_linker(|| provider::provide_missing(&reason, &mut tried, &provide)) {
            // Fails again, so that `dlerror` says why.
            return open();
        }
        handle = open();
    }
    as_linker(|| program.symbols.libraries_were_loaded());
    // What cannot be changed keeps the definitions that the loader has found.
    as_linker(|| interpose::bind_all(program)).unwrap_or_else(|error| log::warn!("shared libraries: {error}"));
    forget_loader_error();
    handle
}

/// Has the loader forget this thread's last failure, of a question that the program has not asked: `dlerror` would say that something of the
/// program's has failed.
fn forget_loader_error() {
    // SAFETY: no precondition; the text is not looked at.
    unsafe { libc::dlerror() };
}

/// `dlopen` for libraries: [`open_for_library`] with the return address.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub extern "C" fn dlopen_for_libraries(path: *const c_char, flags: c_int) -> *mut c_void {
    std::arch::naked_asm!("mov rdx, qword ptr [rsp]", "jmp {open}", open = sym open_for_library)
}

/// `dlopen` for libraries: [`open_for_library`] with the return address.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub extern "C" fn dlopen_for_libraries(path: *const c_char, flags: c_int) -> *mut c_void {
    std::arch::naked_asm!("mov x2, x30", "b {open}", open = sym open_for_library)
}

/// [`dlopen_for_program`], with the file that the library at `caller` would get.
extern "C" fn open_for_library(path: *const c_char, flags: c_int, caller: *const c_void) -> *mut c_void {
    // SAFETY: callers of dlopen give a C string or null.
    let name = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) });
    let found = name.and_then(|name| found_by(caller, name));
    dlopen_for_program(found.as_ref().map_or(path, |found| found.as_ptr()), flags)
}

/// The path of the file that the library at `caller` opens with `name`, if it opens another than the program would.
fn found_by(caller: *const c_void, name: &CStr) -> Option<CString> {
    let bytes = name.to_bytes();
    if bytes.contains(&b'$') {
        let text = name.to_str().ok()?;
        let (_, file) = library_at(caller)?;
        let folder = file.parent()?.to_str()?;
        let path = text.replace("${ORIGIN}", folder).replace("$ORIGIN", folder);
        return is_library(Path::new(&path)).then(|| CString::new(path).ok())?;
    }
    if bytes.is_empty() || bytes.contains(&b'/') || is_loaded(name) {
        return None;
    }
    let (library, _) = library_at(caller)?;
    let mut directories = search_directories(library);
    // What everybody's search ends with is left to the loader, which knows more than directories (`ld.so.cache`).
    let mut everybodys = search_directories(program_handle());
    while directories.last().is_some() && directories.last() == everybodys.last() {
        directories.pop();
        everybodys.pop();
    }
    let name = OsStr::from_bytes(bytes);
    let path = directories.iter().map(|directory| directory.join(name)).find(|path| is_library(path))?;
    CString::new(path.into_os_string().as_bytes()).ok()
}

/// Whether a library is loaded that goes by `name`: then the loader searches for none.
fn is_loaded(name: &CStr) -> bool {
    // SAFETY: a C string; nothing is loaded. The handle is closed once.
    unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        !handle.is_null() && libc::dlclose(handle) == 0
    }
}

/// The library that `address` is in: its handle and its file.
fn library_at(address: *const c_void) -> Option<(*mut c_void, PathBuf)> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    let mut handle = std::ptr::null_mut();
    // SAFETY: the address is only compared; both results are places to be filled in, and are if the call says so. The name is a C string, and
    // stays while the library runs, which has called.
    unsafe {
        if dladdr1(address, info.as_mut_ptr(), &mut handle, RTLD_DL_LINKMAP) == 0 || handle.is_null() {
            return None;
        }
        let file = CStr::from_ptr(info.assume_init().dli_fname);
        Some((handle, PathBuf::from(OsStr::from_bytes(file.to_bytes()))))
    }
}

/// The directories that are searched for what the library with `handle` needs, in order; none if the loader does not say.
fn search_directories(handle: *mut c_void) -> Vec<PathBuf> {
    /// `Dl_serinfo`, its entries left out: they follow.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Answer {
        size: usize,
        count: u32,
    }
    /// `Dl_serpath`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Entry {
        name: *const c_char,
        flags: u32,
    }
    let mut answer = Answer::default();
    // SAFETY: a loaded library's handle, and the place for what this request fills in.
    if unsafe { dlinfo(handle, RTLD_DI_SERINFOSIZE, (&raw mut answer).cast()) } != 0 {
        return Vec::new();
    }
    let mut buffer = vec![0u64; answer.size.div_ceil(8) + 2];
    let start = buffer.as_mut_ptr();
    // SAFETY: the buffer is as large as the loader wants it, and begins with what it has said; it then holds so many entries,
    // whose names are C strings in it.
    unsafe {
        start.cast::<Answer>().write(answer);
        if dlinfo(handle, RTLD_DI_SERINFO, start.cast()) != 0 {
            return Vec::new();
        }
        let entries = std::slice::from_raw_parts(start.add(2).cast::<Entry>(), answer.count as usize);
        entries.iter().map(|entry| OsStr::from_bytes(CStr::from_ptr(entry.name).to_bytes()).into()).collect()
    }
}

/// Whether the loader would take the file at `path`: others, of another architecture, it passes over.
fn is_library(path: &Path) -> bool {
    let mut header = [0u8; 20];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"\x7fELF\x02\x01") && header[18..] == MACHINE.0.to_le_bytes()
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_loader_says_where_it_searches() {
        let directories = search_directories(program_handle());
        assert!(directories.iter().any(|directory| directory.starts_with("/lib") || directory.starts_with("/usr/lib")));
    }

    #[test]
    fn origin_is_the_callers_folder() {
        let caller = libc::malloc as *const c_void;
        let (_, file) = library_at(caller).unwrap();
        let name = CString::new(format!("$ORIGIN/{}", file.file_name().unwrap().to_str().unwrap())).unwrap();
        assert_eq!(found_by(caller, &name).unwrap().to_bytes(), file.as_os_str().as_bytes());
    }

    #[test]
    fn what_needs_no_search_is_the_loaders() {
        let caller = libc::malloc as *const c_void;
        for name in [c"/no/such.so", c"libc.so.6", c"no-such.so", c""] {
            assert_eq!(found_by(caller, name), None);
        }
    }
}
