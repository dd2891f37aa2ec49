//! Whether the pool of threads is there, and work for those of its threads that are idle.
//!
//! The pool is rayon's, and is made when work is first given to it. It ends with the process only, so a program that is small enough to do without never has it.

use super::gate;
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

/// Has an idle core do `work`, some time, if the pool is in use and has more than one thread; says whether. Otherwise it is not done.
///
/// A child that `fork` made has no pool.
pub(super) fn offer(work: impl FnOnce() + Send + 'static) -> bool {
    let there = is_pool_in_use() && !gate::forked() && rayon::current_num_threads() > 1;
    if there {
        rayon::spawn(work);
    }
    there
}
