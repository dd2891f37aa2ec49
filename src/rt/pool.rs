//! Whether the pool of threads is there.
//!
//! The pool is rayon's, and is made when work is first given to it. It ends with the process only, so a program that is small enough to do without never has it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether work was given to the pool: it may have threads.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Says that work is about to be given to the pool of threads, which then ends with the process only.
pub fn use_pool() {
    IN_USE.store(true, Ordering::Relaxed);
}

/// Whether anybody has said so.
pub fn is_pool_in_use() -> bool {
    IN_USE.load(Ordering::Relaxed)
}
