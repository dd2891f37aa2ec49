//! Closing over references: which sections a batch links, and the graph of each file.
//!
//! Works in rounds. A round takes the sections claimed so far, file by file, turns them into blocks and their relocations
//! into edges, and claims what those refer to; claims are atomic, so files of one round are independent and batches on other
//! threads never link the same section.

use super::claims::Claimed;
use super::error::SessionError;
use super::fragments::is_fragment;
use super::ids::{BatchId, EntryId, UnitId};
use super::part::{Findings, Part, Publish, Role, UNWIND_RECORDS, UnitPart};
use super::symbol_table::SymbolTables;
use super::unit::MaterializationUnit;
use super::whole_file;
use crate::base::{MemProt, Target};
use crate::link::arch::Architecture;
use crate::link::conventions::Conventions;
use crate::link::object_file::{ObjectEdge, SectionKind};
use crate::link::{BlockId, Content, Edge, EdgeClass, LinkError, SymbolId};
use crate::rt::ThreadLocalMemory;
use crate::rt::executor::ExecutorProcessControl;
use std::sync::Arc;

/// What a closure works with; the same for all parts of a batch.
pub(super) struct Closure<'a> {
    pub tables: &'a SymbolTables,
    pub executor: &'a dyn ExecutorProcessControl,
    pub thread_locals: &'a dyn ThreadLocalMemory,
    /// Whether what is linked will be moved.
    pub relocatable: bool,
    pub arch: &'static dyn Architecture,
    /// See [`Architecture::branch_addend`]: asked once, since every edge is compared with it.
    pub branch_addend: i64,
    pub conventions: &'static dyn Conventions,
    pub target: Target,
    pub batch: BatchId,
    /// Whether sections are left out that nothing can refer to; see [`super::whole_file`].
    pub strips: bool,
    /// Whether graphs have all their edges; see [`super::unkept_edges`].
    pub keeps_edges: bool,
}

/// One part while sections are added to it.
pub(super) struct Expansion<'a, 'b> {
    pub closure: &'a Closure<'b>,
    pub part: &'a mut Part,
    pub found: &'a mut Findings,
}

impl Closure<'_> {
    /// Adds `claimed`, sections of `unit` that the batch has claimed, to `part`, which is the unit's. `edges` is memory for those of one section after another.
    pub fn expand(
        &self,
        part: &mut Part,
        unit: &Arc<MaterializationUnit>,
        claimed: &[(UnitId, u32)],
        found: &mut Findings,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<(), SessionError> {
        let mut expansion = Expansion { closure: self, part, found };
        if unit.by_section() {
            let sections = claimed.iter().map(|&(_, section)| section);
            self.tables.fetch_sections(unit, sections.clone());
            return expansion.sections(unit, sections, edges);
        }
        let claimed: Vec<u32> = claimed.iter().map(|&(_, section)| section).collect();
        let thread_local = |section: &u32| unit.is_thread_local(*section);
        expansion.sections(unit, claimed.iter().copied().filter(thread_local), edges)?;
        if claimed.iter().all(thread_local) {
            return Ok(());
        }
        self.tables.fetch_definitions(unit, 0..unit.file.symbols.len() as u32);
        for section in whole_file::sections(self.tables, unit, &claimed, self.strips) {
            expansion.block(unit, section)?;
        }
        // Blocks made on the way come behind; those that initial values of thread-local variables refer to may have been before.
        let mut next = expansion.unit_part().filled;
        while let Some(&(block, Publish::Section(section))) = expansion.part.published.get(next) {
            next += 1;
            if !unit.is_thread_local(section) {
                expansion.fill(unit, section, block, edges)?;
            }
        }
        expansion.unit_part().filled = next;
        Ok(())
    }

    /// Whether `edge`, of class `class`, branches to the very place that its symbol names.
    pub fn branches_to_start(&self, edge: &ObjectEdge, class: EdgeClass) -> bool {
        matches!(class, EdgeClass::Branch { .. }) && edge.addend == self.branch_addend
    }

    /// A symbol of `part` for the address of `entry`, for callers without a file.
    pub fn refer(&self, part: &mut Part, entry: EntryId, found: &mut Findings) -> Result<SymbolId, SessionError> {
        let mut expansion = Expansion { closure: self, part, found };
        expansion.check_has_one_address(entry)?;
        expansion.entry_symbol(None, entry, false, false)
    }

    /// A symbol of `part` for the start of `section` of `unit`.
    pub fn refer_to_section(
        &self,
        part: &mut Part,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        found: &mut Findings,
    ) -> Result<SymbolId, SessionError> {
        let mut expansion = Expansion { closure: self, part, found };
        expansion.section_symbol(unit, section, 0, b"", 0)
    }

    /// Sees to it that `section` of `unit` is linked; says whether by this batch.
    pub fn require(&self, unit: &MaterializationUnit, section: u32, found: &mut Findings) -> bool {
        match unit.claim(section, self.batch) {
            Claimed::New => {
                found.claimed.push((unit.id, section));
                true
            }
            Claimed::Ours => true,
            Claimed::Other(batch) => {
                found.need(batch);
                false
            }
        }
    }
}

impl Expansion<'_, '_> {
    fn sections(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        sections: impl Iterator<Item = u32>,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<(), SessionError> {
        for section in sections {
            let block = self.block(unit, section)?;
            self.fill(unit, section, block, edges)?;
        }
        Ok(())
    }

    pub(super) fn unit_part(&mut self) -> &mut UnitPart {
        match &mut self.part.role {
            Role::Unit(part) => part,
            Role::Synthesized => unreachable!("sections are only added to parts that were made for a unit"),
        }
    }

    /// The block of `section`, made if there is none.
    pub(super) fn block(&mut self, unit: &Arc<MaterializationUnit>, section: u32) -> Result<BlockId, SessionError> {
        let made = self.unit_part().blocks[section as usize];
        if made != UnitPart::NONE {
            return Ok(BlockId(made));
        }
        let s = unit.file.sections.at(section as usize);
        if s.kind == SectionKind::Unloaded {
            let place = format_args!("section {}", String::from_utf8_lossy(s.name));
            let what = "code or data refers to it, but it is not part of the program";
            return Err(LinkError::malformed(&unit.file.name, place, what).into());
        }
        if is_fragment(s.kind) {
            return self.fragment(unit, section);
        }
        let tables = self.closure.tables;
        let graph = &mut self.part.graph;
        let id = graph.add_section(s.name, s.prot);
        graph.sections[id.index()].thread_local = s.kind == SectionKind::ThreadLocal;
        graph.sections[id.index()].far = unit.is_far(section);
        let content = if s.is_zero_fill() { Content::ZeroFill } else { Content::Borrowed(s.content) };
        let align = tables.common_align.get(&(unit.id, section)).copied().unwrap_or(1).max(s.align);
        let block = graph.add_block(id, content, s.size, align);
        graph.blocks[block.index()].align_offset = u64::from(s.align_offset);
        if let Some(set) = tables.set_of(unit, section) {
            graph.blocks[block.index()].contiguous = Some(UNWIND_RECORDS + 1 + set.0);
            self.claim_set(unit, set);
        }
        self.unit_part().blocks[section as usize] = block.0;
        self.part.published.push((block, Publish::Section(section)));
        Ok(block)
    }

    /// Gives the block of `section` its edges, and links the unwind records of its code.
    fn fill(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        block: BlockId,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<(), SessionError> {
        edges.clear();
        unit.file.edges(section, edges)?;
        if unit.by_section() {
            let (tables, symbols) = (self.closure.tables, unit.file.symbols.len());
            if edges.len() < symbols {
                tables.fetch_definitions(unit, edges.iter().map(|edge| edge.symbol));
            } else {
                // A large section refers to the same symbols again and again.
                tables.fetch_definitions(unit, 0..symbols as u32);
            }
        }
        if self.can_read_again(unit, section, edges) {
            self.leave_unkept(unit, section, block, edges)?;
        } else {
            self.resolve_edges(unit, section, block, edges)?;
        }
        if unit.file.sections.at(section as usize).prot == MemProt::ReadExec {
            let tables = unit.unwind()?;
            let unwind = &mut self.unit_part().unwind;
            let first = unwind.edges.len();
            for frame in tables.frames_of(section) {
                unwind.add(tables, frame);
            }
            // Claims what the records refer to; their edges enter the graph when all records are there.
            for index in first..unwind.edges.len() {
                let symbol = self.unit_part().unwind.edges[index].symbol;
                let target = self.unwind_target(unit, symbol)?;
                self.unit_part().unwind_targets.push(target);
            }
        }
        if unit.by_section() {
            for dependent in unit.dependents_of(section) {
                self.require(unit, dependent);
            }
        }
        Ok(())
    }

    fn resolve_edges(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        block: BlockId,
        edges: &[ObjectEdge],
    ) -> Result<(), SessionError> {
        let kinds = self.closure.arch.edge_kinds();
        // Finding targets makes symbols and blocks, but no edges.
        let first = self.part.graph.edges.len();
        self.part.graph.edges.reserve(edges.len());
        for edge in edges {
            let class = kinds[usize::from(edge.kind.0)].class;
            // Most edges are calls, and most of what is called is called more than once.
            let is_plain = self.closure.branches_to_start(edge, class);
            let known = if is_plain { self.unit_part().known_target(class, edge.symbol) } else { None };
            let target = match known {
                Some(known) => known,
                None => self.new_target(unit, section, edge, class)?,
            };
            let edge = Edge { offset: edge.offset, kind: edge.kind, target, addend: edge.addend };
            self.part.graph.edges.push(edge);
        }
        self.part.graph.set_last_edges(block, first);
        Ok(())
    }

    /// Sees to it that `section` of `unit` is linked; says whether by this batch.
    pub(super) fn require(&mut self, unit: &MaterializationUnit, section: u32) -> bool {
        self.closure.require(unit, section, self.found)
    }

    /// Claims `set` with everything in it; a set is always linked by one batch.
    fn claim_set(&mut self, unit: &Arc<MaterializationUnit>, set: super::ids::SetId) {
        let tables = self.closure.tables;
        let bounds = &tables.dylibs[unit.dylib.index()].sets[set.index()].bounds;
        if bounds.start.claim(self.closure.batch) == Claimed::New {
            for (id, section) in tables.set_sections(unit.dylib, set) {
                self.require(&tables.units[id.index()], section);
            }
        }
    }
}
