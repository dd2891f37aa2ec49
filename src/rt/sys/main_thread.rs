//! The end of the main thread before that of the program.
//!
//! A program may end the thread that `main` runs on (`pthread_exit`) and go on with others; the C library ends the process with the last one. It counts the linker's own
//! threads too, which never end. So when the main thread ends, one more of them looks from time to time whether others than those are left, and
//! if not, ends the process in the way of the C library, with status 0.

use std::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::process::{self, background_thread};
use crate::rt::{gate, pool};

/// How long to wait before looking again, at first and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Threads of the linker that run for long, but for [those that share work](pool).
static HELPERS: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());

/// Runs `work` of a thread of the linker, the calling one.
pub fn as_helper(work: impl FnOnce()) {
    // SAFETY: no precondition.
    let this = unsafe { libc::gettid() };
    let helpers = || HELPERS.lock().unwrap_or_else(PoisonError::into_inner);
    helpers().push(this);
    work();
    // A thread of the program may get the number next.
    helpers().retain(|helper| *helper != this);
}

/// Runs `main`, on whose thread the end of that thread is then noticed.
pub fn watched<R>(main: impl FnOnce() -> R) -> R {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    let key = *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: a place for the answer, and a destructor that stays.
        (unsafe { libc::pthread_key_create(&mut key, Some(thread_ends)) } == 0).then_some(key)
    });
    let mark = |value: usize| {
        if let Some(key) = key {
            // SAFETY: the key made above; nobody looks at what its value points to. Without memory for it the end goes unnoticed.
            unsafe { libc::pthread_setspecific(key, value as *const c_void) };
        }
    };
    mark(1);
    let result = main();
    mark(0);
    result
}

/// The destructor of the key.
unsafe extern "C" fn thread_ends(_value: *mut c_void) {
    // SAFETY: no precondition.
    let is_first = unsafe { libc::gettid() == libc::getpid() };
    let has_helpers = || !HELPERS.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    // A child that was forked has none of the linker's threads, and without those the C library does it all.
    if !is_first || gate::forked() {
        return;
    }
    let workers: Vec<libc::pid_t> = pool::wait_for_workers().into_iter().map(|worker| worker as libc::pid_t).collect();
    if workers.is_empty() && !has_helpers() {
        return;
    }
    let started = background_thread("end of main", move || {
        let mut wait = WAIT.0;
        while is_running(&workers) {
            std::thread::sleep(wait);
            wait = (wait * 2).min(WAIT.1);
        }
        process::exit(0);
    });
    if let Err(error) = started {
        log::warn!("the end of the program will not be noticed: {error}");
    }
}

/// Whether any thread is left that is neither one of `workers` nor another one of the linker. The first thread stays in the list until all have ended.
fn is_running(workers: &[libc::pid_t]) -> bool {
    let first = std::process::id() as libc::pid_t;
    let tasks = tasks();
    // Read later, since a thread is in the list before it is known as a helper.
    let helpers = HELPERS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_helper = |task: &libc::pid_t| workers.contains(task) || helpers.contains(task);
    tasks.iter().any(|task| !is_helper(task) && (*task != first || !has_ended(first)))
}

/// The threads of this process.
fn tasks() -> Vec<libc::pid_t> {
    let entries = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Whether thread `task` has ended, and is only kept for its number (state Z).
fn has_ended(task: libc::pid_t) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{task}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_thread_runs() {
        // SAFETY: no precondition.
        let this = unsafe { libc::gettid() };
        assert!(tasks().contains(&this) && !has_ended(this));
        assert!(is_running(&[]));
    }
}
