//! The fork gate: no thread is inside the linker while another one forks.
//!
//! The child of `fork` has one thread. A lock that another thread held stays locked in it for ever, a half-made change
//! half made. So threads are *inside* the gate while they link, and `fork` waits until all others are outside.
//!
//! - Whoever links is inside ([`enter`]); a thread that works for one that is inside and waits for it need not be.
//! - Program code runs outside ([`outside`]): it may fork, and may take any time.
//! - A thread that is inside must not wait for another that may be outside, or `fork` in the other would wait for ever:
//!   it waits for a [`Latch`], which leaves the gate meanwhile and touches no lock out there.
//! - Locks of the session are only ever held inside.
//!
//! The gate costs an atomic addition each way until somebody forks, in a counter that few threads share. `fork` made with no handlers run (a bare
//! system call) is not covered.

use super::shard::{self, SHARDS};
use crossbeam_utils::CachePadded;
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

/// Threads inside, by their shards; for a moment also one that finds the gate closed and steps back.
static INSIDE_COUNTS: [CachePadded<AtomicUsize>; SHARDS] = [const { CachePadded::new(AtomicUsize::new(0)) }; SHARDS];
/// Threads about to fork: while there are any, nobody enters. Changed with the gate locked.
static CLOSING: AtomicUsize = AtomicUsize::new(0);
/// For waiting: entering and leaving an open gate takes no lock.
static GATE: Mutex<()> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();
static FORKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The gate itself is held while its thread forks, so that the child does not find it locked by a thread it lacks. A thread that
    /// is ending may fork in the destructor of a `pthread_key_t`, when Rust's thread-locals with destructors are gone: this has none.
    static HELD: Cell<Option<ManuallyDrop<MutexGuard<'static, ()>>>> = const { Cell::new(None) };
}

fn gate() -> MutexGuard<'static, ()> {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The counter that this thread counts itself in.
fn own_count() -> &'static AtomicUsize {
    &INSIDE_COUNTS[shard::of_this_thread()]
}

/// How many threads are inside.
fn inside_count() -> usize {
    INSIDE_COUNTS.iter().map(|count| count.load(Ordering::SeqCst)).sum()
}

// A thread that enters counts itself before it looks whether the gate is closed; one that closes it does so before it looks at the counts.
// In the one order that all of these have, at least one of the two sees the other.

fn pass() {
    loop {
        own_count().fetch_add(1, Ordering::SeqCst);
        if CLOSING.load(Ordering::SeqCst) == 0 {
            break;
        }
        own_count().fetch_sub(1, Ordering::SeqCst);
        let mut gate = gate();
        CHANGED.notify_all();
        while CLOSING.load(Ordering::SeqCst) > 0 {
            gate = CHANGED.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }
    INSIDE.set(true);
}

fn leave() {
    own_count().fetch_sub(1, Ordering::SeqCst);
    INSIDE.set(false);
    if CLOSING.load(Ordering::SeqCst) > 0 {
        let _gate = gate();
        CHANGED.notify_all();
    }
}

/// Being inside the gate, until dropped.
#[derive(Debug)]
pub struct Inside {
    outermost: bool,
    /// Belongs to the thread that entered.
    thread: PhantomData<*const ()>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.outermost {
            leave();
        }
    }
}

/// Enters the gate, waiting while somebody forks. A thread that is inside may enter again.
pub fn enter() -> Inside {
    let outermost = !INSIDE.get();
    if outermost {
        pass();
    }
    Inside { outermost, thread: PhantomData }
}

/// Whether this thread is inside: it links, and does not run the program.
pub fn is_inside() -> bool {
    INSIDE.get()
}

/// Runs `work` outside the gate, whether or not the thread is inside, and comes back.
pub fn outside<R>(work: impl FnOnce() -> R) -> R {
    if !INSIDE.get() {
        return work();
    }
    leave();
    let result = work();
    pass();
    result
}

/// Whether this process is a child that `fork` made of one that links: it has one thread of its parent's, so the thread
/// pools of its parent are not to be used.
pub fn forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Something that happens once, and can be waited for inside the gate.
#[derive(Debug, Default)]
pub struct Latch {
    open: AtomicBool,
    waiting: Mutex<Vec<Thread>>,
}

impl Latch {
    /// A latch that is not open.
    pub fn new() -> Latch {
        Latch::default()
    }

    /// Whether it is open. What was written before [`Latch::open`] is seen after this says so.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens it, for good, and wakes all who wait.
    pub fn open(&self) {
        let _inside = enter();
        self.open.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in waiting {
            thread.unpark();
        }
    }

    /// Waits until it is open, outside the gate.
    pub fn wait(&self) {
        if self.is_open() {
            return;
        }
        {
            // The list is locked inside the gate only, so no child can find it locked.
            let _inside = enter();
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if self.is_open() {
                return;
            }
            waiting.push(std::thread::current());
        }
        outside(|| {
            while !self.is_open() {
                // Not for ever: a thread that is ending may have lost its handle, and is not woken.
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
    }
}

/// Before `fork`: waits until no other thread is inside, and keeps it so.
pub(super) fn before_fork() {
    let mine = usize::from(INSIDE.get());
    let mut gate = gate();
    CLOSING.fetch_add(1, Ordering::SeqCst);
    while inside_count() > mine {
        gate = CHANGED.wait(gate).unwrap_or_else(PoisonError::into_inner);
    }
    HELD.set(Some(ManuallyDrop::new(gate)));
}

/// The gate as [`before_fork`] left it.
fn held() -> Option<MutexGuard<'static, ()>> {
    HELD.take().map(ManuallyDrop::into_inner)
}

/// After `fork`, in the parent.
pub(super) fn after_fork_in_parent() {
    if let Some(_gate) = held() {
        CLOSING.fetch_sub(1, Ordering::SeqCst);
        CHANGED.notify_all();
    }
}

/// After `fork`, in the child: its only thread is this one.
pub(super) fn after_fork_in_child() {
    FORKED.store(true, Ordering::Relaxed);
    if let Some(_gate) = held() {
        for count in &INSIDE_COUNTS {
            count.store(0, Ordering::SeqCst);
        }
        own_count().store(usize::from(INSIDE.get()), Ordering::SeqCst);
        CLOSING.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Tests that close the gate must not meet: each would see the other's threads inside.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn forking_waits_for_those_inside() {
        let _alone = alone();
        let left = AtomicBool::new(false);
        let entered = Latch::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _inside = enter();
                entered.open();
                std::thread::sleep(Duration::from_millis(30));
                left.store(true, Ordering::SeqCst);
            });
            entered.wait();
            before_fork();
            let had_left = left.load(Ordering::SeqCst);
            after_fork_in_parent();
            assert!(had_left);
        });
    }

    #[test]
    fn nobody_enters_while_somebody_forks() {
        let _alone = alone();
        let entered = Arc::new(AtomicUsize::new(0));
        before_fork();
        let thread = std::thread::spawn({
            let entered = entered.clone();
            move || {
                let _inside = enter();
                entered.fetch_add(1, Ordering::SeqCst);
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        let early = entered.load(Ordering::SeqCst);
        after_fork_in_parent();
        thread.join().unwrap();
        assert_eq!(early, 0);
        assert_eq!(entered.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_gate_is_held_while_an_ending_thread_forks() {
        struct Ending;
        impl Drop for Ending {
            fn drop(&mut self) {
                before_fork();
                HELD_AT_END.store(GATE.try_lock().is_err(), Ordering::SeqCst);
                after_fork_in_parent();
            }
        }
        thread_local! {
            static ENDING: Ending = const { Ending };
        }
        static HELD_AT_END: AtomicBool = AtomicBool::new(false);
        let _alone = alone();
        let thread = std::thread::spawn(|| {
            // What has its destructor registered first is destroyed last.
            ENDING.with(|_| ());
            before_fork();
            after_fork_in_parent();
        });
        thread.join().unwrap();
        assert!(HELD_AT_END.load(Ordering::SeqCst));
    }

    #[test]
    fn a_thread_inside_may_fork_from_program_code() {
        let _alone = alone();
        let _inside = enter();
        outside(|| {
            before_fork();
            after_fork_in_parent();
        });
        assert!(INSIDE.get());
    }

    #[test]
    fn forking_does_not_wait_for_those_who_wait() {
        let _alone = alone();
        let latch = Latch::new();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let _inside = enter();
                latch.wait();
                assert!(INSIDE.get());
            });
            std::thread::sleep(Duration::from_millis(10));
            before_fork();
            after_fork_in_parent();
            latch.open();
            waiter.join().unwrap();
        });
    }

    #[test]
    fn entering_twice_leaves_once() {
        let _alone = alone();
        let outer = enter();
        drop(enter());
        assert!(INSIDE.get());
        drop(outer);
        assert!(!INSIDE.get());
    }
}
