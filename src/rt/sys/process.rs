//! This process: its symbols, its libraries, calls into linked code.
//!
//! Function types say `C-unwind` where the program may unwind on purpose: `pthread_exit` leaves finalizers that way.

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use super::dispatch::as_program;
use super::os;
use crate::base::ExecutorAddr;

type Finalizer = extern "C-unwind" fn();

unsafe extern "C" {
    fn __cxa_atexit(function: extern "C" fn(*mut c_void), argument: *mut c_void, library: *mut c_void) -> c_int;
}

/// A library that programs are linked with without saying so, loaded when something is not found that may be in it: this process need
/// not have it.
struct Implied {
    library: Option<&'static CStr>,
    may_define: fn(&[u8]) -> bool,
    loaded: Once,
}

/// What C programs are mostly linked with, and what C++ compilers link programs with.
static IMPLIED: [Implied; 2] = [
    Implied { library: os::MATHEMATICS, may_define: |_| true, loaded: Once::new() },
    Implied { library: os::CPLUSPLUS, may_define: is_cplusplus, loaded: Once::new() },
];

/// Whether a C++ compiler may have made up the C name `name` (Itanium C++ ABI).
fn is_cplusplus(name: &[u8]) -> bool {
    [&b"_Z"[..], b"__cxa_", b"__gxx_", b"__dynamic_cast"].iter().any(|start| name.starts_with(start))
}

/// The address of a symbol in the process or a library it has loaded with global visibility, or in one that programs are linked with
/// without saying so.
pub fn symbol(name: &[u8], version: Option<&[u8]>) -> Option<ExecutorAddr> {
    let text = CString::new(name).ok()?;
    let version = version.map(CString::new).transpose().ok()?;
    let find = || os::find_symbol(&text, version.as_deref()).filter(|address| !address.is_null());
    find().or_else(|| {
        IMPLIED.iter().filter(|implied| (implied.may_define)(name)).find_map(|implied| {
            let library = implied.library.filter(|_| !implied.loaded.is_completed())?;
            // SAFETY: a C string. The library's own initializers do nothing but initialize it. If it is not there, its symbols are
            // not either.
            implied.loaded.call_once(|| unsafe {
                libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
            });
            find()
        })
    })
}

/// The file that is loaded at `address` and, if it is known, the symbol there and how far behind its start that is.
pub fn library_symbol(address: ExecutorAddr) -> Option<(String, Option<(String, u64)>)> {
    // SAFETY: all zeroes are a valid structure; the call fills it in, with strings of what stays loaded while they are copied.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(address.0 as *const c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let text = |string| CStr::from_ptr(string).to_string_lossy().into_owned();
        let symbol = (!info.dli_sname.is_null()).then(|| (text(info.dli_sname), address.0 - info.dli_saddr as u64));
        Some((text(info.dli_fname), symbol))
    }
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
///
/// Around it is what the kernel puts around it: the number of arguments before, the environment and the auxiliary vector behind. Runtimes that
/// do without the C library find those there (Go's does).
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
        let mut stack: Vec<usize> = Vec::from([args.len()]);
        stack.extend(args.iter().map(copy).chain([0]));
        stack.extend(environment_strings().chain([0]));
        stack.extend(os::auxiliary_vector().into_iter().chain([(0, 0)]).flat_map(|(kind, value)| [kind, value]));
        Arguments { argc: c_int::try_from(args.len()).unwrap_or(c_int::MAX), argv: &stack.leak()[1..] }
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

/// The addresses of the environment's strings.
fn environment_strings() -> impl Iterator<Item = usize> {
    let strings = os::environment();
    // SAFETY: null or a list that ends with a null pointer, which is not read past.
    (0..)
        .map_while(move |index| (!strings.is_null()).then(|| unsafe { *strings.add(index) } as usize))
        .take_while(|&at| at != 0)
}

/// Calls `main` at `entry`.
pub fn call_main(entry: ExecutorAddr, arguments: Arguments) -> i32 {
    // SAFETY: the session gives the address of a finalized `main`.
    let main = || unsafe { call_outermost(arguments.argc, arguments.argv(), os::environment(), entry.0) };
    #[cfg(target_os = "linux")]
    let main = || super::main_thread::watched(main);
    as_program(main)
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

/// Has `work` done when this process exits, after all that is registered later; not in children that `fork` makes of it.
pub fn at_exit_of_this_process(work: Box<dyn FnOnce() + Send>) {
    struct Job(u32, Box<dyn FnOnce() + Send>);
    extern "C" fn run(job: *mut c_void) {
        // SAFETY: the box made below; exit handlers run once.
        let Job(process, work) = *unsafe { Box::from_raw(job.cast::<Job>()) };
        if process == std::process::id() {
            work();
        }
    }
    let job = Box::into_raw(Box::new(Job(std::process::id(), work)));
    // SAFETY: `run` takes what it is registered with. No library: the function runs at exit only.
    unsafe { __cxa_atexit(run, job.cast(), std::ptr::null_mut()) };
}

/// The calling thread's number in the operating system.
pub fn thread_id() -> u64 {
    #[cfg(target_os = "linux")]
    // SAFETY: no precondition.
    let id = unsafe { libc::gettid() } as u64;
    #[cfg(target_os = "macos")]
    let id = {
        let mut id = 0;
        // SAFETY: the calling thread's; the pointer is to a local.
        unsafe { libc::pthread_threadid_np(0, &mut id) };
        id
    };
    id
}

/// Processor time that this process has used so far, in seconds: for itself, and in the system for it.
pub fn processor_times() -> (f64, f64) {
    // SAFETY: all zeroes are a valid structure, and the call fills it in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime), seconds(usage.ru_stime))
}

/// Starts a thread that gives way to others, and on which no handler of the program runs; waits until it is about to do its work.
///
/// # Errors
/// What the operating system says.
pub fn background_thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    let interrupts = super::interrupts::hold();
    let builder = std::thread::Builder::new().name(name.to_string());
    // While it starts it allocates as a thread of the program would, which it must not do once there is one ([`super::allocator`]).
    let (has_started, wait) = std::sync::mpsc::channel();
    let started = builder.spawn(move || {
        drop(has_started);
        #[cfg(target_os = "linux")]
        {
            // SAFETY: no precondition; changes the calling thread.
            unsafe { libc::setpriority(libc::PRIO_PROCESS, libc::gettid() as libc::id_t, 10) };
            super::main_thread::as_helper(work);
        }
        #[cfg(not(target_os = "linux"))]
        work();
    });
    if started.is_ok() {
        wait.recv().unwrap_or(());
    }
    interrupts.restore();
    started
}

/// Ends the process as C's `exit` does.
pub fn exit(status: i32) -> ! {
    // SAFETY: called once, by the driver when the program has returned.
    as_program(|| unsafe { libc::exit(status) })
}

/// Runs `work` in a child process and says what it said; the child has no other effect on this one, and does not outlive `work`.
///
/// This process must have one thread. Errors: what the operating system says, and that the child died.
pub fn in_child(work: impl FnOnce() -> bool) -> io::Result<bool> {
    // SAFETY: there is no other thread whose locks the child could find taken for good.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(io::Error::last_os_error());
    }
    if child == 0 {
        let result = work();
        // SAFETY: ends the child, without the exit handlers that are its parent's.
        unsafe { libc::_exit(c_int::from(!result)) };
    }
    let mut status = 0;
    // SAFETY: the child made above; the status is written to.
    while unsafe { libc::waitpid(child, &mut status, 0) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    match libc::WIFEXITED(status) {
        true => Ok(libc::WEXITSTATUS(status) == 0),
        false => Err(io::Error::other("the child died")),
    }
}
