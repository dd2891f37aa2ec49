//! Memory that a small batch is done with, for the next one.
//!
//! A first call of a small function needs some thirty pieces of memory, and the next one needs them again: taking and giving them back was a third of
//! its instructions. So what the batch was made of is emptied and kept, for each core that links.

use super::ids::UnitId;
use super::number_map::NumberMap;
use super::part::{Findings, Part};
use crate::rt::shard;
use crossbeam_utils::CachePadded;
use std::sync::Mutex;

/// Most parts that a batch may have whose memory is kept.
const FEW: usize = 8;
/// Most sections, or edges of one, that it may have claimed.
const FEW_SECTIONS: usize = 256;
/// For how many cores memory is kept.
const CORES: usize = 16;

/// What a batch is made of; all of it empty, unless it says otherwise.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Parts that were those of a batch, as they were.
    pub spare: Vec<Part>,
    pub parts: Vec<Part>,
    pub found: Findings,
    /// Sections that were claimed, while new ones are.
    pub claimed: Vec<(UnitId, u32)>,
    /// For each unit its part, by number; of another batch, until it is reset.
    pub part_of_unit: NumberMap,
}

/// What batches are made of while there are none.
#[derive(Debug, Default)]
pub(super) struct ScratchPool([CachePadded<Mutex<Option<Box<Scratch>>>>; CORES]);

impl ScratchPool {
    /// Something for a batch.
    pub fn take(&self) -> Box<Scratch> {
        let kept = self.0[shard::of_this_thread() % CORES].try_lock().ok().and_then(|mut kept| kept.take());
        kept.unwrap_or_default()
    }

    /// Keeps what a batch was made of, if it was small and there is nothing yet. `parts` and `found` may be as the batch has left them.
    pub fn give(&self, mut scratch: Box<Scratch>) {
        let Scratch { spare, parts, found, claimed, .. } = &mut *scratch;
        if parts.len() + spare.len() > FEW || found.edges.capacity().max(claimed.capacity()) > FEW_SECTIONS {
            return;
        }
        parts.retain(Part::is_worth_keeping);
        spare.append(parts);
        found.clear();
        if let Ok(mut kept) = self.0[shard::of_this_thread() % CORES].try_lock() {
            kept.get_or_insert(scratch);
        }
    }
}
