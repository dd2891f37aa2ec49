//! The threads that share the linker's work, and one for work that nobody waits for.
//!
//! Both are rayon's, and are made when work is first given to them, so a program that is small enough to do without never has them. They end before a
//! program runs of which everything is linked ([`end_pool`]): it has one thread then, as it has without a linker. Else they end with the process.
//!
//! - The command's own thread works in the pool, too ([`join_pool`]): it begins at once, takes back what no other thread has begun, and waits only for what one has.
//!   Another core may be asleep, or a hypervisor may have given it to somebody else: then its thread comes after 10 ms, when the work is done.
//! - It is not rayon's global pool. Making that one waits until all of its threads run, and a program that embeds the linker has its own use for it.
//! - What nobody waits for has a thread of its own, since a thread of the pool does what it has spawned itself, when it waits next.
//! - No handler of the program runs on these threads, and no signal is theirs to take: the program may wait for it.

use super::gate;
use super::sys::interrupts;
use super::sys::process::thread_id;
use rayon::{Scope, ScopeFifo, ThreadPool, ThreadPoolBuilder};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

static POOL: RwLock<Threads<Pool>> = RwLock::new(Threads::Unmade);
static BACKGROUND: RwLock<Threads<ThreadPool>> = RwLock::new(Threads::Unmade);
/// The thread that works in the pool if it makes it; 0 for none.
static JOINING: AtomicU64 = AtomicU64::new(0);
/// How many threads were made that have not ended.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// Those that have started, by their numbers in the operating system.
static STARTED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static START: Condvar = Condvar::new();

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Threads that are made when they are needed. They end when nobody has them any more.
enum Threads<T> {
    Unmade,
    Made(Arc<T>),
    /// They could not be made, or are not to be made any more.
    Never,
}

impl<T> Threads<T> {
    /// The threads of `which`; if they were not made yet, what `make` makes. A child that `fork` made has none.
    fn get(which: &RwLock<Threads<T>>, make: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        if let Some(known) = Threads::made(which) {
            return Some(known);
        }
        if gate::forked() {
            return None;
        }
        let mut threads = which.write().unwrap_or_else(PoisonError::into_inner);
        if let Threads::Unmade = *threads {
            *threads = make().map_or(Threads::Never, |made| Threads::Made(Arc::new(made)));
        }
        match &*threads {
            Threads::Made(made) => Some(made.clone()),
            Threads::Unmade | Threads::Never => None,
        }
    }

    /// The threads of `which`, if they are there.
    fn made(which: &RwLock<Threads<T>>) -> Option<Arc<T>> {
        // Another thread may have had the lock when the child was made.
        if gate::forked() {
            return None;
        }
        match &*which.read().unwrap_or_else(PoisonError::into_inner) {
            Threads::Made(made) => Some(made.clone()),
            Threads::Unmade | Threads::Never => None,
        }
    }

    /// Has the threads of `which` end when they have done what they were given.
    fn end(which: &RwLock<Threads<T>>) {
        *which.write().unwrap_or_else(PoisonError::into_inner) = Threads::Never;
    }
}

struct Pool {
    threads: ThreadPool,
    /// How many of them were made for it.
    made: usize,
}

impl Pool {
    /// Whether this thread does not do by itself all that it shares, or wait while one other does it.
    fn pays(&self) -> bool {
        self.made + usize::from(self.threads.current_thread_index().is_some()) > 1
    }
}

/// Has this thread work in the pool, if it is the one that makes it.
pub fn join_pool() {
    JOINING.store(thread_id(), Ordering::Relaxed);
}

/// Has all threads that were made here end when they have done what they were given, for good: from now on, no work is shared. Does not wait for that.
pub fn end_pool() {
    Threads::end(&POOL);
    Threads::end(&BACKGROUND);
}

/// Makes the pool, if there is none yet; with `threads` threads, the calling one included if it joins, or with as many as there are cores. Says
/// whether it pays to share work of this thread with it.
pub fn use_pool(threads: Option<usize>) -> bool {
    let make = || {
        let joins = JOINING.load(Ordering::Relaxed) == thread_id();
        let builder = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
        let threads = make(if joins { builder.use_current_thread() } else { builder })?;
        let made = threads.current_num_threads() - usize::from(joins);
        MADE.fetch_add(made, Ordering::Release);
        Some(Pool { threads, made })
    };
    Threads::get(&POOL, make).is_some_and(|pool| pool.pays())
}

/// Whether the pool is there and it pays to share work of this thread with it.
pub fn is_pool_in_use() -> bool {
    existing().is_some_and(|pool| pool.pays())
}

/// The pool, if there is one.
fn existing() -> Option<Arc<Pool>> {
    Threads::made(&POOL)
}

/// Does `work`, whose parallel parts the pool does, if [`use_pool`] has said that it pays.
pub fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match existing() {
        Some(pool) => pool.threads.install(work),
        None => work(),
    }
}

/// Does `work` on this thread, with a scope whose jobs the pool does meanwhile, if [`use_pool`] has said that it pays.
pub fn in_place_scope<'scope, R>(work: impl FnOnce(&Scope<'scope>) -> R) -> R {
    match existing() {
        Some(pool) => pool.threads.in_place_scope(work),
        None => rayon::in_place_scope(work),
    }
}

/// [`in_place_scope`], but a thread begins its jobs in the order in which it was given them.
pub fn in_place_scope_fifo<'scope, R>(work: impl FnOnce(&ScopeFifo<'scope>) -> R) -> R {
    match existing() {
        Some(pool) => pool.threads.in_place_scope_fifo(work),
        None => rayon::in_place_scope_fifo(work),
    }
}

/// Does one of the jobs that this thread has given the pool, if there is one that nobody has begun and this thread works in the pool.
pub fn do_own_job() -> bool {
    rayon::yield_local() == Some(rayon::Yield::Executed)
}

/// How many threads the pool has.
pub fn pool_size() -> usize {
    existing().map_or(1, |pool| pool.threads.current_num_threads())
}

/// Has a core that is idle do `work`, some time, if there is a pool and more than one core; says whether. Otherwise it is not done.
pub fn offer(work: impl FnOnce() + Send + 'static) -> bool {
    background().map(|background| background.spawn(work)).is_some()
}

/// The thread for work that nobody waits for, made if there is none.
fn background() -> Option<Arc<ThreadPool>> {
    if pool_size() == 1 {
        return None;
    }
    let make = || {
        let thread = make(ThreadPoolBuilder::new().num_threads(1))?;
        MADE.fetch_add(1, Ordering::Release);
        Some(thread)
    };
    Threads::get(&BACKGROUND, make)
}

fn make(builder: ThreadPoolBuilder) -> Option<ThreadPool> {
    // The threads begin with the signal mask of this one.
    let interrupts = interrupts::hold();
    let pool = builder.start_handler(|_| start()).exit_handler(|_| end()).build();
    interrupts.restore();
    pool.inspect_err(|error| log::debug!("linking with fewer threads: {error}")).ok()
}

fn started() -> MutexGuard<'static, Vec<u64>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What each thread begins with, but for one that joins.
fn start() {
    IS_WORKER.set(true);
    started().push(thread_id());
    START.notify_all();
}

/// What each of them ends with. A thread of the program may get its number next.
fn end() {
    let this = thread_id();
    started().retain(|&thread| thread != this);
    MADE.fetch_sub(1, Ordering::Release);
}

/// Whether this thread is one of those made here: it never runs the program.
#[cfg(target_os = "linux")]
pub fn is_worker() -> bool {
    IS_WORKER.get()
}

/// Makes all threads that there may be, if there is a pool, and waits until they have started. A thread allocates while it starts, before anything tells
/// it from one of the program's.
#[cfg(target_os = "linux")]
pub fn start_all() {
    background();
    wait_for_workers();
}

/// The threads made here, once all of them have started.
#[cfg(target_os = "linux")]
pub fn wait_for_workers() -> Vec<u64> {
    if gate::forked() {
        return Vec::new();
    }
    let mut started = started();
    while started.len() < MADE.load(Ordering::Acquire) {
        started = START.wait(started).unwrap_or_else(PoisonError::into_inner);
    }
    started.clone()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::{in_child, lets_through};
    use rayon::prelude::*;

    #[test]
    fn the_thread_that_joins_does_its_share() {
        let good = in_child(|| {
            join_pool();
            let own = use_pool(Some(2)).then(|| in_pool(|| (0..1000).into_par_iter().any(|_| !is_worker())));
            own == Some(true) && pool_size() == 2 && wait_for_workers().len() == 1
        });
        assert!(good);
    }

    #[test]
    fn a_thread_that_does_not_join_leaves_the_work_to_others() {
        let good = in_child(|| {
            let others = use_pool(Some(2)).then(|| in_pool(|| (0..1000).into_par_iter().all(|_| is_worker())));
            others == Some(true) && !is_worker() && wait_for_workers().len() == 2
        });
        assert!(good);
    }

    #[test]
    fn one_other_thread_is_no_help_to_a_thread_that_waits_for_it() {
        let good = in_child(|| {
            join_pool();
            let helps_here = use_pool(Some(2));
            start_all();
            helps_here && wait_for_workers().len() == 2 && !std::thread::spawn(|| use_pool(Some(2))).join().unwrap()
        });
        assert!(good);
    }

    #[test]
    fn the_threads_end_when_their_work_is_done() {
        let good = in_child(|| {
            join_pool();
            let done = Arc::new(AtomicUsize::new(0));
            let (used, again) = (use_pool(Some(3)), done.clone());
            let offered = offer(move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                again.store(1, Ordering::Relaxed);
            });
            start_all();
            end_pool();
            while MADE.load(Ordering::Acquire) != 0 {
                std::thread::yield_now();
            }
            let shares_no_more = !use_pool(Some(3)) && !offer(|| ()) && in_pool(|| !is_worker());
            used && offered && done.load(Ordering::Relaxed) == 1 && shares_no_more && wait_for_workers().is_empty()
        });
        assert!(good);
    }

    #[test]
    fn signals_are_the_programs_to_take() {
        let good = in_child(|| {
            let before = lets_through(libc::SIGUSR1);
            use_pool(Some(2));
            let (sender, receiver) = std::sync::mpsc::channel();
            let offered = offer(move || sender.send(lets_through(libc::SIGUSR1)).unwrap());
            let of_pool = in_pool(|| lets_through(libc::SIGUSR1));
            before && lets_through(libc::SIGUSR1) && !of_pool && offered && receiver.recv() == Ok(false)
        });
        assert!(good);
    }

    #[test]
    fn jobs_that_nobody_has_begun_are_done_here() {
        let good = in_child(|| {
            join_pool();
            use_pool(Some(2));
            let done = AtomicUsize::new(0);
            in_place_scope_fifo(|scope| {
                (0..100).for_each(|_| {
                    scope.spawn_fifo(|_| {
                        done.fetch_add(1, Ordering::Relaxed);
                    })
                });
                while do_own_job() {}
            });
            done.into_inner() == 100 && !do_own_job()
        });
        assert!(good);
    }
}
