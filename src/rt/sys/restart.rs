//! Starts the process again, as one that the dynamic loader gives more.
//!
//! The loader decides when a process starts how much memory threads have at constant offsets, and
//! newer ones decide then whether stacks are executable. So the process starts once more, with the
//! same arguments, and with a library before all others (`LD_PRELOAD`) that asks for what is
//! needed. The environment is restored before anything else sees it.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::generated_library::{Definition, GeneratedLibrary};
use super::{process, thread_local_reserve as reserve};
use crate::base::align_up;
use crate::rt::executor::ExecutorError;

/// The loader's list of libraries to load first.
const PRELOAD: &str = "LD_PRELOAD";
/// Set when the process starts again, to the words of [`Started::to_text`].
const STARTED: &str = "RJITLINK_STARTED_AGAIN";
/// The library's variable: all of its memory.
const SYMBOL: &[u8] = b"__rjitlink_tls_reserve";

/// What the process is started again with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Started {
    /// The descriptor of the library's file.
    library: i32,
    /// Bytes of thread-local memory at constant offsets; 0 for no more than usual.
    thread_local_memory: u64,
    executable_stacks: bool,
}

/// What this process was started again with, if it was.
static STARTED_WITH: OnceLock<Started> = OnceLock::new();

impl Started {
    fn to_text(self) -> String {
        format!("{} {} {}", self.library, self.thread_local_memory, u8::from(self.executable_stacks))
    }

    /// Reads what [`Started::to_text`] wrote; `None` for any other text.
    fn from_text(text: &str) -> Option<Started> {
        let mut words = text.split(' ');
        let library = words.next()?.parse().ok()?;
        let thread_local_memory = words.next()?.parse().ok()?;
        let executable_stacks = words.next()? == "1";
        words.next().is_none().then_some(Started { library, thread_local_memory, executable_stacks })
    }
}

/// Takes over what the process was started again with; does nothing in one that was not.
///
/// To be called by a program that has only begun: before it has threads, before it looks at its
/// environment, and before thread-local memory is given out.
///
/// # Errors
/// [`ExecutorError::ThreadLocalRestart`] if the loader has not done what it was asked for.
pub fn resume() -> Result<(), ExecutorError> {
    let Some(started) = std::env::var_os(STARTED) else { return Ok(()) };
    let Some(started) = started.to_str().and_then(Started::from_text) else { return Ok(()) };
    restore_environment(started.library);
    STARTED_WITH.set(started).unwrap_or(());
    if started.thread_local_memory == 0 {
        return Ok(());
    }
    let Some(start) = process::symbol(SYMBOL, None) else {
        return Err(failed("the loader has not loaded the library", io::ErrorKind::NotFound.into()));
    };
    let adopted = reserve::adopt(start.0, started.thread_local_memory);
    enlarge_own_stacks();
    if adopted { Ok(()) } else { Err(failed("memory was given out before", io::ErrorKind::InvalidInput.into())) }
}

/// Makes the reserve of thread-local memory at least `size` bytes large: returns if it is, or else
/// does not return, since the process starts again. Must be called after [`resume`], and before
/// anything is done that must not be done twice.
///
/// # Errors
/// [`ExecutorError::ThreadLocalRestart`].
pub fn enlarge_thread_local_reserve(size: u64) -> Result<(), ExecutorError> {
    let given = STARTED_WITH.get().copied().unwrap_or_default();
    if size <= reserve::OWN.max(given.thread_local_memory) {
        return Ok(());
    }
    let size = align_up(size, reserve::ALIGN as u64).filter(|&size| size < 1 << 40);
    let size = size.ok_or_else(|| failed("it does not fit any stack", io::ErrorKind::InvalidInput.into()))?;
    let (what, error) = start_again(Started { thread_local_memory: size, ..given });
    Err(failed(what, error))
}

/// Starts the process again with executable stacks, if it was not.
///
/// Whatever was printed, or done outside of the process, will be done once more.
///
/// # Errors
/// [`ExecutorError::ExecutableStack`], always if it returns; `reason` says why stacks could not be
/// made executable in this process.
pub fn start_with_executable_stacks(reason: &str) -> ExecutorError {
    let given = STARTED_WITH.get().copied().unwrap_or_default();
    if given.executable_stacks {
        return ExecutorError::ExecutableStack(reason.to_string());
    }
    let (what, error) = start_again(Started { executable_stacks: true, ..given });
    ExecutorError::ExecutableStack(format!("{reason}; {what}: {error}"))
}

fn failed(what: &'static str, reason: io::Error) -> ExecutorError {
    ExecutorError::ThreadLocalRestart { what, reason }
}

/// Starts the process again with what `wanted` says, whatever its descriptor; returns what failed,
/// and why.
fn start_again(wanted: Started) -> (&'static str, io::Error) {
    let library = GeneratedLibrary {
        symbols: vec![(SYMBOL, Definition::ThreadLocalMemory)],
        thread_local_memory: wanted.thread_local_memory,
        thread_local_align: reserve::ALIGN as u64,
        executable_stacks: wanted.executable_stacks,
        ..GeneratedLibrary::default()
    };
    // The program that is executed, this one, inherits the descriptor.
    match library.memory_file(false) {
        Ok(file) => ("the process cannot start again", execute_again(Started { library: file.as_raw_fd(), ..wanted })),
        Err(error) => ("the library cannot be written", error),
    }
}

/// Executes this program again with the library of `started`; returns why that failed.
fn execute_again(started: Started) -> io::Error {
    let library = format!("/proc/self/fd/{}", started.library);
    let preload = match std::env::var_os(PRELOAD) {
        Some(others) => [library.as_bytes(), b":", others.as_bytes()].concat(),
        None => library.into_bytes(),
    };
    let mut environment: Vec<Vec<u8>> = std::env::vars_os()
        .filter(|(name, _)| name != PRELOAD)
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .collect();
    environment.push([PRELOAD.as_bytes(), b"=", &preload].concat());
    environment.push(format!("{STARTED}={}", started.to_text()).into_bytes());
    let arguments: Vec<Vec<u8>> = std::env::args_os().map(OsString::into_vec).collect();
    let itself = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    let error = execute(&itself, arguments.clone(), &environment);
    if error.raw_os_error() != Some(libc::ENOEXEC) {
        return error;
    }
    // The system cannot run this machine's files: an emulator does, and only it is what the process
    // really runs.
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
    // SAFETY: C strings and null-terminated lists of them, which live until the call returns, if it
    // does.
    unsafe { libc::execve(program.as_ptr(), pointers(&arguments).as_ptr(), pointers(&environment).as_ptr()) };
    io::Error::last_os_error()
}

/// Takes out of the environment what [`execute_again`] put there, and closes `library`, its
/// descriptor.
fn restore_environment(library: i32) {
    let preload = std::env::var_os(PRELOAD).unwrap_or_default();
    let others = preload.as_bytes().iter().position(|&byte| byte == b':').map(|at| &preload.as_bytes()[at + 1..]);
    // SAFETY: the process has one thread; the descriptor is the one that the library was loaded
    // from, which nothing else uses.
    unsafe {
        match others {
            Some(others) => std::env::set_var(PRELOAD, OsStr::from_bytes(others)),
            None => std::env::remove_var(PRELOAD),
        }
        std::env::remove_var(STARTED);
        libc::close(library);
    }
}

/// Has the linker's own threads get stacks that are larger by what the reserve takes of them. The
/// standard library asks the environment when it makes its first thread, which is here; the program
/// does not get to see that.
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
    fn what_the_process_starts_again_with_is_read_as_written() {
        let started = Started { library: 7, thread_local_memory: 1 << 33, executable_stacks: true };
        assert_eq!(Started::from_text(&started.to_text()), Some(started));
        assert_eq!(Started::from_text("7 1"), None);
        assert_eq!(Started::from_text("7 1 1 1"), None);
    }

    #[test]
    fn what_the_linker_has_anyway_needs_no_restart() {
        assert!(enlarge_thread_local_reserve(1).is_ok());
    }

    #[test]
    fn what_no_stack_can_hold_is_refused() {
        assert!(matches!(enlarge_thread_local_reserve(1 << 50), Err(ExecutorError::ThreadLocalRestart { .. })));
    }
}
