//! Waiting for memory for many things at once.
//!
//! What a big program's symbols say is spread over more memory than caches hold, and each lookup is a chain: from the file's symbol to
//! the entry of its name, to the file that defines it, to the symbol there. Followed one by one, each step of each chain waits for
//! memory. Here each step is done for all chains before the next step is: a processor waits for several of them at a time.
//! The answers are thrown away; what is asked next is in the cache.

use super::ids::EntryId;
use super::name_table::{GlobalName, Names};
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::link::file_view::FileView;
use crate::link::object_file::{ObjectFile, ObjectPlace};
use std::hint::black_box;

impl SymbolTables {
    /// Brings what `symbols` of `unit` stand for into the cache, as far as [`super::closure`] looks at it.
    pub fn fetch_definitions(&self, unit: &MaterializationUnit, symbols: impl Iterator<Item = u32> + Clone) {
        let of_file = symbols.clone().map(|symbol| unit.file.symbols.at(symbol as usize));
        black_box(of_file.fold(0, |sum, symbol| sum ^ symbol.value));
        let entries = symbols.map(|symbol| unit.entries[symbol as usize]);
        let entries = entries.filter(|&entry| entry != MaterializationUnit::LOCAL);
        black_box(entries.clone().fold(0, |sum, entry| sum ^ entry.0));
        let definitions = entries.map(|entry| self.entries[entry.index()].definition);
        black_box(definitions.clone().filter(|&definition| definition == Definition::Undefined).count());
        let defined = definitions.filter_map(|definition| match definition {
            Definition::Unit { unit, symbol } => Some(self.units[unit.index()].file.symbols.at(symbol as usize)),
            _ => None,
        });
        black_box(defined.filter(|symbol| matches!(symbol.place, ObjectPlace::Section(_))).count());
    }

    /// Brings what `sections` of `unit` are linked from into the cache: bytes, relocations, and unwind records.
    pub fn fetch_sections(&self, unit: &MaterializationUnit, sections: impl Iterator<Item = u32> + Clone) {
        let unwind = unit.known_unwind();
        let frames = |section| unwind.map_or(&[][..], |unwind| unwind.frames_of(section));
        let of_section = |section: u32| {
            let content = unit.file.sections.at(section as usize).content;
            let relocations = unit.file.format.relocation_bytes(section);
            [content.len(), relocations.len(), frames(section).len()]
        };
        black_box(sections.clone().flat_map(of_section).fold(0, |sum, length| sum ^ length));
        for section in sections {
            touch(unit.file.format.relocation_bytes(section));
            touch(unit.file.sections.at(section as usize).content);
            if let Some(unwind) = unwind {
                frames(section).iter().for_each(|frame| touch(unwind.record(frame)));
            }
        }
    }

    /// Brings `entries` into the cache, those that there are.
    pub fn fetch_entries(&self, entries: impl Iterator<Item = EntryId>) {
        let known = entries.filter_map(|entry| self.entries.get(entry.index()));
        black_box(known.filter(|entry| entry.group.is_some() || entry.definition == Definition::Undefined).count());
    }
}

/// Brings the first of `bytes` into the cache.
fn touch(bytes: &[u8]) {
    const LINE: usize = 64;
    const LINES: usize = 12;
    black_box(bytes.iter().step_by(LINE).take(LINES).fold(0, |sum, byte| sum ^ byte));
}

impl Names {
    /// Looks up the entries of `wanted`, global symbols of `file`, whose names are looked at through `view`: of those of which no entry is known yet.
    pub fn find_all(&self, file: &ObjectFile, view: FileView<'_>, wanted: &mut [GlobalName]) {
        if self.is_empty() {
            return;
        }
        let candidates: Vec<Option<u32>> = wanted.iter().map(|name| self.candidate(name.hash)).collect();
        let names = candidates.iter().flatten().map(|&at| self.name(at));
        black_box(names.clone().fold(0, |sum, name| sum ^ name.len()));
        // Long names begin and end on different cache lines.
        black_box(names.fold(0, |sum, name| sum ^ name.first().unwrap_or(&0) ^ name.last().unwrap_or(&0)));
        for (global, candidate) in wanted.iter_mut().zip(candidates) {
            let (Some(candidate), GlobalName::UNKNOWN) = (candidate, global.entry) else { continue };
            let name = view.look_at(file.symbols.at(global.symbol as usize).name);
            let found = if self.name(candidate) == name {
                Some(self.entry(candidate))
            } else {
                // Another name of the same hash.
                self.find(name, global.hash)
            };
            global.entry = found.unwrap_or(GlobalName::UNKNOWN);
        }
    }
}
