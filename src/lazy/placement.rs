//! From closed graphs to memory: relaxation, tables, layout, allocation.
//!
//! Usually GOT accesses are relaxed and stubs left out before layout, where bounds say that targets are in reach, and all graphs of
//! a batch share segments. A session of complete graphs makes all entries, as JITLink does, and has references go past them once
//! addresses are known; one of separate graphs gives each its own pages.

use super::batch::Batch;
use super::branch_targets::mark_unsettled;
use super::error::SessionError;
use super::part::{Part, Role, UNWIND_RECORDS, UnitPart};
use crate::base::{AddrRange, MemProt};
use crate::link::arch::Reach;
use crate::link::layout::{self, SegmentLayout};
use crate::link::tables::Tables;
use crate::link::{Block, BlockId, Edge, LinkGraph, tables};
use crate::rt::{self, Bounds, MemoryError, Segment, SegmentRequest};
use rayon::prelude::*;

/// Relocations of unwind records up to which their memory may serve the next batch.
const FEW_RECORDS: usize = 64;

impl Batch<'_> {
    /// Puts the unwind records collected for each part into its graph.
    pub(super) fn add_unwind_blocks(&mut self) {
        let name = self.session.conventions().synthesized().unwind_section;
        for Part { graph, role, .. } in &mut self.parts {
            let Role::Unit(unit_part) = role else { continue };
            let UnitPart { unwind, unwind_targets, .. } = &mut **unit_part;
            if unwind.bytes.is_empty() {
                continue;
            }
            debug_assert_eq!(unwind.edges.len(), unwind_targets.len());
            let section = graph.add_section(name, MemProt::Read);
            // Records are multiples of 4 bytes long, and a gap would read as their end.
            let block = graph.add_block_of(section, &mut unwind.bytes, 4);
            graph.blocks[block.index()].contiguous = Some(UNWIND_RECORDS);
            let edges = unwind.edges.iter().zip(&*unwind_targets);
            graph.set_edges(
                block,
                edges.map(|(e, &target)| Edge { offset: e.offset, kind: e.kind, target, addend: e.addend }),
            );
            if unwind.edges.len() > FEW_RECORDS {
                (*unwind, *unwind_targets) = Default::default();
            }
        }
    }

    /// Ends the batch's unwind records with the zero word that unwinders stop at; those of each graph where graphs are separate.
    pub(super) fn terminate_unwind_records(&mut self) {
        let is_unwind = |b: &Block| b.contiguous == Some(UNWIND_RECORDS);
        if self.session.separates_graphs() {
            for part in &mut self.parts {
                let Some(records) = part.graph.blocks.iter().position(is_unwind) else { continue };
                let section = part.graph.blocks[records].section;
                let align = part.unwind_align();
                part.graph.blocks[records].align = align;
                let end = part.graph.add_owned_block(section, &[0; 4], 1);
                part.graph.add_anonymous_symbol(end, 0, 4);
            }
            return;
        }
        let records = |part: &Part| part.graph.blocks.iter().rposition(is_unwind);
        let with_records = self.parts.iter().enumerate().filter_map(|(index, part)| Some((index, records(part)?)));
        let last = with_records.max_by_key(|&(index, _)| self.file_place(index));
        if let Some((part, records)) = last {
            // The records of a part are one block, which the last file with any has behind all others.
            self.parts[part].graph.append_to_owned_block(BlockId(records as u32), &[0; 4]);
        }
    }

    /// Relaxation and tables, with bounds that hold for the allocation to come.
    pub(super) fn prepare(&mut self) -> Result<Bounds, SessionError> {
        let arch = self.session.arch();
        let (mut code, mut other) = (0u64, 0u64);
        for part in &self.parts {
            for block in &part.graph.blocks {
                let size = block.size.saturating_add(block.align);
                if part.graph.sections[block.section.index()].far {
                    continue;
                }
                match part.graph.sections[block.section.index()].prot {
                    MemProt::ReadExec => code = code.saturating_add(size),
                    _ => other = other.saturating_add(size),
                }
            }
            let demand = part.demand(arch);
            code = code.saturating_add(demand.code);
            other = other.saturating_add(demand.other);
        }
        let memory = self.session.executor().memory();
        let bounds = memory.bounds(code, other)?;
        self.bounds = bounds;
        if self.session.completes_graphs() {
            self.reserve_tables();
            return Ok(bounds);
        }
        let has_window = bounds.code != bounds.all && bounds.all.size() > arch.branch_reach();
        if has_window {
            let tables = self.session.tables();
            self.parts.iter_mut().for_each(|part| mark_unsettled(&tables, part, self.id, bounds.code));
        }
        let absolute_known = !self.session.relocatable();
        let reach = Reach { code: bounds.code, all: bounds.all, absolute_known, addresses: None };
        let prepare = |part: &mut Part| {
            part.keep_edges_for_stubs(arch, &reach)?;
            arch.relax(&mut part.graph, &reach);
            tables::build(arch, &mut part.graph, &reach);
            Ok::<_, SessionError>(())
        };
        if self.parallel(self.parts.len()) {
            rt::in_pool(|| self.parts.par_iter_mut().try_for_each(prepare))?;
        } else {
            self.parts.iter_mut().try_for_each(prepare)?;
        }
        Ok(bounds)
    }

    pub(super) fn allocate(&mut self, mut bounds: Bounds) -> Result<(Vec<SegmentLayout>, Vec<Segment>), SessionError> {
        let memory = self.session.executor().memory();
        let (layout, mut segments) = loop {
            let layout = self.lay_out()?;
            let near = layout.iter().filter(|segment| !segment.far);
            let requests: Vec<SegmentRequest> = near.map(request).collect();
            // Tables that are reserved are complete whatever the bounds are.
            let promised = (!self.session.completes_graphs()).then_some(&bounds);
            match memory.allocate(&requests, promised) {
                Ok(segments) => break (layout, segments),
                // Other batches took the room: more branches need stubs than was thought.
                Err(MemoryError::BoundsMoved { .. }) => bounds = self.prepare()?,
                Err(error) => return Err(error.into()),
            }
        };
        for far in layout.iter().filter(|segment| segment.far) {
            segments.push(memory.allocate_far(far.content_size, far.size, far.align)?);
        }
        for (segment, memory) in layout.iter().zip(&segments) {
            for placed in &segment.blocks {
                let block = &mut self.parts[placed.graph as usize].graph.blocks[placed.block.index()];
                block.address = memory.address.offset(placed.offset);
            }
        }
        for Part { graph, got, .. } in &mut self.parts {
            let is_got = |b: &&Block| graph.sections[b.section.index()].name == tables::GOT_SECTION;
            *got = graph.blocks.iter().find(is_got).map_or(self.bounds.all.start, |b| b.address);
        }
        Ok((layout, segments))
    }

    fn lay_out(&self) -> Result<Vec<SegmentLayout>, SessionError> {
        Ok(if self.session.separates_graphs() {
            let graphs: Vec<&LinkGraph> = self.parts.iter().map(|p| &p.graph).collect();
            layout::lay_out_separately(&graphs, |graph, section| self.parts[graph].rank(section))?
        } else {
            layout::lay_out(&self.in_file_order())?
        })
    }

    /// The graphs, with their numbers, in the order of their files, as a static linker has them, whatever led to which first: programs
    /// compare addresses. What is made for the batch comes last.
    fn in_file_order(&self) -> Vec<(u32, &LinkGraph)> {
        let mut order: Vec<(u32, &LinkGraph)> = (0..).zip(self.parts.iter().map(|part| &part.graph)).collect();
        let key = |&(index, _): &(u32, &LinkGraph)| self.file_place(index as usize);
        if !order.is_sorted_by_key(key) {
            order.sort_by_key(key);
        }
        order
    }

    /// Where the file of part `index` is among those of the program.
    fn file_place(&self, index: usize) -> (bool, Option<u32>) {
        self.parts[index].unit().map_or((true, None), |unit| (false, Some(unit.link_place())))
    }

    /// Makes the tables of complete graphs; of relaxations only those that need no addresses are done.
    fn reserve_tables(&mut self) {
        let (arch, separate) = (self.session.arch(), self.session.separates_graphs());
        for part in &mut self.parts {
            arch.relax(&mut part.graph, &Reach::NONE);
            self.reserved.push(Tables::reserve(arch, &mut part.graph, separate));
        }
    }

    /// Relaxes what reaches its target from where it is now, and has the rest use the tables that were reserved.
    pub(super) fn use_reserved_tables(&mut self) {
        let arch = self.session.arch();
        for (Part { graph, addresses, .. }, tables) in self.parts.iter_mut().zip(&mut self.reserved) {
            let placed = |b: &&Block| !graph.sections[b.section.index()].thread_local;
            let ranges = graph.blocks.iter().filter(placed).map(|b| AddrRange::new(b.address, b.size));
            let range = ranges.reduce(|a, b| AddrRange { start: a.start.min(b.start), end: a.end.max(b.end) });
            let range = range.unwrap_or_default();
            let reach = Reach { code: range, all: range, absolute_known: false, addresses: Some(addresses) };
            arch.relax(graph, &reach);
            tables.retarget(graph, &reach);
        }
    }
}

fn request(segment: &SegmentLayout) -> SegmentRequest {
    SegmentRequest { prot: segment.prot, content_size: segment.content_size, size: segment.size, align: segment.align }
}
