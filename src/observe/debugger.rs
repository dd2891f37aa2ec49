//! Debuggers: every batch is told to them, with names, unwind records and debug information.
//!
//! One batch is one object file for the debugger, however many files are in it: a debugger takes as long to learn of an
//! object file as it knows others. Only files that are linked section by section have an object file each, which is replaced when more of
//! them is linked: their debug information is one piece that describes all of their functions.

use super::debug_info::{DebugInfo, FileDebugInfo};
use super::symfile::{Symbol, Symfile};
use crate::base::{AddrRange, Arch, ExecutorAddr, MemProt};
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::object_file::{ObjectFile, ObjectPlace, SymbolKind};
use crate::rt::Registration;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Mutex, PoisonError};

/// Tells debuggers of linked code, through the interface that GDB has for JIT compilers.
///
/// Debug information that cannot be read is left out, with a warning in the log.
#[derive(Debug, Default)]
pub struct DebuggerSupport {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Files that are linked as a whole and have been told.
    whole: FxHashSet<u32>,
    growing: FxHashMap<u32, Growing>,
    /// Registered for good.
    batches: Vec<Registration>,
}

/// A file of which sections are linked one by one.
#[derive(Debug)]
enum Growing {
    /// There is no debug information: nothing is gained by an object file of its own.
    Plain,
    /// Its object file, as it is now.
    Described { debug: FileDebugInfo, symfile: Symfile, registration: Option<Registration> },
}

impl Plugin for DebuggerSupport {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let Some(arch) = graphs.first().map(|g| g.graph.target.arch) else {
            return Ok(());
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Symfile { unwind: unwind_records(graphs), ..Symfile::default() };
        let mut debug = DebugInfo::default();
        for graph in graphs {
            let Some((number, file)) = graph.file() else {
                add_ranges(&mut batch, graph);
                add_blocks(&mut batch, graph);
                continue;
            };
            let partial = graph.is_partial();
            if !partial || !known.growing.entry(number).or_insert_with(|| Growing::new(file)).add(arch, graph, file) {
                add_ranges(&mut batch, graph);
                let sections = linked_sections(graph);
                add_symbols(&mut batch, file, &sections);
                if !sections.is_empty() && !partial && known.whole.insert(number) {
                    add_debug_info(&mut debug, file, &sections);
                }
            }
        }
        if batch.code.is_empty() && batch.data.is_empty() && batch.unwind.is_none() {
            return Ok(());
        }
        known.batches.push(Registration::new(batch.write(arch, &debug).into()));
        Ok(())
    }
}

impl Growing {
    fn new(file: &ObjectFile) -> Growing {
        match FileDebugInfo::read(file) {
            Ok(debug) if debug.is_empty() => Growing::Plain,
            Ok(debug) => Growing::Described { debug, symfile: Symfile::default(), registration: None },
            Err(error) => {
                log::warn!("debug information is left out: {error}");
                Growing::Plain
            }
        }
    }

    /// Adds the sections of `graph`, and tells debuggers of all that is linked of `file` now; does nothing and says so if that
    /// is not to be done here.
    fn add(&mut self, arch: Arch, graph: &FixedUpGraph<'_>, file: &ObjectFile) -> bool {
        let Growing::Described { debug, symfile, registration } = self else {
            return false;
        };
        let sections = linked_sections(graph);
        if sections.is_empty() {
            return true;
        }
        for (&section, &address) in &sections {
            if let Err(error) = debug.link(file, section, address) {
                log::warn!("some debug information is left out: {error}");
            }
        }
        add_ranges(symfile, graph);
        add_symbols(symfile, file, &sections);
        if let Some(before) = registration.take() {
            before.forget();
        }
        *registration = Some(Registration::new(symfile.write(arch, &debug.to_debug_info()).into()));
        true
    }
}

fn add_debug_info(debug: &mut DebugInfo, file: &ObjectFile, sections: &FxHashMap<u32, ExecutorAddr>) {
    if let Err(error) = debug.add(file, |section| sections.get(&section).copied()) {
        log::warn!("debug information is left out: {error}");
    }
}

/// The sections of the graph's file in memory that threads share, and their addresses.
fn linked_sections(graph: &FixedUpGraph<'_>) -> FxHashMap<u32, ExecutorAddr> {
    let blocks = &graph.graph.blocks;
    let shared = |block: &crate::link::Block| !graph.graph.sections[block.section.index()].thread_local;
    let sections = graph.file_sections().map(|(section, block)| (section, &blocks[block.index()]));
    sections.filter(|(_, block)| shared(block)).map(|(section, block)| (section, block.address)).collect()
}

fn add_ranges(symfile: &mut Symfile, graph: &FixedUpGraph<'_>) {
    for block in &graph.graph.blocks {
        let section = &graph.graph.sections[block.section.index()];
        if section.thread_local || block.size == 0 || section.name == b".eh_frame" {
            continue;
        }
        let ranges = if section.prot == MemProt::ReadExec { &mut symfile.code } else { &mut symfile.data };
        ranges.push(AddrRange::new(block.address, block.size));
    }
}

/// The symbols of `file` in `sections`, which are linked.
fn add_symbols(symfile: &mut Symfile, file: &ObjectFile, sections: &FxHashMap<u32, ExecutorAddr>) {
    for symbol in file.symbols.iter() {
        let (ObjectPlace::Section(section) | ObjectPlace::Common(section)) = symbol.place else { continue };
        let Some(start) = sections.get(&section).filter(|_| !symbol.name.is_empty()) else { continue };
        symfile.symbols.push(Symbol {
            name: symbol.name.to_vec(),
            address: start.offset(symbol.value),
            size: symbol.size,
            is_function: symbol.kind != SymbolKind::Data && symbol.kind != SymbolKind::ThreadLocal,
            is_local: !symbol.is_global(),
        });
    }
}

/// A symbol for each block of code that the linker has made itself.
fn add_blocks(symfile: &mut Symfile, graph: &FixedUpGraph<'_>) {
    for block in &graph.graph.blocks {
        if graph.graph.sections[block.section.index()].prot == MemProt::ReadExec {
            symfile.symbols.push(Symbol {
                name: graph.graph.name.clone().into_bytes(),
                address: block.address,
                size: block.size,
                is_function: true,
                is_local: true,
            });
        }
    }
}

/// The unwind records of a batch, which lie one behind another.
fn unwind_records(graphs: &[FixedUpGraph<'_>]) -> Option<(ExecutorAddr, Vec<u8>)> {
    let mut pieces: Vec<(ExecutorAddr, &[u8])> = Vec::new();
    for graph in graphs {
        for block in graph.graph.block_ids() {
            let of = &graph.graph.blocks[block.index()];
            if graph.graph.sections[of.section.index()].name == b".eh_frame" {
                pieces.push((of.address, graph.content(block)));
            }
        }
    }
    pieces.sort_unstable_by_key(|(address, _)| *address);
    let start = pieces.first()?.0;
    let mut records = Vec::new();
    for (address, piece) in pieces {
        records.resize((address.0 - start.0) as usize, 0);
        records.extend_from_slice(piece);
    }
    Some((start, records))
}
