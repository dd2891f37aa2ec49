//! A part of a batch: one LinkGraph and what its external symbols stand for.

use super::claims::Claim;
use super::entry_points::EntryPoints;
use super::ids::{BatchId, DylibId, EntryPointsId, UnitId};
use super::number_map::NumberMap;
use super::symbol_table::SetBounds;
use super::unit::MaterializationUnit;
use super::unkept_edges::UnkeptEdges;
use crate::base::{ExecutorAddr, Target};
use crate::link::layout::{PlacedBlock, SegmentLayout};
use crate::link::unwind::UnwindBuilder;
use crate::link::{BlockId, LinkGraph, Linkage, OptionalSymbol, Scope, Symbol, SymbolId, SymbolPlace};
use std::sync::Arc;

/// Symbols and blocks of a part that is small.
const FEW: usize = 32;

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
    pub const NONE: u32 = NumberMap::NONE;

    /// The state of linking nothing.
    fn new(unit: Arc<MaterializationUnit>) -> UnitPart {
        UnitPart {
            unit,
            symbols: NumberMap::default(),
            branches: NumberMap::default(),
            local_calls: NumberMap::default(),
            blocks: NumberMap::default(),
            unwind: UnwindBuilder::default(),
            unwind_targets: Vec::new(),
            filled: 0,
            module: None,
        }
    }

    /// Begins to link `file`, of which nothing is linked yet.
    fn begin(&mut self, file: Arc<MaterializationUnit>) {
        let UnitPart { unit, symbols, branches, local_calls, blocks, unwind, unwind_targets, filled, module } = self;
        let (sparse, count) = (file.by_section(), file.file.symbols.len());
        symbols.reset(sparse, count);
        branches.reset(sparse, count);
        local_calls.reset(true, count);
        blocks.reset(sparse, file.file.sections.len());
        unwind.clear();
        unwind_targets.clear();
        (*filled, *module, *unit) = (0, None, file);
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
        let Findings { claimed, entry_points, indirect, indirect_used, dso_handles, needs, missing } = other;
        self.claimed.extend(claimed);
        self.entry_points.extend(entry_points);
        self.indirect.extend(indirect);
        self.indirect_used.extend(indirect_used);
        self.dso_handles.extend(dso_handles);
        for batch in needs {
            self.need(batch);
        }
        self.missing.extend(missing);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let Findings { claimed, entry_points, indirect, indirect_used, dso_handles, needs, missing } = self;
        claimed.clear();
        entry_points.clear();
        indirect.clear();
        indirect_used.clear();
        dso_handles.clear();
        needs.clear();
        missing.clear();
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
    /// Makes it an empty part for sections of `unit`, whatever it was; nobody needs that any more.
    pub fn begin(&mut self, unit: &Arc<MaterializationUnit>) {
        let file = &unit.file;
        self.clear();
        self.graph.name.push_str(&file.name);
        self.graph.target = file.target;
        if let Role::Synthesized = self.role {
            self.role = Role::Unit(Box::new(UnitPart::new(unit.clone())));
        }
        if let Role::Unit(unit_part) = &mut self.role {
            unit_part.begin(unit.clone());
        }
    }

    /// Whether it is one of a file, and so small that its memory is worth keeping.
    pub fn is_worth_keeping(&self) -> bool {
        let Part { graph, role, .. } = self;
        let small = graph.symbols.len() <= FEW && graph.blocks.len() <= FEW && graph.edges.len() <= 8 * FEW;
        small && graph.bytes.len() <= 64 * FEW && matches!(role, Role::Unit(_))
    }

    /// Takes everything out of it but what it is a part of.
    fn clear(&mut self) {
        let Part { graph, role: _, slots, published, process, absolutes, unkept, got, addresses } = self;
        graph.clear();
        slots.clear();
        published.clear();
        process.clear();
        absolutes.clear();
        *unkept = UnkeptEdges::default();
        *got = ExecutorAddr::NULL;
        addresses.clear();
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
    segment: &'a SegmentLayout,
    parts: &'a [Part],
    memory: &'a mut [u8],
) -> impl Iterator<Item = (PlacedBlock, &'a mut [u8])> + 'a {
    let (mut rest, mut consumed) = (memory, 0u64);
    let with_content = segment.blocks.iter().take_while(|placed| placed.offset < segment.content_size);
    with_content.map(move |&placed| {
        let size = parts[placed.graph as usize].graph.blocks[placed.block.index()].size;
        let (_padding, from) = std::mem::take(&mut rest).split_at_mut((placed.offset - consumed) as usize);
        let (block, behind) = from.split_at_mut(size as usize);
        (rest, consumed) = (behind, placed.offset + size);
        (placed, block)
    })
}
