//! A larger reserve of thread-local memory than the linker's own.
//!
//! The loader decides how much memory threads have at constant offsets when the process starts. So the process starts once more, with
//! the same arguments, and with a library before all others (`LD_PRELOAD`) that has nothing but that much thread-local memory. The
//! library is a file in memory, written here; the environment is restored before anything else sees it.

use std::ffi::{CString, OsString};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::{process, thread_local_reserve as reserve};
use crate::base::align_up;
use crate::rt::executor::ExecutorError;

/// The loader's list of libraries to load first.
const PRELOAD: &str = "LD_PRELOAD";
/// Set when the process starts again: the library's file descriptor.
const RESTARTED: &str = "RJITLINK_TLS_RESERVE_FD";
/// The library's variable: all of its memory.
const SYMBOL: &[u8] = b"__rjitlink_tls_reserve";

/// Makes the reserve at least `size` bytes large; returns if it is, after the process has started again if need be. To be called by a
/// program that has only begun: before it has threads, and before thread-local memory is given out.
///
/// # Errors
/// [`ExecutorError::ThreadLocalRestart`].
pub fn enlarge_reserve(size: u64) -> Result<(), ExecutorError> {
    if size <= reserve::OWN {
        return Ok(());
    }
    let failed = |what| move |source| ExecutorError::ThreadLocalRestart { what, source };
    let too_large = || failed("it does not fit any stack")(io::ErrorKind::InvalidInput.into());
    let size = align_up(size, reserve::ALIGN as u64).filter(|&size| size < 1 << 40).ok_or_else(too_large)?;
    let Some(fd) = std::env::var_os(RESTARTED) else {
        let library = memory_file(&library(size), size).map_err(failed("the library cannot be written"))?;
        return Err(failed("the process cannot start again")(restart(library.as_raw_fd())));
    };
    restore_environment(&fd);
    let start = process::symbol(SYMBOL, None);
    let missing = || failed("the loader has not loaded the library")(io::ErrorKind::NotFound.into());
    let start = start.ok_or_else(missing)?;
    let adopted = reserve::adopt(start.0, size);
    enlarge_own_stacks();
    if adopted { Ok(()) } else { Err(failed("memory was given out before")(io::ErrorKind::InvalidInput.into())) }
}

/// The library: a header, what the loader needs to find the variable, and from the second page on `size` zeroes, which are left to the
/// file's length.
fn library(size: u64) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    const MACHINE: u16 = 62;
    #[cfg(target_arch = "aarch64")]
    const MACHINE: u16 = 183;
    #[cfg(target_arch = "riscv64")]
    const MACHINE: u16 = 243;
    // Behind the file header and three program headers.
    const DYNAMIC: u64 = 64 + 3 * 56;
    const SYMBOLS: u64 = DYNAMIC + 6 * 16;
    const HASH: u64 = SYMBOLS + 2 * 24;
    const STRINGS: u64 = HASH + 5 * 4 + 4;
    let strings_size = SYMBOL.len() as u64 + 2;
    let words = |out: &mut Vec<u8>, words: &[u64]| out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    let halves = |out: &mut Vec<u8>, halves: &[u16]| out.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    // ET_DYN, machine, version; no entry; program headers right behind; no section headers.
    halves(&mut out, &[3, MACHINE, 1, 0]);
    words(&mut out, &[0, 64, 0]);
    halves(&mut out, &[0, 0, 64, 56, 3, 0, 0, 0]);
    // PT_LOAD, PT_DYNAMIC and PT_TLS, all rw- (the loader writes to the dynamic section): type and flags share a word.
    let (image, access) = (IMAGE, 6 << 32);
    words(&mut out, &[1 | access, 0, 0, 0, image + size, image + size, 0x1_0000]);
    words(&mut out, &[2 | access, DYNAMIC, DYNAMIC, DYNAMIC, 6 * 16, 6 * 16, 8]);
    words(&mut out, &[7 | access, image, image, image, size, size, reserve::ALIGN as u64]);
    // DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_NULL.
    words(&mut out, &[4, HASH, 5, STRINGS, 6, SYMBOLS, 10, strings_size, 11, 24, 0, 0]);
    // The null symbol; then, with its name at offset 1, one that is STB_GLOBAL and STT_TLS, in section 1.
    words(&mut out, &[0, 0, 0, 1 | 0x16 << 32 | 1 << 48, 0, size]);
    // One bucket, two chains: the bucket holds symbol 1.
    out.extend([1u32, 2, 1, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()));
    out.push(0);
    out.extend(SYMBOL);
    out.push(0);
    out
}

/// Where the variable's initial values begin in the library.
const IMAGE: u64 = 0x1000;

/// A file in memory that begins with `bytes` and has room for the image of `size` bytes. It stays open when the process starts again.
fn memory_file(bytes: &[u8], size: u64) -> io::Result<std::fs::File> {
    let mut file = super::thread_local_probe::memory_file(0)?;
    file.write_all(bytes)?;
    file.set_len(IMAGE + size)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Starts the process again with the library of descriptor `fd`; answers why that failed.
fn restart(fd: i32) -> io::Error {
    let library = format!("/proc/self/fd/{fd}");
    let preload = match std::env::var_os(PRELOAD) {
        Some(others) => [library.as_bytes(), b":", others.as_bytes()].concat(),
        None => library.into_bytes(),
    };
    let mut environment: Vec<Vec<u8>> = std::env::vars_os()
        .filter(|(name, _)| name != PRELOAD)
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    environment.push([PRELOAD.as_bytes(), b"=", &preload].concat());
    environment.push(format!("{RESTARTED}={fd}").into_bytes());
    let arguments: Vec<Vec<u8>> = std::env::args_os().map(OsString::into_vec).collect();
    let itself = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    let error = execute(&itself, arguments.clone(), &environment);
    if error.raw_os_error() != Some(libc::ENOEXEC) {
        return error;
    }
    // The system cannot run this machine's files: an emulator does, and only it is what the process really runs.
    let mut emulated = vec![b"emulator".to_vec(), b"-0".to_vec()];
    emulated.extend(arguments.first().cloned());
    emulated.push(itself.into_os_string().into_vec());
    emulated.extend(arguments.into_iter().skip(1));
    execute(Path::new("/proc/thread-self/exe"), emulated, &environment)
}

/// Runs `program` in the place of this process; answers why that failed.
fn execute(program: &Path, arguments: Vec<Vec<u8>>, environment: &[Vec<u8>]) -> io::Error {
    let strings = |list: Vec<Vec<u8>>| list.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
    let (program, arguments, environment) =
        match (CString::new(program.as_os_str().as_bytes()), strings(arguments), strings(environment.to_vec())) {
            (Ok(program), Ok(arguments), Ok(environment)) => (program, arguments, environment),
            _ => return io::ErrorKind::InvalidInput.into(),
        };
    let pointers = |list: &[CString]| {
        list.iter().map(|string| string.as_ptr()).chain(std::iter::once(std::ptr::null())).collect::<Vec<_>>()
    };
    // SAFETY: C strings and null-terminated lists of them, which live until the call returns, if it does.
    unsafe { libc::execve(program.as_ptr(), pointers(&arguments).as_ptr(), pointers(&environment).as_ptr()) };
    io::Error::last_os_error()
}

/// Takes out of the environment what [`restart`] put there, and closes the library, whose descriptor is `fd`.
fn restore_environment(fd: &std::ffi::OsStr) {
    let preload = std::env::var_os(PRELOAD).unwrap_or_default();
    let others = preload.as_bytes().iter().position(|&byte| byte == b':').map(|at| &preload.as_bytes()[at + 1..]);
    // SAFETY: the process has one thread.
    unsafe {
        match others {
            Some(others) => std::env::set_var(PRELOAD, std::ffi::OsStr::from_bytes(others)),
            None => std::env::remove_var(PRELOAD),
        }
        std::env::remove_var(RESTARTED);
    }
    if let Some(fd) = fd.to_str().and_then(|fd| fd.parse().ok()) {
        // SAFETY: the descriptor that the library was loaded from, which nothing else uses.
        unsafe { libc::close(fd) };
    }
}

/// Has the linker's own threads get stacks that are larger by what the reserve takes of them. The standard library asks the
/// environment when it makes its first thread, which is here; the program does not get to see that.
fn enlarge_own_stacks() {
    const VARIABLE: &str = "RUST_MIN_STACK";
    let before = std::env::var_os(VARIABLE);
    let usual = before.as_ref().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(2usize << 20);
    // SAFETY: the process has one thread; the second one has ended when the variable changes back.
    unsafe {
        std::env::set_var(VARIABLE, usual.saturating_add(reserve::cost()).to_string());
        std::thread::spawn(|| ()).join().unwrap_or(());
        match before {
            Some(before) => std::env::set_var(VARIABLE, before),
            None => std::env::remove_var(VARIABLE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_takes_the_library_for_one_with_thread_local_memory() {
        // More than the loader keeps free for libraries that come late: it reads all of the file before it says so.
        let size = 1 << 20;
        let file = memory_file(&library(size), size).unwrap();
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        // SAFETY: a C string; the library has no code, and its variable is asked for in the ordinary way.
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null());
            let name = CString::new(SYMBOL).unwrap();
            let start = libc::dlsym(handle, name.as_ptr()).cast::<u8>();
            assert!(!start.is_null() && start.addr().is_multiple_of(reserve::ALIGN));
            assert_eq!((start.read(), start.add(size as usize - 1).read()), (0, 0));
        }
    }

    #[test]
    fn what_the_linker_has_anyway_needs_no_restart() {
        assert!(enlarge_reserve(1).is_ok());
    }

    #[test]
    fn what_no_stack_can_hold_is_refused() {
        assert!(matches!(enlarge_reserve(1 << 50), Err(ExecutorError::ThreadLocalRestart { .. })));
    }
}
