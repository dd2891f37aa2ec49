//! Calls of a file's local functions: the large ones are linked when they are called, as global functions are.
//!
//! A local function could be linked with its callers: only its own file has them. But what a function may call is much more than it does
//! call: of a compiler's local functions that its lazy code would bring along, two thirds are never called, and these are two fifths of all
//! code that is linked. A first call costs about as much as linking a small function, so it is worth it for large ones.
//!
//! Only calls go through an entry point. Whoever takes a local function's address gets the body, which is linked with it, so the function has
//! one address without further ado. And only functions that are called as the psABI says: compilers move rarely used pieces of
//! functions into local functions of their own (`f.cold`), which use the frame of the function that jumps to them and what is below it.

use super::closure::Expansion;
use super::part::UnitPart;
use super::unit::MaterializationUnit;
use crate::base::MemProt;
use crate::link::file_view::FileView;
use crate::link::object_file::{ObjectEdge, ObjectPlace, SymbolKind};
use crate::link::{ObjectFile, SymbolId};
use std::sync::Arc;

/// From how many bytes on a local function is worth a first call.
const LARGE: u64 = 256;

/// What compilers call the pieces of a function that use its frame.
const PIECE: &[u8] = b".cold";

/// The local functions of `file` that have entry points unless they are discarded, ascending: large ones alone in their sections. Names are looked at
/// through `view`.
pub(super) fn large_local_functions(file: &ObjectFile, view: FileView<'_>) -> Vec<u32> {
    // By section: how many functions are in it, and the last of them.
    let mut functions = vec![(0u32, 0u32); file.sections.len()];
    for (index, symbol) in file.symbols.iter().enumerate() {
        if let (SymbolKind::Function, ObjectPlace::Section(section)) = (symbol.kind, symbol.place) {
            let (count, last) = &mut functions[section as usize];
            *count += 1;
            *last = index as u32;
        }
    }
    let alone = functions.iter().zip(file.sections.iter()).filter_map(|(&(count, function), section)| {
        let is_large = section.prot == MemProt::ReadExec && section.size >= LARGE;
        (count == 1 && is_large).then_some(function)
    });
    // Local ones, and called as functions are.
    let may_be_called_by_stub = |&function: &u32| {
        let symbol = file.symbols.at(function as usize);
        let is_piece = || view.look_at(symbol.name).windows(PIECE.len()).any(|part| part == PIECE);
        !symbol.is_global() && symbol.value == 0 && !is_piece()
    };
    let mut large: Vec<u32> = alone.filter(may_be_called_by_stub).collect();
    large.sort_unstable();
    large
}

impl MaterializationUnit {
    /// The local functions that have entry points, where sections are linked one by one.
    pub(super) fn local_functions(&self) -> Vec<u32> {
        if !self.by_section() {
            return Vec::new();
        }
        let mut large = match &self.digest {
            Some(digest) => digest.large_local_functions.clone(),
            None => large_local_functions(&self.file, self.file.view()),
        };
        let is_kept = |function: &u32| self.place(*function).is_none_or(|(section, _)| !self.is_discarded(section));
        large.retain(is_kept);
        large
    }
}

impl Expansion<'_, '_> {
    /// The graph's symbol for the entry point of the local function that `edge`, in `section` of `unit`, calls; `None` if it has
    /// none, is linked already, or is not called.
    pub(super) fn local_entry_point(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        edge: &ObjectEdge,
    ) -> Option<SymbolId> {
        let points = unit.entry_points?;
        if unit.entries[edge.symbol as usize] != MaterializationUnit::LOCAL {
            return None;
        }
        let symbol = unit.file.symbols.at(edge.symbol as usize);
        let ObjectPlace::Section(callee) = symbol.place else { return None };
        let arch = self.closure.arch;
        let caller = unit.file.sections.at(section as usize);
        let is_worth_it = callee != section && unit.file.sections.at(callee as usize).size >= LARGE;
        if !is_worth_it || caller.prot != MemProt::ReadExec || unit.owner(callee).is_some() {
            return None;
        }
        let behind = arch.behind_target(edge.kind, edge.addend);
        let is_start = symbol.value.wrapping_add_signed(behind) == 0;
        if !is_start || !arch.is_call(edge.kind, caller.content, edge.offset as usize) {
            return None;
        }
        let number = unit.functions_in(callee).next()?;
        let known = self.unit_part().local_calls[number as usize];
        if known != UnitPart::NONE {
            return Some(SymbolId(known));
        }
        let function = unit.file.symbols.at(unit.functions()[number as usize] as usize);
        // A section whose only function is a local one has no other entry points.
        if function.is_global() {
            return None;
        }
        let id = self.entry_point(points, number, true, function.name, function.size);
        self.unit_part().local_calls[number as usize] = id.0;
        Some(id)
    }
}
