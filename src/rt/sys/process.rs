//! This process: its symbols, its libraries, calls into linked code.
//!
//! Function types say `C-unwind` where the program may unwind on purpose: `pthread_exit` leaves finalizers that way.

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use super::dispatch::as_program;
use super::os;
use crate::base::ExecutorAddr;

type Finalizer = extern "C-unwind" fn();

unsafe extern "C" {
    fn __cxa_atexit(function: extern "C" fn(*mut c_void), argument: *mut c_void, library: *mut c_void) -> c_int;
}

/// The address of a symbol in the process or a library it has loaded with global visibility.
///
/// The mathematics library is loaded when something is first not found, since most C programs are linked with it and this
/// process need not be.
pub fn symbol(name: &[u8], version: Option<&[u8]>) -> Option<ExecutorAddr> {
    static MATHEMATICS: Once = Once::new();
    let name = CString::new(name).ok()?;
    let version = version.map(CString::new).transpose().ok()?;
    let find = || os::find_symbol(&name, version.as_deref()).filter(|address| !address.is_null());
    find().or_else(|| {
        if MATHEMATICS.is_completed() {
            return None;
        }
        MATHEMATICS.call_once(|| {
            if let Some(library) = os::MATHEMATICS {
                // SAFETY: a C string. The library's own initializers do nothing but initialize it. If it is not there,
                // its symbols are not either.
                unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
            }
        });
        find()
    })
}

/// Loads a library for good; the loader's message if it cannot.
pub fn load_library(path: &OsStr) -> Result<(), String> {
    let path = CString::new(path.as_bytes()).map_err(|_| "the path contains a NUL byte".to_string())?;
    as_program(|| {
        // SAFETY: a C string; the library's initializers are the user's choice.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if handle.is_null() { Err(loader_error()) } else { Ok(()) }
    })
}

/// What the loader says of its last failure on this thread.
pub fn loader_error() -> String {
    // SAFETY: no precondition; the text is this thread's own until the next call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the dynamic loader gives no reason".to_string();
    }
    // SAFETY: a C string.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The pointer-sized atomic at an aligned address of linked memory.
fn pointer_at(address: ExecutorAddr) -> &'static AtomicU64 {
    debug_assert!(address.0.is_multiple_of(8));
    // SAFETY: the session gives only aligned addresses of pointers in linked memory, which stays mapped.
    unsafe { &*(address.0 as *const AtomicU64) }
}

/// Stores a pointer, releasing what was written before.
pub fn write_pointer(at: ExecutorAddr, value: ExecutorAddr) {
    pointer_at(at).store(value.0, Ordering::Release);
}

/// Loads a pointer, acquiring what was written before it.
pub fn read_pointer(at: ExecutorAddr) -> ExecutorAddr {
    ExecutorAddr(pointer_at(at).load(Ordering::Acquire))
}

/// A program's `argv`, kept for good: programs keep pointers to it.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    argc: c_int,
    argv: &'static [usize],
}

impl Arguments {
    /// Copies `args`; each ends at its first NUL byte, if it has one.
    pub fn leak(args: &[OsString]) -> Arguments {
        let copy = |arg: &OsString| {
            let bytes = arg.as_bytes().split(|&byte| byte == 0).next().unwrap_or_default();
            CString::new(bytes).unwrap_or_default().into_raw() as usize
        };
        let argv: Vec<usize> = args.iter().map(copy).chain([0]).collect();
        Arguments { argc: c_int::try_from(args.len()).unwrap_or(c_int::MAX), argv: argv.leak() }
    }

    /// Makes [`Arguments::name`] what the C library calls the program.
    pub fn name_program(self) {
        os::set_program_name(self.name());
    }

    /// The program's name, `argv[0]`; empty without arguments.
    pub fn name(self) -> &'static CStr {
        match self.argv[0] {
            0 => c"",
            // SAFETY: a C string that `leak` has made.
            name => unsafe { CStr::from_ptr(name as *const c_char) },
        }
    }

    fn argv(self) -> *const *const c_char {
        self.argv.as_ptr().cast()
    }
}

/// Calls `main` at `entry`.
pub fn call_main(entry: ExecutorAddr, arguments: Arguments) -> i32 {
    // SAFETY: the session gives the address of a finalized `main`.
    as_program(|| unsafe { call_outermost(arguments.argc, arguments.argv(), os::environment(), entry.0) })
}

/// Calls the initializers at `functions`.
pub fn call_initializers(functions: &[ExecutorAddr], arguments: Arguments) {
    as_program(|| {
        for &function in functions {
            // SAFETY: the session gives addresses of finalized initializers.
            unsafe { call_outermost(arguments.argc, arguments.argv(), os::environment(), function.0) };
        }
    });
}

/// Calls `function`, `main` or an initializer, as the first one on the stack: its caller is unknown to an unwinder, as that of the C
/// library's start code is. So an exception that nobody catches terminates the program before anything of it is unwound, and no
/// frame of this process is asked. What an initializer seems to return means nothing.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn call_outermost(
    argc: c_int,
    argv: *const *const c_char,
    environment: *const *const c_char,
    function: u64,
) -> c_int {
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        "call rcx",
        "pop rbp",
        ".cfi_def_cfa_offset 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls `function`, `main` or an initializer, as the first one on the stack: its caller is unknown to an unwinder, as that of the C
/// library's start code is. So an exception that nobody catches terminates the program before anything of it is unwound, and no
/// frame of this process is asked. What an initializer seems to return means nothing.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn call_outermost(
    argc: c_int,
    argv: *const *const c_char,
    environment: *const *const c_char,
    function: u64,
) -> c_int {
    std::arch::naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        "blr x3",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls the resolver of an indirect function at `resolver`.
pub fn call_resolver(resolver: ExecutorAddr) -> ExecutorAddr {
    as_program(|| os::call_resolver(resolver))
}

/// Registers `functions` with the C library, to be called in order at exit.
pub fn at_exit(functions: Vec<ExecutorAddr>) {
    extern "C" fn run(functions: *mut c_void) {
        // SAFETY: the box made below; exit handlers run once.
        let functions = unsafe { Box::from_raw(functions.cast::<Vec<ExecutorAddr>>()) };
        as_program(|| {
            for function in functions.iter() {
                // SAFETY: the session gives addresses of finalized functions without parameters.
                let function: Finalizer = unsafe { std::mem::transmute(function.0 as *const ()) };
                function();
            }
        });
    }
    let functions = Box::into_raw(Box::new(functions));
    // SAFETY: `run` takes what it is registered with. No library: the functions run at exit only.
    unsafe { __cxa_atexit(run, functions.cast(), std::ptr::null_mut()) };
}

/// Ends the process as C's `exit` does.
pub fn exit(status: i32) -> ! {
    // SAFETY: called once, by the driver when the program has returned.
    as_program(|| unsafe { libc::exit(status) })
}

/// Makes unwind tables known through the unwinder's function at `register`.
pub fn register_frames(register: ExecutorAddr, start: ExecutorAddr) {
    // SAFETY: the address of `void __register_frame(const void *)`.
    let register: extern "C" fn(*const c_void) = unsafe { std::mem::transmute(register.0 as *const ()) };
    register(start.0 as *const c_void);
}
