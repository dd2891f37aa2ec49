//! Claims: which batch links a section, and where it is.

use super::ids::BatchId;
use crate::base::ExecutorAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What came of claiming something for a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claimed {
    /// It was free: the batch links it now.
    New,
    /// The batch had claimed it before.
    Ours,
    /// Another batch links it, or has.
    Other(BatchId),
}

/// Something that is linked once: who links it, and its address once that batch is resolved.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// 0: nobody; else the batch's number plus one.
    batch: AtomicU32,
    /// Null until the batch has published.
    address: AtomicU64,
}

impl Claim {
    /// Claims it for `batch` unless it is claimed.
    pub fn claim(&self, batch: BatchId) -> Claimed {
        let ours = batch.0 + 1;
        match self.batch.compare_exchange(0, ours, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Claimed::New,
            Err(other) if other == ours => Claimed::Ours,
            Err(other) => Claimed::Other(BatchId(other - 1)),
        }
    }

    /// The batch that has claimed it.
    pub fn owner(&self) -> Option<BatchId> {
        self.batch.load(Ordering::Acquire).checked_sub(1).map(BatchId)
    }

    /// Its address; null before its batch is resolved.
    pub fn address(&self) -> ExecutorAddr {
        ExecutorAddr(self.address.load(Ordering::Acquire))
    }

    /// Publishes its address; called once, by the batch that has claimed it.
    pub fn publish(&self, address: ExecutorAddr) {
        self.address.store(address.0, Ordering::Release);
    }
}
