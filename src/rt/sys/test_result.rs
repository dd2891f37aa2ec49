//! `llvm_jitlink_setTestResultOverride`: how a test that linked code runs says what came of it.
//!
//! What was set last counts, by handlers of the exit too. So the status is given by a handler that comes after all of the program's:
//! exit handlers run in the opposite order of their registration, and this one is registered when the program is linked.

use crate::base::ExecutorAddr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The function's C name.
const NAME: &[u8] = b"llvm_jitlink_setTestResultOverride";

/// Whether the program has set a result.
static GIVEN: AtomicBool = AtomicBool::new(false);
static RESULT: AtomicI64 = AtomicI64::new(0);
/// Whether `main` has returned: the status of a program that calls `exit` is what it says there.
static RETURNED: AtomicBool = AtomicBool::new(false);

/// Sets the exit status, whatever `main` returns.
extern "C" fn set(result: i64) {
    RESULT.store(result, Ordering::Relaxed);
    GIVEN.store(true, Ordering::Release);
}

extern "C" fn at_exit() {
    if RETURNED.load(Ordering::Relaxed) && GIVEN.load(Ordering::Acquire) {
        let status = (RESULT.load(Ordering::Relaxed) & 0xff) as i32;
        // SAFETY: a null pointer stands for all streams; the process ends here as it would a moment later, with another status.
        unsafe {
            libc::fflush(std::ptr::null_mut());
            libc::_exit(status)
        }
    }
}

/// The function's address, if `name` is its name, with or without the underscore that some formats put before C names.
pub fn function(name: &[u8]) -> Option<ExecutorAddr> {
    static REGISTERED: Once = Once::new();
    if name.strip_prefix(b"_").unwrap_or(name) != NAME {
        return None;
    }
    REGISTERED.call_once(|| {
        // SAFETY: the handler may be called at any time. That it cannot be registered only means that handlers' results do not count.
        unsafe { libc::atexit(at_exit) };
    });
    Some(ExecutorAddr(set as extern "C" fn(i64) as usize as u64))
}

/// Notes that `main` has returned.
pub fn main_has_returned() {
    RETURNED.store(true, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_found_under_both_spellings() {
        assert!(function(NAME).is_some());
        assert_eq!(function(b"_llvm_jitlink_setTestResultOverride"), function(NAME));
        assert_eq!(function(b"llvm_jitlink"), None);
    }
}
