//! The states of a session's batches, and waiting for them.
//!
//! A batch waits for another's addresses only after it has published its own, and for another's emission only after its
//! own: so two threads that need each other's batches never wait in a circle.

use super::error::SessionError;
use super::ids::BatchId;
use crossbeam_utils::CachePadded;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How far a batch is. States only ever advance, in this order, or end in `Failed`.
#[derive(Clone, Debug)]
pub(super) enum BatchState {
    /// Units are being claimed; nobody may rely on any address.
    Claiming,
    /// Every address is published; memory is not written yet.
    Resolved,
    /// Memory is final and unwind records are registered. The code may still refer to batches that are not emitted.
    Emitted,
    /// Everything it refers to, however far away, is emitted too: its code may run. What it claimed is linked.
    Ready,
    /// What it claimed will never be linked. Everybody who needs it gets this error.
    Failed(SessionError),
}

#[derive(Debug)]
struct BatchRecord {
    state: BatchState,
    /// Batches that its edges refer to.
    needs: Vec<BatchId>,
}

/// All batches of a session.
#[derive(Debug, Default)]
pub(super) struct BatchTable {
    records: CachePadded<Mutex<Records>>,
    advanced: Condvar,
}

#[derive(Debug, Default)]
struct Records {
    /// How many batches there have been.
    count: u32,
    /// Those that are not ready. First calls make thousands of batches, and nearly all are ready nearly always.
    unready: FxHashMap<BatchId, BatchRecord>,
    /// How many threads wait: waking nobody costs a system call too.
    waiting: usize,
}

impl Records {
    fn state(&self, batch: BatchId) -> &BatchState {
        self.unready.get(&batch).map_or(&BatchState::Ready, |record| &record.state)
    }
}

impl BatchTable {
    /// A new batch, claiming.
    pub fn begin(&self) -> BatchId {
        let mut records = self.lock();
        let id = BatchId(records.count);
        records.count += 1;
        records.unready.insert(id, BatchRecord { state: BatchState::Claiming, needs: Vec::new() });
        id
    }

    /// How many batches there have been.
    pub fn count(&self) -> usize {
        self.lock().count as usize
    }

    /// The addresses of `batch` are published; its edges refer to `needs`.
    pub fn resolved(&self, batch: BatchId, needs: Vec<BatchId>) {
        self.enter(batch, BatchState::Resolved, |record| record.needs = needs);
    }

    /// Moves `batch` on.
    pub fn advance(&self, batch: BatchId, state: BatchState) {
        self.enter(batch, state, |_| ());
    }

    fn enter(&self, batch: BatchId, state: BatchState, change: impl FnOnce(&mut BatchRecord)) {
        let mut records = self.lock();
        if matches!(state, BatchState::Ready) {
            records.unready.remove(&batch);
        } else if let Some(record) = records.unready.get_mut(&batch) {
            record.state = state;
            change(record);
        }
        if records.waiting > 0 {
            self.advanced.notify_all();
        }
    }

    /// Whether code of `batch` may run.
    pub fn is_ready(&self, batch: BatchId) -> bool {
        matches!(self.lock().state(batch), BatchState::Ready)
    }

    /// Whether `batch` is being linked: it has neither become ready nor failed.
    pub fn is_under_way(&self, batch: BatchId) -> bool {
        !matches!(self.lock().state(batch), BatchState::Ready | BatchState::Failed(_))
    }

    /// Whether a thread waits for a batch, or has not noticed yet that it need not any more.
    pub fn is_waited_for(&self) -> bool {
        self.lock().waiting > 0
    }

    /// Waits until the addresses of `batches` are published.
    ///
    /// Errors: that of the first of them that failed.
    pub fn wait_resolved(&self, batches: &[BatchId]) -> Result<(), SessionError> {
        // Most functions need what is linked long since: the lock is everybody's.
        if batches.is_empty() {
            return Ok(());
        }
        let mut records = self.lock();
        for batch in batches {
            records = self.wait(records, *batch, |state| !matches!(state, BatchState::Claiming))?;
        }
        Ok(())
    }

    /// Waits until `batches` and everything they refer to, however far away, is emitted.
    ///
    /// Errors: that of the first of them that failed.
    pub fn wait_emitted(&self, batches: &[BatchId]) -> Result<(), SessionError> {
        if batches.is_empty() {
            return Ok(());
        }
        let mut records = self.lock();
        let mut seen: FxHashSet<BatchId> = batches.iter().copied().collect();
        let mut queue: Vec<BatchId> = batches.to_vec();
        while let Some(batch) = queue.pop() {
            let emitted = |state: &BatchState| matches!(state, BatchState::Emitted | BatchState::Ready);
            records = self.wait(records, batch, emitted)?;
            let needs = records.unready.get(&batch).map_or(&[][..], |record| &record.needs);
            queue.extend(needs.iter().copied().filter(|&b| seen.insert(b)));
        }
        Ok(())
    }

    fn wait<'a>(
        &self,
        mut records: MutexGuard<'a, Records>,
        batch: BatchId,
        reached: impl Fn(&BatchState) -> bool,
    ) -> Result<MutexGuard<'a, Records>, SessionError> {
        loop {
            match records.state(batch) {
                BatchState::Failed(error) => return Err(error.clone()),
                state if reached(state) => return Ok(records),
                _ => {
                    records.waiting += 1;
                    records = self.advanced.wait(records).unwrap_or_else(PoisonError::into_inner);
                    records.waiting -= 1;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::SessionErrorKind;
    use super::*;
    use std::time::Duration;

    #[test]
    fn two_batches_that_need_each_other_both_become_ready() {
        let table = BatchTable::default();
        let (a, b) = (table.begin(), table.begin());
        std::thread::scope(|scope| {
            for (mine, other) in [(a, b), (b, a)] {
                let table = &table;
                scope.spawn(move || {
                    table.resolved(mine, vec![other]);
                    table.wait_resolved(&[other]).unwrap();
                    table.advance(mine, BatchState::Emitted);
                    table.wait_emitted(&[mine]).unwrap();
                    table.advance(mine, BatchState::Ready);
                });
            }
        });
        assert!(table.is_ready(a) && table.is_ready(b));
    }

    #[test]
    fn emission_is_waited_for_through_chains() {
        let table = BatchTable::default();
        let (a, b, c) = (table.begin(), table.begin(), table.begin());
        table.resolved(a, vec![b]);
        table.resolved(b, vec![c]);
        table.advance(a, BatchState::Emitted);
        table.advance(b, BatchState::Emitted);
        table.resolved(c, vec![]);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| table.wait_emitted(&[a]));
            std::thread::sleep(Duration::from_millis(20));
            assert!(!waiter.is_finished());
            table.advance(c, BatchState::Emitted);
            assert!(waiter.join().unwrap().is_ok());
        });
    }

    #[test]
    fn a_failure_reaches_those_who_wait() {
        let table = BatchTable::default();
        let a = table.begin();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| table.wait_emitted(&[a]));
            table.advance(a, BatchState::Failed(SessionErrorKind::UnknownReentryAddress(7).into()));
            assert!(waiter.join().unwrap().is_err());
        });
    }
}
