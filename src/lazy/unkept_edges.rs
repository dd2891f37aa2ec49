//! Edges that a graph does without until its blocks are written.
//!
//! Most edges ask for nothing but an address: no GOT entry, no rewritten instruction. Keeping those of a whole program until
//! addresses are known would take several times the memory of its code, all of it written once and read once. So a file that is linked
//! as a whole resolves what they refer to, notes what they may ask for, and forgets them; its relocations are read again, section by
//! section, when a block is written. What stays is the map from the file's symbols to the graph's, and in the graph the edges that are
//! more than that, in order: each takes the place of its relocation then.
//!
//! All edges of a section are kept if one of them is part of a sequence of thread-local accesses: relaxation looks at neighbours. So are those of a
//! graph with a branch that may need a stub, once that is known, and all edges in sessions in which somebody looks at graphs.

use super::closure::Expansion;
use super::error::SessionError;
use super::part::{NumberMap, Part, Role, UnitPart};
use super::unit::MaterializationUnit;
use crate::link::arch::{Architecture, Reach};
use crate::link::edge::EdgeKindInfo;
use crate::link::object_file::ObjectEdge;
use crate::link::{BlockId, Edge, EdgeClass, EdgeKind, LinkError, SymbolId};
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
    /// What edges of these kinds ask for, whose stubs are `stub` bytes apart.
    pub fn of(kinds: impl Iterator<Item = EdgeKind>, table: &[EdgeKindInfo], stub: u64) -> Demand {
        let (mut branches, mut words, mut low) = (0, 0, false);
        for kind in kinds {
            let class = table[usize::from(kind.0)].class;
            branches += u64::from(is_branch(class));
            low |= class == EdgeClass::LowAddress;
            words += match class {
                EdgeClass::Got { .. } | EdgeClass::ThreadLocalGot { .. } => 1,
                EdgeClass::ThreadLocalIndex { .. } | EdgeClass::ThreadLocalModule { .. } => 2,
                EdgeClass::ThreadLocalDescriptor { .. } => 4,
                _ => 0,
            };
        }
        Demand { code: branches * stub, other: (branches + words) * 8, low }
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
            && !edges.iter().any(|edge| is_part_of_sequence(kinds[usize::from(edge.kind.0)].class))
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
        let mut kept = Vec::new();
        let mut rest = edges;
        while let Some(index) = self.unit_part().first_to_resolve(kinds, rest) {
            let edge = &rest[index];
            let class = kinds[usize::from(edge.kind.0)].class;
            let target = self.edge_target(unit, edge, class)?;
            if !can_wait(class) {
                kept.push(Edge { offset: edge.offset, kind: edge.kind, target, addend: edge.addend });
            }
            rest = &rest[index + 1..];
        }
        self.part.graph.set_edges(block, kept);
        let stub = u64::from(arch.pointer_jump_stub().stride);
        let waiting = edges.iter().map(|edge| edge.kind).filter(|kind| can_wait(kinds[usize::from(kind.0)].class));
        let demand = Demand::of(waiting, kinds, stub);
        let unkept = &mut self.part.unkept;
        debug_assert!(unkept.blocks.last().is_none_or(|last| last.0 < block));
        unkept.blocks.push((block, section));
        unkept.demand = unkept.demand.and(demand);
        Ok(())
    }
}

impl UnitPart {
    /// The place in `edges` of the first one that cannot wait, or whose target is not known yet.
    fn first_to_resolve(&self, kinds: &[EdgeKindInfo], edges: &[ObjectEdge]) -> Option<usize> {
        let (NumberMap::Dense(symbols), NumberMap::Dense(branches)) = (&self.symbols, &self.branches) else {
            return (!edges.is_empty()).then_some(0);
        };
        edges.iter().position(|edge| {
            let class = kinds[usize::from(edge.kind.0)].class;
            let map = if is_branch(class) { branches } else { symbols };
            !can_wait(class) || map[edge.symbol as usize] == UnitPart::NONE
        })
    }

    /// Appends `edges` of the file to `merged`, as edges of the graph: `kept` are those that cannot wait, the targets of the others are
    /// known.
    ///
    /// Errors: that they are not, because the file was changed meanwhile.
    fn merge(
        &self,
        kinds: &[EdgeKindInfo],
        edges: &[ObjectEdge],
        kept: &[Edge],
        merged: &mut Vec<Edge>,
    ) -> Result<(), LinkError> {
        let changed = || {
            let what = "it was changed while it was being linked";
            LinkError::malformed(&self.unit.file.name, "relocations", what)
        };
        let (NumberMap::Dense(symbols), NumberMap::Dense(branches)) = (&self.symbols, &self.branches) else {
            return Err(changed());
        };
        let mut kept = kept.iter();
        let mut all_known = true;
        merged.extend(edges.iter().map(|edge| {
            let class = kinds[usize::from(edge.kind.0)].class;
            let map = if is_branch(class) { branches } else { symbols };
            let target = map[edge.symbol as usize];
            let waiting = Edge { offset: edge.offset, kind: edge.kind, target: SymbolId(target), addend: edge.addend };
            if can_wait(class) {
                all_known &= target != UnitPart::NONE;
                return waiting;
            }
            let next = kept.next().filter(|next| next.offset == edge.offset);
            all_known &= next.is_some();
            *next.unwrap_or(&waiting)
        }));
        if all_known && kept.next().is_none() { Ok(()) } else { Err(changed()) }
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
        let kinds = self.graph.edges.iter().map(|edge| edge.kind);
        Demand::of(kinds, arch.edge_kinds(), stub).and(self.unkept.demand)
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
