//! Edges that a graph does without until its blocks are written.
//!
//! Most edges ask for nothing but an address: no GOT entry, no rewritten instruction. Keeping those of a whole program until
//! addresses are known would take several times the memory of its code, all of it written once and read once. So a file that is linked
//! as a whole resolves what they refer to, notes what they may ask for, and forgets them; its relocations are read again, section by
//! section, when a block is written. What stays is the map from the file's symbols to the graph's, and in the graph the edges that are
//! more than that, in order: each takes the place of its relocation then.
//!
//! All edges of a section are kept if one of them is part of a sequence of thread-local accesses: relaxation looks at neighbours; or if one refers to
//! a place inside of a function that has an entry point: that is another symbol; or is for a tiny program. So are those of a
//! graph with a branch that may need a stub, once that is known, and all edges in sessions in which somebody looks at graphs.

use super::closure::Expansion;
use super::error::SessionError;
use super::number_map::NumberMap;
use super::part::{Part, Role, UnitPart};
use super::unit::MaterializationUnit;
use crate::link::arch::{Architecture, Reach};
use crate::link::edge::EdgeKindInfo;
use crate::link::object_file::ObjectEdge;
use crate::link::{BlockId, Edge, EdgeClass, LinkError, SymbolId};
use std::sync::Arc;

/// The most that edges may ask for beside the blocks they are in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demand {
    /// Bytes of stubs.
    pub code: u64,
    /// Bytes of the GOT.
    pub other: u64,
    /// Whether any stores an absolute address in fewer than 64 bits.
    pub low: bool,
}

impl Demand {
    /// What `count` edges of `class` ask for, whose stubs are `stub` bytes apart.
    fn of(class: EdgeClass, count: u64, stub: u64) -> Demand {
        let (stubs, words) = match class {
            EdgeClass::Branch { .. } => (count, count),
            EdgeClass::Got { .. } | EdgeClass::ThreadLocalGot { .. } => (0, count),
            EdgeClass::ThreadLocalIndex { .. } | EdgeClass::ThreadLocalModule { .. } => (0, 2 * count),
            EdgeClass::ThreadLocalDescriptor { .. } => (0, 4 * count),
            _ => (0, 0),
        };
        Demand { code: stubs * stub, other: words * 8, low: class == EdgeClass::LowAddress }
    }

    /// What both ask for.
    pub fn and(self, other: Demand) -> Demand {
        Demand {
            code: self.code.saturating_add(other.code),
            other: self.other.saturating_add(other.other),
            low: self.low || other.low,
        }
    }
}

/// The runs of `edges` of one kind each, and its class: what a class means is found out once for each.
fn runs<'a>(
    edges: &'a [ObjectEdge],
    kinds: &'static [EdgeKindInfo],
) -> impl Iterator<Item = (EdgeClass, &'a [ObjectEdge])> {
    let runs = edges.chunk_by(|a, b| a.kind == b.kind);
    runs.map(move |run| (kinds[usize::from(run[0].kind.0)].class, run))
}

/// What a part knows of the edges it has not kept.
#[derive(Debug, Default)]
pub(super) struct UnkeptEdges {
    /// The blocks, with the sections they are of; ascending.
    blocks: Vec<(BlockId, u32)>,
    /// What their edges may ask for.
    pub demand: Demand,
}

impl UnkeptEdges {
    /// The section of the file that `block` has the edges of.
    fn section(&self, block: BlockId) -> Option<u32> {
        let index = self.blocks.binary_search_by_key(&block, |&(block, _)| block).ok()?;
        Some(self.blocks[index].1)
    }
}

/// Memory for edges that are read again, used for one block after another.
#[derive(Debug, Default)]
pub(super) struct EdgeBuffers {
    of_file: Vec<ObjectEdge>,
    of_graph: Vec<Edge>,
}

impl EdgeBuffers {
    /// The edges of `block` of `part`, kept or read again.
    ///
    /// Errors: those of reading them.
    pub fn edges<'a>(
        &'a mut self,
        part: &'a Part,
        arch: &dyn Architecture,
        block: BlockId,
    ) -> Result<&'a [Edge], LinkError> {
        match (part.unkept.section(block), &part.role) {
            (Some(section), Role::Unit(unit_part)) => {
                self.of_file.clear();
                self.of_graph.clear();
                unit_part.unit.file.edges(section, &mut self.of_file)?;
                let kept = part.graph.block_edges(block);
                unit_part.merge(arch.edge_kinds(), &self.of_file, kept, &mut self.of_graph)?;
                Ok(&self.of_graph)
            }
            _ => Ok(part.graph.block_edges(block)),
        }
    }
}

fn is_branch(class: EdgeClass) -> bool {
    matches!(class, EdgeClass::Branch { .. })
}

/// Whether edges of `class` need nothing but an address, or a stub.
fn can_wait(class: EdgeClass) -> bool {
    matches!(
        class,
        EdgeClass::Address | EdgeClass::LowAddress | EdgeClass::Branch { .. } | EdgeClass::KeepAlive | EdgeClass::Size
    )
}

/// Whether edges of `class` mean something only together with those around them.
fn is_part_of_sequence(class: EdgeClass) -> bool {
    matches!(
        class,
        EdgeClass::ThreadLocalIndex { .. }
            | EdgeClass::ThreadLocalModule { .. }
            | EdgeClass::ThreadLocalDescriptor { .. }
    )
}

impl Expansion<'_, '_> {
    /// Whether not all of `edges`, those of a section of `unit`, need be kept.
    pub(super) fn can_read_again(&self, unit: &MaterializationUnit, section: u32, edges: &[ObjectEdge]) -> bool {
        let kinds = self.closure.arch.edge_kinds();
        !self.closure.keeps_edges
            && !unit.by_section()
            && !unit.is_thread_local(section)
            && !edges.is_empty()
            && !runs(edges, kinds)
                .any(|(class, run)| is_part_of_sequence(class) || self.closure.arch.is_tiny(run[0].kind))
            && (!self.has_entry_points() || !edges.iter().any(|edge| self.is_inside_function(unit, section, edge)))
    }

    /// Finds the targets of `edges`, those of `section` of `unit`, whose block is `block`, and keeps only those that have to be.
    pub(super) fn leave_unkept(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        block: BlockId,
        edges: &[ObjectEdge],
    ) -> Result<(), SessionError> {
        let arch = self.closure.arch;
        let kinds = arch.edge_kinds();
        let stub = u64::from(arch.pointer_jump_stub().stride);
        let mut kept = Vec::new();
        let mut demand = Demand::default();
        for (class, run) in runs(edges, kinds) {
            let waits = can_wait(class);
            if waits {
                demand = demand.and(Demand::of(class, run.len() as u64, stub));
            }
            let mut rest = run;
            while let Some(index) = self.unit_part().first_to_resolve(class, waits, rest) {
                let edge = &rest[index];
                let target = self.edge_target(unit, edge, class)?;
                if !waits {
                    kept.push(Edge { offset: edge.offset, kind: edge.kind, target, addend: edge.addend });
                }
                rest = &rest[index + 1..];
            }
        }
        self.part.graph.set_edges(block, kept);
        let unkept = &mut self.part.unkept;
        debug_assert!(unkept.blocks.last().is_none_or(|last| last.0 < block));
        unkept.blocks.push((block, section));
        unkept.demand = unkept.demand.and(demand);
        Ok(())
    }
}

impl UnitPart {
    /// The graph's symbols by the file's, for edges of `class`; `None` for a file that is not linked as a whole.
    fn targets(&self, class: EdgeClass) -> Option<&[u32]> {
        match if is_branch(class) { &self.branches } else { &self.symbols } {
            NumberMap::Dense(targets) => Some(targets),
            NumberMap::Few { .. } | NumberMap::Many(_) => None,
        }
    }

    /// The place in `edges`, of `class`, of the first one whose target is not known yet, or just the first if none of them `waits`.
    fn first_to_resolve(&self, class: EdgeClass, waits: bool, edges: &[ObjectEdge]) -> Option<usize> {
        match self.targets(class).filter(|_| waits) {
            Some(targets) => edges.iter().position(|edge| targets[edge.symbol as usize] == UnitPart::NONE),
            None => (!edges.is_empty()).then_some(0),
        }
    }

    /// Appends `edges` of the file to `merged`, as edges of the graph: `kept` are those that cannot wait, the targets of the others are
    /// known.
    ///
    /// Errors: that they are not, because the file was changed meanwhile.
    fn merge(
        &self,
        kinds: &'static [EdgeKindInfo],
        edges: &[ObjectEdge],
        kept: &[Edge],
        merged: &mut Vec<Edge>,
    ) -> Result<(), LinkError> {
        let mut kept = kept;
        let mut as_before = true;
        merged.reserve(edges.len());
        for (class, run) in runs(edges, kinds) {
            if can_wait(class) {
                let targets = self.targets(class).unwrap_or_default();
                merged.extend(run.iter().map(|edge| {
                    let target = targets.get(edge.symbol as usize).copied().unwrap_or(UnitPart::NONE);
                    as_before &= target != UnitPart::NONE;
                    Edge { offset: edge.offset, kind: edge.kind, target: SymbolId(target), addend: edge.addend }
                }));
            } else {
                let (own, rest) = kept.split_at(run.len().min(kept.len()));
                as_before &= own.len() == run.len() && own.iter().zip(run).all(|(own, edge)| own.offset == edge.offset);
                merged.extend_from_slice(own);
                kept = rest;
            }
        }
        if as_before && kept.is_empty() {
            return Ok(());
        }
        let what = "it was changed while it was being linked";
        Err(LinkError::malformed(&self.unit.file.name, "relocations", what))
    }

    /// The graph's symbol that an edge of `class` to symbol `index` of the file refers to, if there is one yet.
    pub fn known_target(&self, class: EdgeClass, index: u32) -> Option<SymbolId> {
        let map = if is_branch(class) { &self.branches } else { &self.symbols };
        Some(map[index as usize]).filter(|&known| known != UnitPart::NONE).map(SymbolId)
    }
}

impl Part {
    /// The most that its edges may ask for.
    pub fn demand(&self, arch: &dyn Architecture) -> Demand {
        let stub = u64::from(arch.pointer_jump_stub().stride);
        let kinds = arch.edge_kinds();
        let class = |edge: &Edge| kinds[usize::from(edge.kind.0)].class;
        let kept = self.graph.edges.iter().map(|edge| Demand::of(class(edge), 1, stub));
        kept.fold(self.unkept.demand, Demand::and)
    }

    /// Reads the edges that were not kept into the graph if a branch among them may need a stub.
    ///
    /// Errors: those of reading them.
    pub fn keep_edges_for_stubs(&mut self, arch: &dyn Architecture, reach: &Reach<'_>) -> Result<(), SessionError> {
        if self.unkept.demand.code == 0 {
            return Ok(());
        }
        let Role::Unit(unit_part) = &self.role else {
            return Ok(());
        };
        let NumberMap::Dense(branches) = &unit_part.branches else {
            return Ok(());
        };
        let limit = arch.branch_reach() - 64;
        let sure = |&id: &u32| id == UnitPart::NONE || reach.branch_is_sure(&self.graph, SymbolId(id), limit);
        if branches.iter().all(sure) {
            return Ok(());
        }
        let (mut of_file, mut merged) = (Vec::new(), Vec::new());
        for (block, section) in std::mem::take(&mut self.unkept).blocks {
            of_file.clear();
            unit_part.unit.file.edges(section, &mut of_file)?;
            unit_part.merge(arch.edge_kinds(), &of_file, self.graph.block_edges(block), &mut merged)?;
            self.graph.set_edges(block, merged.drain(..));
        }
        Ok(())
    }
}
