//! How far linking is, for those who wait for it.

use super::plugin::Step;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts what is done of a session's current step. Counting is off unless somebody watches: it costs a look at a flag then.
#[derive(Default)]
pub struct Progress {
    at_end: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    watched: AtomicBool,
    fixing_up: AtomicBool,
    claimed: AtomicU64,
    written: AtomicU64,
    expected: AtomicU64,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.how_far().fmt(f)
    }
}

/// How far a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HowFar {
    /// What it does.
    pub step: Step,
    /// How much of that is done: sections in [`Step::Claim`], bytes in [`Step::FixUp`].
    pub done: u64,
    /// Out of how much; 0 if that is not known.
    pub expected: u64,
}

impl Progress {
    /// Counts from now on, and calls `at_end` before the program begins to run.
    pub fn watch(&self, at_end: Box<dyn FnOnce() + Send>) {
        *self.at_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(at_end);
        self.watched.store(true, Ordering::Relaxed);
    }

    /// The program is about to run, or will not.
    pub fn end(&self) {
        if self.watched.swap(false, Ordering::Relaxed) {
            let at_end = self.at_end.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(at_end) = at_end {
                at_end();
            }
        }
    }

    /// How far the session is; [`Step::Resolve`] before anything is linked.
    pub fn how_far(&self) -> HowFar {
        let [claimed, written, expected] =
            [&self.claimed, &self.written, &self.expected].map(|count| count.load(Ordering::Relaxed));
        match (self.fixing_up.load(Ordering::Relaxed), claimed) {
            (false, 0) => HowFar { step: Step::Resolve, done: 0, expected: 0 },
            (false, _) => HowFar { step: Step::Claim, done: claimed, expected: 0 },
            _ => HowFar { step: Step::FixUp, done: written, expected },
        }
    }

    /// `amount` more is to be done in `step`.
    pub(super) fn expect(&self, step: Step, amount: u64) {
        if self.watched.load(Ordering::Relaxed) && step == Step::FixUp {
            self.expected.fetch_add(amount, Ordering::Relaxed);
            self.fixing_up.store(true, Ordering::Relaxed);
        }
    }

    /// `amount` more is done in `step`.
    pub(super) fn done(&self, step: Step, amount: u64) {
        if self.watched.load(Ordering::Relaxed) {
            let count = if step == Step::FixUp { &self.written } else { &self.claimed };
            count.fetch_add(amount, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_once() {
        let progress = Progress::default();
        let (count, seen) = std::sync::mpsc::channel();
        progress.end();
        progress.watch(Box::new(move || count.send(()).unwrap()));
        progress.end();
        progress.end();
        assert_eq!(seen.iter().count(), 1);
    }

    #[test]
    fn steps_follow_each_other() {
        let progress = Progress::default();
        progress.done(Step::Claim, 5);
        assert_eq!(progress.how_far(), HowFar { step: Step::Resolve, done: 0, expected: 0 });
        progress.watch(Box::new(|| {}));
        progress.done(Step::Claim, 5);
        assert_eq!(progress.how_far(), HowFar { step: Step::Claim, done: 5, expected: 0 });
        progress.expect(Step::FixUp, 100);
        progress.done(Step::FixUp, 30);
        assert_eq!(progress.how_far(), HowFar { step: Step::FixUp, done: 30, expected: 100 });
    }
}
