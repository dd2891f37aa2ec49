//! `llvm_jitlink_setTestResultOverride`: how a test that linked code runs says what came of it.

use crate::base::ExecutorAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The function's C name.
const NAME: &[u8] = b"llvm_jitlink_setTestResultOverride";

static GIVEN: AtomicBool = AtomicBool::new(false);
static RESULT: AtomicI64 = AtomicI64::new(0);

/// Sets the exit status, whatever `main` returns.
extern "C" fn set(result: i64) {
    RESULT.store(result, Ordering::Relaxed);
    GIVEN.store(true, Ordering::Release);
}

/// The exit status that the program has set with `llvm_jitlink_setTestResultOverride`, of which the low 8 bits count.
pub fn test_result() -> Option<i64> {
    GIVEN.load(Ordering::Acquire).then(|| RESULT.load(Ordering::Relaxed))
}

/// The function's address, if `name` is its name, with or without the underscore that some formats put before C names.
pub(super) fn function(name: &[u8]) -> Option<ExecutorAddr> {
    let is_name = name.strip_prefix(b"_").unwrap_or(name) == NAME;
    is_name.then(|| ExecutorAddr(set as extern "C" fn(i64) as usize as u64))
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
