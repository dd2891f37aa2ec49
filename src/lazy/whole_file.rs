//! Which sections are linked when a file is linked as a whole.
//!
//! A static linker links all of a file, and so does a session that runs the program. A session that only links does as JITLink, and
//! strips what is dead: of sections without a global symbol only those are linked that something linked refers to, directly or not.

use super::symbol_table::{Definition, SymbolTables};
use super::unit::{Laziness, MaterializationUnit};
use crate::link::object_file::{ObjectPlace, SectionKind};

/// The sections of `unit` that are linked whether or not anything refers to them, ascending; `claimed` is what made the file be
/// linked, and `strips` says whether dead sections are left out.
pub(super) fn sections(tables: &SymbolTables, unit: &MaterializationUnit, claimed: &[u32], strips: bool) -> Vec<u32> {
    let strips = strips && unit.laziness == Laziness::Eager;
    let named = if strips { sections_with_symbols(tables, unit) } else { Vec::new() };
    let stays = |section: u32| {
        let s = unit.file.sections.at(section as usize);
        s.kind != SectionKind::Loaded
            || s.linked_to.is_some()
            || named[section as usize]
            || claimed.contains(&section)
            || !unit.file.format.may_strip(section)
            || tables.set_of(unit, section).is_some()
    };
    let all = 0..unit.file.sections.len() as u32;
    all.filter(|&s| belongs_to_whole(tables, unit, s) && (!strips || stays(s))).collect()
}

/// Whether the static program would contain `section`.
fn belongs_to_whole(tables: &SymbolTables, unit: &MaterializationUnit, section: u32) -> bool {
    if unit.is_discarded(section) {
        return false;
    }
    match unit.file.sections.at(section as usize).kind {
        SectionKind::Loaded | SectionKind::Initializers(_) | SectionKind::Finalizers(_) => true,
        SectionKind::InitializerCode | SectionKind::FinalizerCode => true,
        SectionKind::Common => is_used_common(tables, unit, section),
        // Thread-local sections are claimed one by one.
        SectionKind::Unloaded | SectionKind::Unwind | SectionKind::ThreadLocal => false,
    }
}

/// Whether the common symbol in `section` is the one the program uses.
fn is_used_common(tables: &SymbolTables, unit: &MaterializationUnit, section: u32) -> bool {
    let symbols = unit.file.symbols.iter().enumerate();
    let mut common = symbols.filter(|(_, symbol)| symbol.place == ObjectPlace::Common(section));
    common.any(|(index, _)| is_used(tables, unit, index))
}

/// Whether symbol `index` of the file is global, and the one of its name that the program uses.
fn is_used(tables: &SymbolTables, unit: &MaterializationUnit, index: usize) -> bool {
    let entry = unit.entries[index];
    let own = Definition::Unit { unit: unit.id, symbol: index as u32 };
    entry != MaterializationUnit::LOCAL && tables.entries[entry.index()].definition == own
}

/// For each section whether a global symbol that the program uses is in it.
fn sections_with_symbols(tables: &SymbolTables, unit: &MaterializationUnit) -> Vec<bool> {
    let mut named = vec![false; unit.file.sections.len()];
    for (index, symbol) in unit.file.symbols.iter().enumerate() {
        if let ObjectPlace::Section(section) = symbol.place
            && is_used(tables, unit, index)
        {
            named[section as usize] = true;
        }
    }
    named
}
