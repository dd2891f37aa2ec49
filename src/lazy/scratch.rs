//! Memory that a small batch is done with, for the next one.
//!
//! A first call of a small function needs some thirty pieces of memory, and the next one needs them again: taking and giving them back was a third of
//! its instructions. So what the batch was made of is emptied and kept, for each core that links.

use super::ids::UnitId;
use super::number_map::NumberMap;
use super::part::{Findings, Part};
use crate::link::object_file::ObjectEdge;
use crate::rt::shard;
use crossbeam_utils::CachePadded;
use std::sync::Mutex;

/// Most parts of which the memory is kept.
const FEW: usize = 8;
/// Most sections for the list of which it is.
const FEW_SECTIONS: usize = 256;
/// Most edges of a section for which it is.
const FEW_EDGES: usize = 1024;
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
    /// The edges of the section that is looked at; of another one, until it is cleared.
    pub edges: Vec<ObjectEdge>,
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

    /// Keeps what a batch was made of, but for what is large, if there is nothing yet. `parts` and `found` may be as the batch has left them.
    pub fn give(&self, mut scratch: Box<Scratch>) {
        let Scratch { spare, parts, found, claimed, edges, .. } = &mut *scratch;
        parts.retain(Part::is_worth_keeping);
        parts.truncate(FEW.saturating_sub(spare.len()));
        spare.append(parts);
        found.clear();
        if parts.capacity() > FEW_SECTIONS {
            *parts = Vec::new();
        }
        if edges.capacity() > FEW_EDGES {
            *edges = Vec::new();
        }
        if claimed.capacity() > FEW_SECTIONS {
            *claimed = Vec::new();
        }
        if let Ok(mut kept) = self.0[shard::of_this_thread() % CORES].try_lock() {
            kept.get_or_insert(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ExecutorAddr, MemProt};
    use crate::lazy::ids::DylibId;
    use crate::lazy::part::{Publish, Role, Slot};
    use crate::lazy::unit::{Laziness, MaterializationUnit};
    use crate::link::read_object;
    use std::sync::Arc;

    /// A unit of a file without sections.
    fn unit(number: u32) -> Arc<MaterializationUnit> {
        let mut header = vec![0u8; 64];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[16..21].copy_from_slice(&[1, 0, 62, 0, 1]);
        (header[52], header[58]) = (64, 64);
        let file = read_object(&format!("{number}.o"), header.leak()).unwrap().unwrap();
        Arc::new(MaterializationUnit::new(UnitId::at(number as usize), DylibId(0), file, Laziness::Function))
    }

    /// An empty part for sections of `unit`, of what `pool` has.
    fn part(pool: &ScratchPool, unit: &Arc<MaterializationUnit>) -> (Box<Scratch>, Part) {
        let mut scratch = pool.take();
        let mut part = scratch.spare.pop().unwrap_or_else(|| Part::synthesized(String::new(), unit.file.target));
        part.begin(unit);
        (scratch, part)
    }

    /// Puts something into all that there is in `part`.
    fn fill(part: &mut Part) {
        let section = part.graph.add_section(b"s", MemProt::ReadExec);
        let block = part.graph.add_owned_block(section, b"bytes", 1);
        part.published.push((block, Publish::Section(0)));
        let symbol = part.external(b"x", 0, Slot::GotBase);
        part.process.push((symbol, true));
        part.absolutes.push(symbol);
        part.unkept.demand.code = 1;
        part.got = ExecutorAddr(1);
        part.addresses.push(ExecutorAddr(2));
        let Role::Unit(unit_part) = &mut part.role else { unreachable!() };
        for map in [&mut unit_part.symbols, &mut unit_part.branches, &mut unit_part.local_calls, &mut unit_part.blocks]
        {
            map[3] = 7;
        }
        unit_part.unwind.bytes.push(1);
        unit_part.unwind_targets.push(symbol);
        unit_part.filled = 1;
        unit_part.module = Some(symbol);
    }

    #[test]
    fn the_next_part_knows_nothing_of_the_one_before() {
        let (pool, units) = (ScratchPool::default(), [unit(0), unit(1)]);
        let (mut scratch, mut used) = part(&pool, &units[0]);
        fill(&mut used);
        scratch.parts.push(used);
        scratch.found.indirect.push(units[0].clone());
        pool.give(scratch);
        let (scratch, again) = part(&pool, &units[1]);
        assert!(again.graph.symbols.capacity() > 0, "nothing was kept");
        assert!(scratch.parts.is_empty() && scratch.found.indirect.is_empty());
        let fresh = part(&ScratchPool::default(), &units[1]).1;
        assert_eq!(format!("{again:?}"), format!("{fresh:?}"));
    }

    #[test]
    fn of_a_large_batch_only_a_few_parts_are_kept() {
        let pool = ScratchPool::default();
        let mut scratch = pool.take();
        scratch.parts.extend((0..2 * FEW).map(|_| part(&pool, &unit(0)).1));
        scratch.edges.reserve(FEW_EDGES + 1);
        pool.give(scratch);
        let kept = pool.take();
        assert_eq!((kept.spare.len(), kept.parts.len(), kept.edges.capacity()), (FEW, 0, 0));
    }
}
