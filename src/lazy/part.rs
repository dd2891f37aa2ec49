//! A part of a batch: one LinkGraph and what its external symbols stand for.

use super::claims::Claim;
use super::entry_points::EntryPoints;
use super::ids::{BatchId, DylibId, EntryPointsId, UnitId};
use super::symbol_table::SetBounds;
use super::unit::MaterializationUnit;
use super::unkept_edges::UnkeptEdges;
use crate::base::{ExecutorAddr, Target};
use crate::link::layout::{PlacedBlock, SegmentLayout};
use crate::link::unwind::UnwindBuilder;
use crate::link::{BlockId, LinkGraph, Linkage, OptionalSymbol, Scope, Symbol, SymbolId, SymbolPlace};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Blocks of all graphs of a batch with this number are its unwind records; see [`crate::link::Block::contiguous`].
pub(super) const UNWIND_RECORDS: u32 = 0;

/// One graph of a batch.
#[derive(Debug)]
pub(super) struct Part {
    pub graph: LinkGraph,
    pub role: Role,
    /// What external symbols stand for, by slot.
    pub slots: Vec<Slot>,
    /// Blocks whose addresses are published when the batch is resolved.
    pub published: Vec<(BlockId, Publish)>,
    /// Symbols of the process, as absolute symbols of the graph, and whether only branches refer to them.
    pub process: Vec<(SymbolId, bool)>,
    /// In a session of complete graphs: the absolute symbols that the file itself defines.
    pub absolutes: Vec<SymbolId>,
    /// Edges that are not in the graph.
    pub unkept: UnkeptEdges,
    /// `_GLOBAL_OFFSET_TABLE_` as the graph sees it: the start of its GOT entries, so that short offsets reach them. A graph without any only
    /// needs some base in reach. Null until memory is allocated.
    pub got: ExecutorAddr,
    /// The addresses of the graph's symbols, once they are known.
    pub addresses: Vec<ExecutorAddr>,
}

/// What a part's graph was made of.
#[derive(Debug)]
pub(super) enum Role {
    /// Sections of a file.
    Unit(Box<UnitPart>),
    /// Made by the linker: stubs, trampolines, what the caller asked for.
    Synthesized,
}

/// The state of linking sections of a file into a graph.
#[derive(Debug)]
pub(super) struct UnitPart {
    pub unit: Arc<MaterializationUnit>,
    /// For each symbol of the file the graph's symbol for its address.
    pub symbols: NumberMap,
    /// The same for branches: to a function that has an entry point, they may go to the body instead. Where that makes no difference, the
    /// two are the same.
    pub branches: NumberMap,
    /// For each entry point of a local function the graph's symbol for calls of it.
    pub local_calls: NumberMap,
    /// For each section its block.
    pub blocks: NumberMap,
    pub unwind: UnwindBuilder,
    /// What the relocations of the unwind records refer to.
    pub unwind_targets: Vec<SymbolId>,
    /// How many of the part's published blocks have been looked at for edges, if the file is linked as a whole.
    pub filled: usize,
    /// The symbol for the start of what the file's module-relative offsets of thread-local variables count from.
    pub module: Option<SymbolId>,
}

impl UnitPart {
    /// In the maps: nothing yet.
    pub const NONE: u32 = u32::MAX;
}

/// A number for each symbol or section of a file, [`UnitPart::NONE`] at first: a vector where most of the file is linked at
/// once; where a first call links a few sections, a list, which becomes a vector when it gets long, or a hash map if that
/// would be a long one.
#[derive(Debug)]
pub(super) enum NumberMap {
    Dense(Vec<u32>),
    Few { numbers: Vec<(u32, u32)>, size: usize },
    Many(FxHashMap<u32, u32>),
}

/// Up to so many numbers, a list is searched faster than anything else is made.
const FEW: usize = 16;

/// A vector of up to so many numbers is made faster than a hash map is filled.
const SMALL: usize = 512;

impl NumberMap {
    fn new(sparse: bool, size: usize) -> NumberMap {
        if sparse { NumberMap::Few { numbers: Vec::new(), size } } else { NumberMap::Dense(vec![UnitPart::NONE; size]) }
    }
}

impl Index<usize> for NumberMap {
    type Output = u32;

    fn index(&self, index: usize) -> &u32 {
        let key = index as u32;
        match self {
            NumberMap::Dense(numbers) => &numbers[index],
            NumberMap::Few { numbers, .. } => {
                numbers.iter().find(|number| number.0 == key).map_or(&UnitPart::NONE, |number| &number.1)
            }
            NumberMap::Many(numbers) => numbers.get(&key).unwrap_or(&UnitPart::NONE),
        }
    }
}

impl IndexMut<usize> for NumberMap {
    fn index_mut(&mut self, index: usize) -> &mut u32 {
        if let NumberMap::Few { numbers, size } = self
            && numbers.len() == FEW
        {
            let few = numbers.drain(..);
            *self = if *size <= SMALL {
                let mut dense = vec![UnitPart::NONE; *size];
                few.for_each(|(key, number)| dense[key as usize] = number);
                NumberMap::Dense(dense)
            } else {
                let mut many = FxHashMap::with_capacity_and_hasher(4 * FEW, FxBuildHasher);
                many.extend(few);
                NumberMap::Many(many)
            };
        }
        let key = index as u32;
        match self {
            NumberMap::Dense(numbers) => &mut numbers[index],
            NumberMap::Few { numbers, .. } => {
                let place = numbers.iter().position(|number| number.0 == key).unwrap_or(numbers.len());
                if place == numbers.len() {
                    if place == 0 {
                        numbers.reserve_exact(FEW);
                    }
                    numbers.push((key, UnitPart::NONE));
                }
                &mut numbers[place].1
            }
            NumberMap::Many(numbers) => numbers.entry(key).or_insert(UnitPart::NONE),
        }
    }
}

/// What an external symbol stands for.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// `offset` bytes into a section of a file.
    Section { unit: UnitId, section: u32, offset: u64 },
    /// Entry point `number`. A branch goes straight to the body if that can be called already.
    EntryPoint { points: EntryPointsId, number: u32, branch: bool },
    /// The stub of indirect function `number` of a file.
    Indirect { unit: UnitId, number: u32 },
    /// `offset` bytes into a block of another part.
    Block { part: usize, block: BlockId, offset: u64 },
    /// The start or end of a section set.
    SetBound { bounds: Arc<SetBounds>, end: bool },
    /// Something that is linked once: a JITDylib's `__dso_handle`, the place of a symbol of the process.
    Claim(Arc<Claim>),
    /// `_GLOBAL_OFFSET_TABLE_`.
    GotBase,
    /// Where linked memory begins or ends. Where that is depends on what is linked first.
    MemoryBound { end: bool },
}

/// Where the address of a block is to be published.
#[derive(Clone, Debug)]
pub(super) enum Publish {
    /// A section of the part's unit.
    Section(u32),
    /// The stubs of entry points.
    Stubs(Arc<EntryPoints>),
    /// Their pointers.
    StubPointers(Arc<EntryPoints>),
    /// Their trampolines.
    Trampolines(Arc<EntryPoints>),
    /// The stubs of a unit's indirect functions.
    IndirectStubs(Arc<MaterializationUnit>),
    /// Their pointers.
    IndirectPointers(Arc<MaterializationUnit>),
    /// Something that is linked once.
    Claim(Arc<Claim>),
}

/// What a round of the closure found beyond the part it worked on.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Sections claimed for the batch, to be linked next.
    pub claimed: Vec<(UnitId, u32)>,
    /// Entry points that were claimed.
    pub entry_points: Vec<Arc<EntryPoints>>,
    /// Units whose indirect functions were claimed.
    pub indirect: Vec<Arc<MaterializationUnit>>,
    /// Units whose indirect functions are referred to.
    pub indirect_used: Vec<Arc<MaterializationUnit>>,
    /// JITDylibs whose handle was claimed.
    pub dso_handles: Vec<DylibId>,
    /// Batches that link what is referred to.
    pub needs: Vec<BatchId>,
    /// Names that nothing defines, and who refers to them.
    pub missing: Vec<(&'static [u8], Option<String>)>,
}

impl Findings {
    /// Notes that the batch refers to what `batch` links.
    pub fn need(&mut self, batch: BatchId) {
        if !self.needs.contains(&batch) {
            self.needs.push(batch);
        }
    }

    /// Takes over what `other` found.
    pub fn append(&mut self, other: Findings) {
        self.claimed.extend(other.claimed);
        self.entry_points.extend(other.entry_points);
        self.indirect.extend(other.indirect);
        self.indirect_used.extend(other.indirect_used);
        self.dso_handles.extend(other.dso_handles);
        for batch in other.needs {
            self.need(batch);
        }
        self.missing.extend(other.missing);
    }

    /// Whether anything is left to be linked.
    pub fn is_done(&self) -> bool {
        self.claimed.is_empty()
            && self.entry_points.is_empty()
            && self.indirect.is_empty()
            && self.dso_handles.is_empty()
    }
}

impl Part {
    /// An empty part for sections of `unit`.
    pub fn for_unit(unit: Arc<MaterializationUnit>) -> Part {
        let file = &unit.file;
        let sparse = unit.by_section();
        let role = UnitPart {
            symbols: NumberMap::new(sparse, file.symbols.len()),
            branches: NumberMap::new(sparse, file.symbols.len()),
            local_calls: NumberMap::new(true, file.symbols.len()),
            blocks: NumberMap::new(sparse, file.sections.len()),
            unwind: UnwindBuilder::default(),
            unwind_targets: Vec::new(),
            filled: 0,
            module: None,
            unit: unit.clone(),
        };
        Part {
            graph: LinkGraph::new(file.name.clone(), file.target),
            role: Role::Unit(Box::new(role)),
            slots: Vec::new(),
            published: Vec::new(),
            process: Vec::new(),
            absolutes: Vec::new(),
            unkept: UnkeptEdges::default(),
            got: ExecutorAddr::NULL,
            addresses: Vec::new(),
        }
    }

    /// An empty part called `name`.
    pub fn synthesized(name: String, target: Target) -> Part {
        Part {
            graph: LinkGraph::new(name, target),
            role: Role::Synthesized,
            slots: Vec::new(),
            published: Vec::new(),
            process: Vec::new(),
            absolutes: Vec::new(),
            unkept: UnkeptEdges::default(),
            got: ExecutorAddr::NULL,
            addresses: Vec::new(),
        }
    }

    /// The unit its sections are from.
    pub fn unit(&self) -> Option<&Arc<MaterializationUnit>> {
        match &self.role {
            Role::Unit(part) => Some(&part.unit),
            Role::Synthesized => None,
        }
    }

    /// Adds an external symbol of the graph that stands for `slot`.
    pub fn external(&mut self, name: &'static [u8], size: u64, slot: Slot) -> SymbolId {
        let place = self.slot(slot);
        self.symbol(name, size, place)
    }

    /// Adds an external symbol for the place `offset` bytes into `section` of `unit`.
    pub fn external_section(
        &mut self,
        name: &'static [u8],
        size: u64,
        unit: &MaterializationUnit,
        (section, offset): (u32, u64),
    ) -> SymbolId {
        let mut place = self.slot(Slot::Section { unit: unit.id, section, offset });
        if let SymbolPlace::External { far, .. } = &mut place {
            *far = unit.is_far(section);
        }
        self.symbol(name, size, place)
    }

    /// Adds a symbol at an address that linking does not choose.
    pub fn absolute(&mut self, name: &'static [u8], address: ExecutorAddr) -> SymbolId {
        self.symbol(name, 0, SymbolPlace::Absolute(address))
    }

    /// Makes `symbol`, an absolute one, stand for `slot`.
    pub fn make_external(&mut self, symbol: SymbolId, size: u64, slot: Slot) {
        let place = self.slot(slot);
        let symbol = &mut self.graph.symbols[symbol.index()];
        symbol.place = place;
        symbol.size = size;
    }

    fn slot(&mut self, slot: Slot) -> SymbolPlace {
        self.slots.push(slot);
        SymbolPlace::External { slot: self.slots.len() as u32 - 1, far: false }
    }

    /// Adds a symbol of the graph.
    pub fn symbol(&mut self, name: &'static [u8], size: u64, place: SymbolPlace) -> SymbolId {
        self.graph.add_symbol(Symbol {
            name,
            place,
            size,
            linkage: Linkage::Strong,
            scope: Scope::Default,
            stub_target: OptionalSymbol::NONE,
        })
    }
}

/// The working memory of each block of a segment.
pub(super) fn split<'a>(
    segment: &SegmentLayout,
    parts: &[Part],
    memory: &'a mut [u8],
) -> Vec<(PlacedBlock, &'a mut [u8])> {
    let mut rest = memory;
    let mut consumed = 0u64;
    let mut blocks = Vec::with_capacity(segment.blocks.len());
    for &placed in &segment.blocks {
        if placed.offset >= segment.content_size {
            break;
        }
        let size = parts[placed.graph as usize].graph.blocks[placed.block.index()].size;
        let (_padding, from) = rest.split_at_mut((placed.offset - consumed) as usize);
        let (block, behind) = from.split_at_mut(size as usize);
        blocks.push((placed, block));
        rest = behind;
        consumed = placed.offset + size;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_what_they_are_however_many_there_are() {
        let count = FEW * 3;
        for mut map in [NumberMap::new(true, count), NumberMap::new(true, SMALL + 1), NumberMap::new(false, count)] {
            for n in (0..count).step_by(2) {
                map[n] = n as u32 * 7;
                map[n] += 1;
            }
            let expected = |n: usize| if n.is_multiple_of(2) { n as u32 * 7 + 1 } else { UnitPart::NONE };
            assert!((0..count).all(|n| map[n] == expected(n)), "{map:?}");
        }
    }
}
