//! Which branches to other batches are sure to reach their targets.
//!
//! As long as all code is in the branch window (see [`crate::rt::MemoryManager::bounds`]), branches need no stubs. But the code of another
//! batch, whose addresses are not known yet, may turn out to lie elsewhere. So a batch that does without stubs makes them for branches
//! to what other batches are linking at the time; fixing up leaves them aside where the target is in reach after all.

use super::claims::Claim;
use super::ids::BatchId;
use super::part::{Part, Slot};
use super::symbol_table::SymbolTables;
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::link::SymbolPlace;

/// Marks the symbols of `part`, which batch `own` links, that may turn out to lie outside of `code`, where the batch's own code will be.
pub(super) fn mark_unsettled(tables: &SymbolTables, part: &mut Part, own: BatchId, code: AddrRange) {
    for symbol in &mut part.graph.symbols {
        if let SymbolPlace::External { slot, far } = &mut symbol.place {
            *far |= !is_settled(tables, &part.slots[*slot as usize], own, code);
        }
    }
}

/// Whether what `slot` stands for is linked by batch `own`, or known to lie in `code`; true for data, where no branch goes.
///
/// The body of a function with an entry point is not asked about: it is used where it is in reach.
fn is_settled(tables: &SymbolTables, slot: &Slot, own: BatchId, code: AddrRange) -> bool {
    let of = |owner: Option<BatchId>, address: ExecutorAddr| {
        owner == Some(own) || !address.is_null() && code.contains(address)
    };
    let of_claim = |claim: &Claim| of(claim.owner(), claim.address());
    match slot {
        Slot::Section { unit, section, .. } => {
            let unit = &tables.units[unit.index()];
            unit.file.sections.at(*section as usize).prot != MemProt::ReadExec
                || of(unit.owner(*section), unit.section_address(*section))
        }
        Slot::EntryPoint { points, .. } => of_claim(&tables.entry_points[points.index()].stubs),
        Slot::Indirect { unit, .. } => of_claim(&tables.units[unit.index()].indirect),
        Slot::Claim(claim) => of_claim(claim),
        Slot::Block { .. } | Slot::SetBound { .. } | Slot::MemoryBound { .. } | Slot::GotBase => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Arch, Format, Target};
    use crate::link::conventions;
    use std::sync::Arc;

    const OWN: BatchId = BatchId(1);

    #[test]
    fn what_another_batch_links_is_settled_once_it_is_known_to_be_near() {
        let code = AddrRange::new(ExecutorAddr(0x1000), 0x1000);
        let target = Target::new(Arch::Aarch64, Format::Elf);
        let tables = SymbolTables::new(target, conventions(target.format));
        for (owner, address, settled) in
            [(OWN, 0, true), (BatchId(7), 0, false), (BatchId(7), 0x1800, true), (BatchId(7), 0x2000, false)]
        {
            let claim = Arc::new(Claim::default());
            claim.claim(owner);
            claim.publish(ExecutorAddr(address));
            assert_eq!(is_settled(&tables, &Slot::Claim(claim), OWN, code), settled, "{owner:?} {address:#x}");
        }
    }
}
