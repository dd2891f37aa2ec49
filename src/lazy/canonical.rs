//! The addresses of the process's symbols in a program whose code cannot hold those that they have.
//!
//! Code compiled for a fixed address below 2 GiB holds addresses in 32 bits, and code of AArch64's tiny model distances of 1 MiB: those of shared libraries do not
//! fit. As a static linker does, the session then gives every symbol of the process that is referred to by address a place in linked
//! memory: data a copy, a function a stub. It has that place for everybody: for position-independent code in the same program, and
//! for the shared libraries themselves ([`ExecutorProcessControl::rebind`]). Branches go on to the function itself.
//!
//! Whether the program is of such a kind is decided once, when the first batch knows its edges, since linked memory cannot
//! be moved. Files that are linked later count too, so their relocations are looked through: the first ones of each file, fewer
//! where there are thousands of files; those of members of lazy archives while they are read ([`super::digest`]). That finds files of such code, in which hardly a function does without; it costs position-independent
//! programs a page or so of each file that is not linked at once, a millisecond for thousands of them. What is missed or added
//! later has to reach what it refers to where that is, and is an error if it does not.
//!
//! Not moved: what the process says no size of, and null.

use super::claims::{Claim, Claimed};
use super::closure::Closure;
use super::part::{Findings, Part, Publish, Slot};
use super::session::Session;
use super::symbol_table::SymbolTables;
use super::trampolines::{STUBS_SECTION, add_pointers, add_row};
use super::unit::MaterializationUnit;
use crate::base::{ExecutorAddr, MemProt};
use crate::link::arch::{self, Architecture};
use crate::link::file_view::FileView;
use crate::link::object_file::SectionKind;
use crate::link::{BlockId, Content, EdgeClass, EdgeKind, ObjectFile, SymbolPlace};
use crate::rt;
use crate::rt::executor::{ExecutorError, ExecutorProcessControl, ProcessObject, Rebinding};
use crate::rt::memory::{Placement, tiny_shares};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How many relocations of one file are looked at.
const FILE_BUDGET: usize = 256;
/// How many relocations are looked at in all, about: 6 MiB of them.
const SESSION_BUDGET: usize = 1 << 18;
/// How many of a file are looked at, however many files there are.
const SMALLEST_SHARE: usize = 64;
/// Files from which on it pays to look at them on all cores.
const PARALLEL_FILES: usize = 64;

/// Names of the sections that copies and the pointers of stubs are in.
const COPIES_SECTION: &[u8] = b"$__COPIES";
const POINTERS_SECTION: &[u8] = b"$__CANONICAL_PTRS";

/// The session's table of them.
#[derive(Debug, Default)]
pub(super) struct CanonicalAddresses {
    given: OnceLock<bool>,
    /// By the address in the process; `None` for what stays where it is.
    places: Mutex<FxHashMap<ExecutorAddr, Option<Place>>>,
}

/// The place in linked memory of a symbol of the process.
#[derive(Clone, Debug)]
struct Place {
    object: ProcessObject,
    claim: Arc<Claim>,
}

/// A symbol of the process whose place a batch makes.
#[derive(Debug)]
pub(super) struct Moved {
    from: ExecutorAddr,
    object: ProcessObject,
    claim: Arc<Claim>,
}

impl CanonicalAddresses {
    /// Whether symbols of the process get places; decided, and memory placed, by the first batch, whose parts are `parts`.
    pub fn are_given(&self, session: &Session, tables: &SymbolTables, parts: &[Part]) -> bool {
        *self.given.get_or_init(|| {
            let Some(placement) = wanted_placement(session, tables, parts) else {
                return false;
            };
            let placed = session.executor().memory().place(placement);
            if let Err(error) = &placed {
                log::warn!("code needs memory that is not to be had: {error}");
            }
            placed.is_ok()
        })
    }

    fn place(&self, executor: &dyn ExecutorProcessControl, from: ExecutorAddr) -> Option<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let new = |object| Place { object, claim: Arc::default() };
        places.entry(from).or_insert_with(|| executor.describe(from).map(new)).clone()
    }
}

/// What edges say about where memory has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Whether any stores an absolute address in fewer than 64 bits.
    low: bool,
    /// Whether any is of AArch64's tiny model, and leaves its section.
    tiny: bool,
}

impl Wishes {
    /// What edges say: for one of a kind, and whether it is sure to stay in its section.
    fn of_edge(arch: &dyn Architecture) -> impl Fn(EdgeKind, bool) -> Wishes + '_ {
        let kinds = arch.edge_kinds();
        move |kind, stays| {
            let low = kinds[usize::from(kind.0)].class == EdgeClass::LowAddress;
            Wishes { low, tiny: !stays && arch.is_tiny(kind) }
        }
    }

    /// What the first `budget` relocations of `file` say, as far as they are in `view`.
    pub fn of(file: &ObjectFile, view: FileView<'_>, budget: usize) -> Wishes {
        let mut wishes = Wishes::default();
        // Files for unknown architectures are refused when they are read.
        let Some(arch) = arch::of(file.target.arch) else { return wishes };
        let of_edge = Wishes::of_edge(arch);
        file.has_edge(view, &mut { budget }, &mut |kind, stays| {
            wishes = wishes.and(of_edge(kind, stays));
            wishes.low
        });
        wishes
    }

    fn and(self, other: Wishes) -> Wishes {
        Wishes { low: self.low || other.low, tiny: self.tiny || other.tiny }
    }
}

/// Where the memory has to be for the code of the program, as far as looking at some of it tells; `None` if it does not matter.
fn wanted_placement(session: &Session, tables: &SymbolTables, parts: &[Part]) -> Option<Placement> {
    let parallel = parts.len() >= PARALLEL_FILES && session.use_threads();
    let of_part = |part: &Part| of_part(session.arch(), part);
    let of_parts = if parallel {
        rt::in_pool(|| parts.par_iter().map(of_part).reduce(Wishes::default, Wishes::and))
    } else {
        parts.iter().map(of_part).fold(Wishes::default(), Wishes::and)
    };
    let wishes = if of_parts.low { of_parts } else { of_parts.and(of_files(session, tables, parts)) };
    match wishes {
        Wishes { low: true, .. } => Some(Placement::Low),
        // A larger program may have some such accesses that reach.
        Wishes { tiny: true, .. } => tiny_shares(sizes(tables)).map(Placement::Tiny),
        Wishes { .. } => None,
    }
}

/// What the edges of `part` say.
fn of_part(arch: &dyn Architecture, part: &Part) -> Wishes {
    let (graph, of_edge) = (&part.graph, &Wishes::of_edge(arch));
    let of_block = |block: BlockId| {
        graph.block_edges(block).iter().map(move |edge| {
            let place = graph.symbols[edge.target.index()].place;
            let stays = matches!(place, SymbolPlace::Defined { block: to, .. } if to == block);
            of_edge(edge.kind, stays)
        })
    };
    let kept = graph.block_ids().flat_map(of_block);
    kept.fold(Wishes { low: part.unkept.demand.low, tiny: false }, Wishes::and)
}

/// What the first relocations of files say that are not linked yet.
fn of_files(session: &Session, tables: &SymbolTables, parts: &[Part]) -> Wishes {
    let whole = |part: &Part| part.unit().filter(|unit| !unit.by_section()).map(|unit| unit.id);
    let known: std::collections::BTreeSet<_> = parts.iter().filter_map(whole).collect();
    let share = (SESSION_BUDGET / tables.units.len().max(1)).clamp(SMALLEST_SHARE, FILE_BUDGET);
    let of_unit = |unit: &Arc<MaterializationUnit>| match &unit.digest {
        Some(digest) => digest.wishes,
        None if known.contains(&unit.id) => Wishes::default(),
        None => Wishes::of(&unit.file, unit.file.view(), share),
    };
    if tables.units.len() >= PARALLEL_FILES && session.use_threads() {
        let units = tables.units.par_iter().with_min_len(PARALLEL_FILES / 2);
        return rt::in_pool(|| units.map(of_unit).reduce(Wishes::default, Wishes::and));
    }
    tables.units.iter().map(of_unit).fold(Wishes::default(), Wishes::and)
}

/// How many bytes all of the program has, by [`MemProt::index`]: its sections, and generously the stubs and pointers that its symbols may need.
fn sizes(tables: &SymbolTables) -> [u64; 3] {
    const STUB: u64 = 32;
    const POINTER: u64 = 16;
    let mut sizes = [0u64; 3];
    let mut add = |prot: MemProt, size: u64| sizes[prot.index()] = sizes[prot.index()].saturating_add(size);
    for unit in &tables.units {
        let symbols = unit.file.symbols.iter().filter(|symbol| symbol.is_global()).count() as u64;
        add(MemProt::ReadExec, symbols * STUB);
        add(MemProt::Read, symbols * POINTER);
        add(MemProt::ReadWrite, symbols * POINTER);
        for (index, section) in unit.file.sections.iter().enumerate() {
            if section.kind != SectionKind::Unloaded && !unit.is_discarded(index as u32) {
                add(section.prot, section.size.saturating_add(section.align));
            }
        }
    }
    sizes
}

/// Gives the symbols of the process that `parts` refer to by address their places, those without one in a part added to `parts`.
pub(super) fn give_addresses(
    closure: &Closure<'_>,
    session: &Session,
    parts: &mut Vec<Part>,
    found: &mut Findings,
) -> Vec<Moved> {
    let executor = session.executor();
    let mut made = Part::synthesized("<symbols of the process>".into(), session.target());
    let mut moved = Vec::new();
    for part in parts.iter_mut() {
        for (symbol, branch) in std::mem::take(&mut part.process) {
            let SymbolPlace::Absolute(from) = part.graph.symbols[symbol.index()].place else {
                continue;
            };
            if branch {
                part.graph.symbols[symbol.index()].place = SymbolPlace::Absolute(executor.stand_in(from));
                continue;
            }
            let Some(Place { object, claim }) = session.canonical.place(executor, from) else {
                continue;
            };
            match claim.claim(closure.batch) {
                Claimed::New => {
                    add_place(closure, &mut made, from, object, &claim);
                    moved.push(Moved { from, object, claim: claim.clone() });
                }
                Claimed::Ours => {}
                Claimed::Other(batch) => found.need(batch),
            }
            let size = match object {
                ProcessObject::Data { size, .. } => size,
                ProcessObject::Function => 0,
            };
            part.make_external(symbol, size, Slot::Claim(claim));
        }
    }
    if !moved.is_empty() {
        parts.push(made);
    }
    moved
}

/// Adds the place of the symbol at `from` to `part`.
fn add_place(closure: &Closure<'_>, part: &mut Part, from: ExecutorAddr, object: ProcessObject, claim: &Arc<Claim>) {
    let block = match object {
        ProcessObject::Data { size, align } => {
            let section = part.graph.add_section(COPIES_SECTION, MemProt::ReadWrite);
            part.graph.add_block(section, Content::ZeroFill, size, align)
        }
        ProcessObject::Function => {
            let function = part.absolute(b"", closure.executor.stand_in(from));
            let section = part.graph.add_section(POINTERS_SECTION, MemProt::Read);
            let pointers = add_pointers(closure.arch, &mut part.graph, section, 1, |_| (function, 0));
            let pointer = part.graph.add_anonymous_symbol(pointers, 0, 8);
            let code = part.graph.add_section(STUBS_SECTION, MemProt::ReadExec);
            add_row(&mut part.graph, code, closure.arch.pointer_jump_stub(), 1, |_| (pointer, 0))
        }
    };
    part.published.push((block, Publish::Claim(claim.clone())));
}

/// Makes the process use the places that a batch has made, whose memory is final.
///
/// Errors: what [`ExecutorProcessControl::rebind`] says.
pub(super) fn rebind(executor: &dyn ExecutorProcessControl, moved: &[Moved]) -> Result<(), ExecutorError> {
    if moved.is_empty() {
        return Ok(());
    }
    let rebinding = |m: &Moved| Rebinding { from: m.from, to: m.claim.address(), object: m.object };
    executor.rebind(&moved.iter().map(rebinding).collect::<Vec<_>>())
}
