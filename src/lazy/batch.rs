//! A batch: everything that one request makes be linked, linked together.
//!
//! 1. *Claim*: close over references, from the roots ([`super::closure`]). Symbol tables are only read. In a program whose memory is
//!    low, symbols of the process get addresses in it ([`super::canonical`]).
//! 2. *Prepare*: relax, build tables, lay out, allocate, thread-local memory too ([`super::thread_locals`]); publish addresses →
//!    `Resolved`.
//! 3. *Fix up*: wait for the addresses of batches that edges refer to, then write all blocks; show them to plugins.
//! 4. *Finalize*: instruction caches, unwind records → `Emitted`.
//! 5. Wait until everything referred to is emitted; resolve indirect functions; redirect the stubs of functions that are linked
//!    now → `Ready`.
//!
//! No lock is held in steps 2 to 5. Graphs are independent of each other except where a step says so, and are worked on by all
//! cores when there are many.

use super::batch_table::BatchState;
use super::canonical::{self, Moved};
use super::closure::Closure;
use super::entry_points::{EntryPoints, Implementation};
use super::error::{MissingSymbol, SessionError, SessionErrorKind};
use super::fragments;
use super::ids::{BatchId, EntryId, UnitId};
use super::inspection;
use super::lazy_reexports::LazyReexportsManager;
use super::number_map::NumberMap;
use super::part::{Findings, Part, Publish, Slot, UNWIND_RECORDS};
use super::plugin::{self, Step};
use super::redirectable::RedirectableSymbolManager;
use super::references::check_is_linked;
use super::scratch::Scratch;
use super::session::Session;
use super::symbol_table::SymbolTables;
use super::thread_locals::has_other_blocks;
use super::unit::MaterializationUnit;
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::link::tables::Tables;
use crate::link::{Content, SymbolId, fixup};
use crate::rt::{self, Bounds, Segment};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Parts from which on it pays to use all cores.
pub(super) const PARALLEL_PARTS: usize = 64;
/// Sections of several parts from which on it pays to use cores that are idle.
const PARALLEL_SECTIONS: usize = 64;

/// Something a caller wants linked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Root {
    /// A symbol of a JITDylib, as other code would refer to it: its address is answered.
    Entry(EntryId),
    /// A section of a file, which has its address once it is linked.
    Section(UnitId, u32),
}

/// What a round of the closure does for one file.
struct Work<'a> {
    /// The file's part, by number.
    part: usize,
    unit: &'a Arc<MaterializationUnit>,
    /// Sections of it that the batch has claimed.
    claimed: &'a [(UnitId, u32)],
}

pub(super) struct Batch<'s> {
    pub session: &'s Session,
    pub id: BatchId,
    pub parts: Vec<Part>,
    found: Findings,
    scratch: Box<Scratch>,
    /// Symbols of the process that this batch gives addresses.
    moved: Vec<Moved>,
    /// Where linked memory, and code that branches are sure to reach, are.
    pub bounds: Bounds,
    /// In a session of complete graphs: the tables of the parts, until addresses are known.
    pub reserved: Vec<Tables<'s>>,
}

/// Links `roots` and everything they need, and answers, once their code may run, the addresses of the entries among them.
///
/// Errors: the root cause of what cannot be linked; for units that another batch failed to link, that batch's error.
pub(super) fn link(session: &Session, roots: &[Root]) -> Result<Vec<ExecutorAddr>, SessionError> {
    let id = session.batches.begin();
    let mut scratch = session.scratch.take();
    let mut batch = Batch {
        session,
        id,
        parts: std::mem::take(&mut scratch.parts),
        found: std::mem::take(&mut scratch.found),
        scratch,
        moved: Vec::new(),
        bounds: Bounds { code: AddrRange::new(ExecutorAddr::NULL, 0), all: AddrRange::new(ExecutorAddr::NULL, 0) },
        reserved: Vec::new(),
    };
    // A file that has changed while the program runs is the root cause of whatever was found wrong in it.
    let result = timed(session, id, Step::Batch, || batch.run(roots))
        .map_err(|error| batch.check_files().err().unwrap_or(error));
    let state = match &result {
        Ok(_) => BatchState::Ready,
        Err(error) => BatchState::Failed(error.clone()),
    };
    session.batches.advance(id, state);
    if result.is_ok() {
        batch.redirect_linked_functions();
    }
    if batch.parallel(batch.parts.len()) {
        // Freeing what a large batch took is nothing that its caller has to wait for.
        let parts = std::mem::take(&mut batch.parts);
        rt::offer(move || drop(parts));
    } else {
        let Batch { mut scratch, mut parts, mut found, .. } = batch;
        std::mem::swap(&mut scratch.parts, &mut parts);
        std::mem::swap(&mut scratch.found, &mut found);
        session.scratch.give(scratch);
    }
    result
}

impl Batch<'_> {
    fn run(&mut self, roots: &[Root]) -> Result<Vec<ExecutorAddr>, SessionError> {
        let (session, id) = (self.session, self.id);
        let symbols = timed(session, id, Step::Claim, || {
            let tables = session.tables();
            self.close(&tables, roots)
        })?;
        for part in &self.parts {
            let linked = has_other_blocks(&part.graph) || part.unit().is_none();
            if linked && !part.graph.name.is_empty() && part.unit().is_none_or(|unit| unit.announce()) {
                self.session.announce(&part.graph.name);
            }
        }
        let bounds = timed(session, id, Step::Tables, || self.prepare())?;
        let (layout, mut segments) = timed(session, id, Step::Allocate, || {
            self.allocate_thread_locals()?;
            self.allocate(bounds)
        })?;
        self.publish();
        let needs = std::mem::take(&mut self.found.needs);
        // A batch that waits for nobody is ready in a moment; who needs it can wait for that, and the table's lock is everybody's.
        let waits = !needs.is_empty() || !self.found.indirect_used.is_empty();
        if waits {
            session.batches.resolved(id, needs.clone());
        }
        timed(session, id, Step::WaitForAddresses, || session.batches.wait_resolved(&needs))?;
        timed(session, id, Step::FixUp, || {
            self.find_addresses();
            self.use_reserved_tables();
            self.write(&layout, &mut segments)?;
            self.write_thread_locals()
        })?;
        self.check_files()?;
        timed(session, id, Step::Plugins, || plugin::notify(self, id, &layout, &mut segments))?;
        timed(session, id, Step::Finalize, || self.finalize(&mut segments))?;
        if waits {
            session.batches.advance(id, BatchState::Emitted);
        }
        timed(session, id, Step::WaitForCode, || {
            session.batches.wait_emitted(&needs)?;
            self.resolve_indirect_functions();
            Ok::<_, SessionError>(())
        })?;
        Ok(symbols.iter().map(|symbol| self.parts[0].addresses[symbol.index()]).collect())
    }

    /// Claims what `roots` need; answers the symbols of the first part that stand for the entries among them.
    fn close(&mut self, tables: &SymbolTables, roots: &[Root]) -> Result<Vec<SymbolId>, SessionError> {
        let closure = Closure {
            tables,
            executor: self.session.executor(),
            thread_locals: self.session.thread_locals(),
            relocatable: self.session.relocatable(),
            arch: self.session.arch(),
            branch_addend: self.session.arch().branch_addend(),
            conventions: self.session.conventions(),
            target: self.session.target(),
            batch: self.id,
            strips: !self.session.executes(),
            keeps_edges: self.session.completes_graphs() || !self.session.plugins().is_empty(),
        };
        self.scratch.part_of_unit.reset(true, tables.units.len());
        let mut caller: Option<Part> = None;
        let mut symbols = Vec::new();
        for root in roots {
            match *root {
                Root::Entry(entry) => {
                    let caller = caller.get_or_insert_with(|| Part::synthesized(String::new(), self.session.target()));
                    symbols.push(closure.refer(caller, entry, &mut self.found)?);
                }
                Root::Section(unit, section) => {
                    let unit = &tables.units[unit.index()];
                    check_is_linked(unit, section, b"", false)?;
                    closure.require(unit, section, &mut self.found);
                }
            }
        }
        self.parts.extend(caller);
        while !self.found.is_done() {
            self.round(&closure)?;
        }
        self.report_missing()?;
        self.add_unwind_blocks();
        if self.session.completes_graphs() {
            inspection::complete(self.session, tables, &mut self.parts);
        }
        for plugin in self.session.plugins() {
            self.parts.iter_mut().for_each(|part| plugin.closed(&mut part.graph));
        }
        self.terminate_unwind_records();
        if self.session.canonical.are_given(self.session, tables, &self.parts) {
            self.moved = canonical::give_addresses(&closure, self.session, &mut self.parts, &mut self.found);
        }
        Ok(symbols)
    }

    /// Links what has been found, file by file, and finds more.
    fn round(&mut self, closure: &Closure<'_>) -> Result<(), SessionError> {
        let mut claimed = std::mem::replace(&mut self.found.claimed, std::mem::take(&mut self.scratch.claimed));
        // Which thread found what first must not show in the layout.
        claimed.sort_unstable();
        let mut work: Vec<Work<'_>> = Vec::new();
        for claimed in claimed.chunk_by(|a, b| a.0 == b.0) {
            let unit = &closure.tables.units[claimed[0].0.index()];
            work.push(Work { part: self.part_of(unit), unit, claimed });
        }
        work.sort_unstable_by_key(|work| work.part);
        let sections = claimed.len();
        if self.parallel(work.len()) || work.len() > 1 && sections >= PARALLEL_SECTIONS && self.session.has_threads() {
            self.expand_in_parallel(closure, work)?;
        } else {
            for Work { part, unit, claimed } in work {
                closure.expand(&mut self.parts[part], unit, claimed, &mut self.found, &mut self.scratch.edges)?;
                self.session.progress().done(Step::Claim, claimed.len() as u64);
            }
        }
        claimed.clear();
        self.scratch.claimed = claimed;
        self.add_synthesized_parts(closure)
    }

    fn expand_in_parallel(&mut self, closure: &Closure<'_>, work: Vec<Work<'_>>) -> Result<(), SessionError> {
        let mut jobs: Vec<(Part, Work<'_>)> = Vec::with_capacity(work.len());
        for work in work {
            let placeholder = Part::synthesized(String::new(), self.session.target());
            jobs.push((std::mem::replace(&mut self.parts[work.part], placeholder), work));
        }
        let expand = |edges: &mut _, (mut part, work): (Part, Work<'_>)| {
            let mut found = Findings::default();
            let result = closure.expand(&mut part, work.unit, work.claimed, &mut found, edges);
            self.session.progress().done(Step::Claim, work.claimed.len() as u64);
            (work.part, part, found, result)
        };
        let done: Vec<_> = rt::in_pool(|| jobs.into_par_iter().map_init(Vec::new, expand).collect());
        for (index, part, found, result) in done {
            self.parts[index] = part;
            self.found.append(found);
            result?;
        }
        Ok(())
    }

    fn part_of(&mut self, unit: &Arc<MaterializationUnit>) -> usize {
        let Scratch { part_of_unit, spare, .. } = &mut *self.scratch;
        let part = &mut part_of_unit[unit.id.index()];
        if *part == NumberMap::NONE {
            *part = self.parts.len() as u32;
            let target = self.session.target();
            self.parts.push(spare.pop().unwrap_or_else(|| Part::synthesized(String::new(), target)));
            self.parts[*part as usize].begin(unit);
        }
        *part as usize
    }

    fn add_synthesized_parts(&mut self, closure: &Closure<'_>) -> Result<(), SessionError> {
        for points in std::mem::take(&mut self.found.entry_points) {
            let first = self.parts.len();
            let reentry = self.session.reentry()?;
            let parts = self.session.reexports.entry_point_parts(closure, &points, first, reentry, &mut self.found)?;
            self.parts.extend(parts);
        }
        for unit in std::mem::take(&mut self.found.indirect) {
            let part = super::synthesized::indirect_functions(closure, &unit, &mut self.found)?;
            self.parts.push(part);
        }
        for dylib in std::mem::take(&mut self.found.dso_handles) {
            let part = super::synthesized::dso_handle(closure, dylib, self.session.target());
            self.parts.push(part);
        }
        Ok(())
    }

    /// Errors: [`SessionErrorKind::FileChanged`], of the files that the batch is linked from.
    fn check_files(&self) -> Result<(), SessionError> {
        if !self.session.started.load(Ordering::Relaxed) {
            return Ok(());
        }
        for part in &self.parts {
            let bytes = part.graph.blocks.iter().find_map(|block| match block.content {
                Content::Borrowed(bytes) if !bytes.is_empty() => Some(bytes),
                _ => None,
            });
            let checked = bytes.map_or(Ok(()), |bytes| (self.session.options.check_file)(bytes));
            checked.map_err(|path| SessionErrorKind::FileChanged(path.display().to_string()))?;
        }
        Ok(())
    }

    fn report_missing(&mut self) -> Result<(), SessionError> {
        let mut missing: Vec<MissingSymbol> = std::mem::take(&mut self.found.missing)
            .into_iter()
            .map(|(name, referrer)| MissingSymbol { name: String::from_utf8_lossy(name).into_owned(), referrer })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_by(|a, b| a.name.cmp(&b.name).then(a.referrer.cmp(&b.referrer)));
        missing.dedup_by(|a, b| a.name == b.name);
        Err(SessionErrorKind::SymbolsNotFound(missing).into())
    }

    /// Makes the addresses of what the batch has claimed known to everybody.
    fn publish(&self) {
        let mut sets: BTreeMap<(u32, u32), AddrRange> = BTreeMap::new();
        for part in &self.parts {
            for (block, publish) in &part.published {
                let block = &part.graph.blocks[block.index()];
                match publish {
                    Publish::Section(section) => {
                        if let Some(unit) = part.unit() {
                            unit.publish_section(*section, block.address);
                            if let Some(set) = block.contiguous.filter(|&set| set < fragments::FIRST_SET) {
                                let range = AddrRange::new(block.address, block.size);
                                let all = sets.entry((unit.dylib.0, set - UNWIND_RECORDS - 1)).or_insert(range);
                                all.start = all.start.min(range.start);
                                all.end = all.end.max(range.end);
                            }
                        }
                    }
                    Publish::Stubs(points) => {
                        points.stubs.publish(block.address);
                        self.session.stubs_were_made();
                    }
                    Publish::StubPointers(points) => points.pointers.publish(block.address),
                    Publish::Trampolines(points) => {
                        self.session.reexports.register(points, block.address, block.size);
                    }
                    Publish::IndirectStubs(unit) => unit.indirect.publish(block.address),
                    Publish::IndirectPointers(unit) => unit.indirect_pointers.publish(block.address),
                    Publish::Claim(claim) => claim.publish(block.address),
                }
            }
        }
        if !sets.is_empty() {
            let tables = self.session.tables();
            for ((dylib, set), range) in sets {
                let bounds = &tables.dylibs[dylib as usize].sets[set as usize].bounds;
                bounds.start.publish(range.start);
                bounds.end.publish(range.end);
            }
        }
    }

    /// Finds the addresses of all symbols.
    fn find_addresses(&mut self) {
        let tables = &*self.session.tables();
        if self.parallel(self.parts.len()) {
            let found: Vec<Vec<ExecutorAddr>> =
                rt::in_pool(|| self.parts.par_iter().map(|part| self.addresses_of(tables, part).collect()).collect());
            self.parts.iter_mut().zip(found).for_each(|(part, addresses)| part.addresses = addresses);
            return;
        }
        for index in 0..self.parts.len() {
            let mut addresses = std::mem::take(&mut self.parts[index].addresses);
            addresses.extend(self.addresses_of(tables, &self.parts[index]));
            self.parts[index].addresses = addresses;
        }
    }

    fn addresses_of<'a>(&'a self, tables: &'a SymbolTables, part: &'a Part) -> impl Iterator<Item = ExecutorAddr> + 'a {
        fixup::symbol_addresses(&part.graph, |slot| match &part.slots[slot as usize] {
            Slot::GotBase => part.got,
            slot => self.slot_address(tables, slot),
        })
    }

    fn slot_address(&self, tables: &SymbolTables, slot: &Slot) -> ExecutorAddr {
        match slot {
            Slot::Section { unit, section, offset } => {
                let start = tables.units[unit.index()].section_address(*section);
                debug_assert!(!start.is_null(), "a section that was claimed is published before its batch is resolved");
                start.offset(*offset)
            }
            Slot::EntryPoint { points, number, branch } => {
                let points = &tables.entry_points[points.index()];
                let body = if *branch { self.callable_body(points, *number) } else { None };
                body.unwrap_or_else(|| LazyReexportsManager::entry_point(self.session.arch(), points, *number))
            }
            Slot::Indirect { unit, number } => {
                super::synthesized::indirect_stub(self.session, &tables.units[unit.index()], *number)
            }
            Slot::Block { part, block, offset } => {
                self.parts[*part].graph.blocks[block.index()].address.offset(*offset)
            }
            Slot::SetBound { bounds, end } => if *end { &bounds.end } else { &bounds.start }.address(),
            Slot::Claim(claim) => claim.address(),
            Slot::GotBase => ExecutorAddr::NULL,
            Slot::MemoryBound { end } => {
                // There is memory by now, so there is nothing to go wrong.
                let extent = self.session.executor().memory().extent().unwrap_or_default();
                if *end { extent.end } else { extent.start }
            }
        }
    }

    /// The body of entry point `number`, if it can be called as soon as this batch is ready.
    fn callable_body(&self, points: &EntryPoints, number: u32) -> Option<ExecutorAddr> {
        let Implementation::Body { unit, symbol } = points.implementation(number) else {
            return None;
        };
        let owner = unit.owner(unit.place(symbol)?.0)?;
        if owner != self.id && !self.session.batches.is_ready(owner) {
            return None;
        }
        // Branches that have no stub reach code in these bounds; there may be other code by now.
        unit.symbol_address(symbol).filter(|&body| owner == self.id || self.bounds.code.contains(body))
    }

    fn finalize(&mut self, segments: &mut [Segment]) -> Result<(), SessionError> {
        let executor = self.session.executor();
        executor.memory().finalize(segments)?;
        if !self.session.executes() {
            return Ok(());
        }
        let unwind = self.parts.iter().flat_map(|p| &p.graph.blocks).filter(|b| b.contiguous == Some(UNWIND_RECORDS));
        let ranges = unwind.map(|b| AddrRange::new(b.address, b.size));
        let all = ranges.reduce(|a, b| AddrRange { start: a.start.min(b.start), end: a.end.max(b.end) });
        let code = segments.iter().find(|segment| segment.prot == MemProt::ReadExec);
        if let (Some(all), Some(code)) = (all, code) {
            executor.register_frames(all, code.range())?;
        }
        canonical::rebind(executor, &self.moved)?;
        Ok(())
    }

    /// Asks the resolvers of the indirect functions that the batch's code calls. Another batch may ask them too: they answer the
    /// same, and waiting for its answer could mean waiting in a circle.
    fn resolve_indirect_functions(&mut self) {
        if self.session.executes() {
            for unit in std::mem::take(&mut self.found.indirect_used) {
                super::synthesized::resolve_indirect_functions(self.session, &unit);
            }
        }
    }

    /// Points the stubs of functions that came along with what was asked for at their bodies: they need no first call any more.
    fn redirect_linked_functions(&self) {
        if !self.session.executes() || self.session.wants_all_first_calls() {
            return;
        }
        let tables = &*self.session.tables();
        let redirect = |part: &Part| {
            let Some((unit, points)) = part.unit().and_then(|unit| Some((unit, unit.entry_points?))) else {
                return;
            };
            let points = &tables.entry_points[points.index()];
            if points.stubs.address().is_null() {
                return;
            }
            for (_, publish) in &part.published {
                let Publish::Section(section) = publish else { continue };
                for number in unit.functions_in(*section) {
                    if let Some(body) = unit.symbol_address(unit.functions()[number as usize]) {
                        RedirectableSymbolManager::redirect(self.session.executor(), points.pointer(number), body);
                    }
                }
            }
        };
        if self.parallel(self.parts.len()) {
            rt::in_pool(|| self.parts.par_iter().for_each(redirect));
        } else {
            self.parts.iter().for_each(redirect);
        }
    }

    pub(super) fn parallel(&self, parts: usize) -> bool {
        parts >= PARALLEL_PARTS && self.session.use_threads()
    }
}

fn timed<R>(session: &Session, batch: BatchId, step: Step, work: impl FnOnce() -> R) -> R {
    plugin::timed(session, Some(batch), step, work)
}
