//! What tests need that is unsafe.

use crate::rt::executor::ExecutorProcessControl;

/// Runs `question` in a child of `fork` and returns its answer; `false` if the child died.
///
/// A child that takes too long is asked again: another test's thread may have held a lock of the C library, as for `dl_iterate_phdr`, when the
/// child was made, and nobody gives it back there.
pub fn in_child(question: impl Fn() -> bool) -> bool {
    const SECONDS: libc::c_uint = 20;
    for _ in 0..3 {
        // SAFETY: the child runs `question` and leaves without unwinding, destructors or exit handlers.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: a system call.
            unsafe { libc::alarm(SECONDS) };
            let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&question)).unwrap_or(false);
            // SAFETY: ends the child.
            unsafe { libc::_exit(if answer { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: waits for the child just made.
        let waited = unsafe { libc::waitpid(child, &mut status, 0) };
        if waited != child || !libc::WIFSIGNALED(status) || libc::WTERMSIG(status) != libc::SIGALRM {
            return waited == child && status == 0;
        }
    }
    false
}

/// Sets a limit of this process (a child).
#[cfg(target_os = "linux")]
pub fn set_limit(what: libc::__rlimit_resource_t, most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the structure is a local.
    assert_eq!(unsafe { libc::setrlimit(what, &limit) }, 0);
}

/// Calls `int f(void)` at `address`, which must be one.
pub fn call(address: u64) -> i32 {
    // SAFETY: only given the addresses of such functions.
    unsafe {
        let function: extern "C" fn() -> i32 = std::mem::transmute(address as *const ());
        function()
    }
}

/// What is at `address`, which must be readable.
pub fn peek(address: u64, size: usize) -> Vec<u8> {
    // SAFETY: only given addresses of readable segments.
    unsafe { std::slice::from_raw_parts(address as *const u8, size).to_vec() }
}

/// How many of the pages that hold the `size` bytes at `address` are in memory.
#[cfg(target_os = "linux")]
pub fn pages_in_memory(address: u64, size: u64) -> usize {
    let page = crate::rt::page_size();
    let first = address & !(page - 1);
    let mut pages = vec![0u8; (address + size - first).div_ceil(page) as usize];
    // SAFETY: a byte for each page is there.
    let told =
        unsafe { libc::mincore(first as *mut libc::c_void, (address + size - first) as usize, pages.as_mut_ptr()) };
    assert_eq!(told, 0);
    pages.iter().filter(|&&page| page & 1 != 0).count()
}

/// Writes a byte at `address`, which must be of a segment, or ends the process; says whether it is there.
pub fn poke(address: u64, byte: u8) -> bool {
    // SAFETY: only given addresses of segments, in a child that may die of it.
    unsafe {
        std::ptr::write_volatile(address as *mut u8, byte);
        std::ptr::read_volatile(address as *const u8) == byte
    }
}

/// `int f(void) { return 42; }` in machine code of this machine.
pub const RETURN_42: &[u8] = if cfg!(target_arch = "x86_64") {
    &[0xb8, 42, 0, 0, 0, 0xc3]
} else {
    &[0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6]
};

/// The last of `argc` arguments, whether a null follows it, and whether there is an environment.
pub fn arguments(
    argc: i32,
    argv: *const *const libc::c_char,
    envp: *const *const libc::c_char,
) -> (String, bool, bool) {
    // SAFETY: what `main` gets.
    unsafe {
        let last = std::ffi::CStr::from_ptr(*argv.add(argc as usize - 1));
        let after = (*argv.add(argc as usize)).is_null();
        (last.to_str().unwrap().to_string(), after, !(*envp).is_null())
    }
}

/// Ends this process (a child) at once.
pub fn leave(status: i32) -> ! {
    // SAFETY: ends the child.
    unsafe { libc::_exit(status) }
}

/// Whether the unwinder has a table for the code at `address`.
pub fn unwinder_knows(executor: &dyn ExecutorProcessControl, address: u64) -> bool {
    let find = executor.lookup(b"_Unwind_Find_FDE", None).unwrap();
    let mut bases = [0u64; 3];
    // SAFETY: `const fde *_Unwind_Find_FDE(void *, struct dwarf_eh_bases *)`; the structure is three pointers.
    unsafe {
        let find: extern "C" fn(u64, *mut u64) -> u64 = std::mem::transmute(find.0 as *const ());
        find(address, bases.as_mut_ptr()) != 0
    }
}

/// Whether this thread lets `signal` through.
pub fn lets_through(signal: libc::c_int) -> bool {
    let mut mask = std::mem::MaybeUninit::uninit();
    // SAFETY: nothing is changed, and the call fills in the mask.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr());
        libc::sigismember(mask.as_ptr(), signal) == 0
    }
}
