//! Shards: what all threads count in, or take from, split so that threads on different cores seldom touch the same cache line.
//!
//! A thread has its own shard, by its number, until it says that it is about to link: then that of its core ([`settle`]). What is
//! taken from that was last used there, and few cores with many threads touch no more memory than with few.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many there are of what is split: more than cores usually link at the same time.
pub const SHARDS: usize = 32;

/// How many threads have a number.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The shard of this thread; `SHARDS` before it has one.
    static OWN: Cell<usize> = const { Cell::new(SHARDS) };
}

/// The number, below [`SHARDS`], of the shards that the calling thread uses, which other threads may have as well: the same until it calls
/// [`settle`]. It may be asked for at any time, by an allocator and by a thread that is ending too.
#[inline]
pub fn of_this_thread() -> usize {
    let known = OWN.get();
    if known < SHARDS {
        return known;
    }
    let own = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS;
    OWN.set(own);
    own
}

/// Gives the calling thread the shards of the core that it is on, if the system says which.
///
/// Not while it counts in a shard, and will leave what it counted for.
pub fn settle() {
    if let Some(core) = super::sys::core() {
        OWN.set(core % SHARDS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn threads_keep_their_shards_and_are_spread_over_several() {
        let own = || {
            let own = of_this_thread();
            assert!(own < SHARDS && of_this_thread() == own);
            own
        };
        let threads: Vec<_> = (0..SHARDS).map(|_| std::thread::spawn(own)).collect();
        let shards: BTreeSet<usize> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(shards.len() > 1, "{shards:?}");
    }

    #[test]
    fn threads_that_settle_have_a_shard_too() {
        std::thread::spawn(|| {
            settle();
            assert!(of_this_thread() < SHARDS);
        })
        .join()
        .unwrap();
    }
}
