//! What tests need that is unsafe.

/// Runs `question` in a child of `fork` and returns its answer; `false` if the child died.
pub fn in_child(question: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs `question` and leaves without unwinding, destructors or exit handlers.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(question)).unwrap_or(false);
        // SAFETY: ends the child.
        unsafe { libc::_exit(if answer { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    waited == child && status == 0
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

/// `int f(void) { return 42; }` in machine code of this machine.
pub const RETURN_42: &[u8] = if cfg!(target_arch = "x86_64") {
    &[0xb8, 42, 0, 0, 0, 0xc3]
} else {
    &[0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6]
};
