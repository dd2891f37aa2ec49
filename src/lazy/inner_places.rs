//! References to places in and around functions that have entry points.
//!
//! What refers to a function gets its entry point: a stub of a few bytes, whose place is the function's address. `jmp f+4` and
//! `(char *)f + 16` mean a place in the body, `(char *)f - 16` one before it, and there is no such place around the stub; so the body is
//! linked with whatever refers to it in that way. The function keeps its one address.
//!
//! An address with an offset of less than an instruction is the function's address all the same: programs keep marks in the lowest
//! bits of pointers, which they take off again before they call or compare.

use super::closure::Expansion;
use super::entry_points::Implementation;
use super::error::SessionError;
use super::ids::EntryId;
use super::symbol_table::Definition;
use super::unit::MaterializationUnit;
use crate::base::MemProt;
use crate::link::arch::Architecture;
use crate::link::object_file::{ObjectEdge, ObjectPlace, ObjectSymbol};
use crate::link::{EdgeClass, SymbolId};
use std::sync::Arc;

/// From which offset on an address is that of a place inside a function, in bytes.
const MARKS: i64 = 4;

/// The definition that a reference to a place inside a function is about.
struct Function<'a> {
    unit: &'a Arc<MaterializationUnit>,
    symbol: u32,
    section: u32,
}

impl<'a> Expansion<'_, 'a> {
    /// The graph's symbol for the body of the function that `edge`, in `section` of `unit`, refers to, if it means a place inside
    /// of a function that has an entry point.
    pub(super) fn inner_place(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        edge: &ObjectEdge,
        class: EdgeClass,
    ) -> Result<Option<SymbolId>, SessionError> {
        let Some(function) = self.function_around(unit, section, edge, class) else {
            return Ok(None);
        };
        let symbol = function.symbol();
        self.section_symbol(function.unit, function.section, symbol.value, symbol.name, symbol.size).map(Some)
    }

    /// Whether `edge`, in `section` of `unit`, means a place inside of a function that has an entry point.
    pub(super) fn is_inside_function(&self, unit: &MaterializationUnit, section: u32, edge: &ObjectEdge) -> bool {
        let class = self.closure.arch.edge_kinds()[usize::from(edge.kind.0)].class;
        self.function_around(unit, section, edge, class).is_some()
    }

    /// Whether any function has an entry point: where nothing is lazy, no edge need be looked at.
    pub(super) fn has_entry_points(&self) -> bool {
        !self.closure.tables.entry_points.is_empty()
    }

    /// The function that has an entry point and that `edge` means a place inside of.
    fn function_around(
        &self,
        unit: &MaterializationUnit,
        section: u32,
        edge: &ObjectEdge,
        class: EdgeClass,
    ) -> Option<Function<'a>> {
        // Most references are calls, and these mean the function itself.
        if self.closure.branches_to_start(edge, class) {
            return None;
        }
        let entry = unit.entries[edge.symbol as usize];
        if entry == MaterializationUnit::LOCAL || !self.has_entry_points() {
            return None;
        }
        let in_code = unit.file.sections.at(section as usize).prot == MemProt::ReadExec;
        let behind = behind_function(self.closure.arch, edge, class, in_code);
        if behind == 0 {
            return None;
        }
        let is_mark = (1..MARKS).contains(&behind) && !matches!(class, EdgeClass::Branch { .. });
        if is_mark { None } else { self.function(entry) }
    }

    /// The function with an entry point that `entry` stands for.
    fn function(&self, entry: EntryId) -> Option<Function<'a>> {
        let tables = self.closure.tables;
        match tables.entries[tables.follow(entry).index()].definition {
            Definition::Unit { unit, symbol } => {
                let unit = &tables.units[unit.index()];
                match unit.file.symbols.at(symbol as usize).place {
                    ObjectPlace::Section(section) if unit.is_entry_point(symbol) => {
                        Some(Function { unit, symbol, section })
                    }
                    _ => None,
                }
            }
            Definition::LazyReexport { points, number } => {
                match tables.entry_points[points.index()].implementation(number) {
                    Implementation::Symbol { dylib, name } => self.function(tables.find(dylib, name.as_bytes())?),
                    Implementation::Body { .. } => None,
                }
            }
            _ => None,
        }
    }
}

impl<'a> Function<'a> {
    fn symbol(&self) -> ObjectSymbol {
        self.unit.file.symbols.at(self.symbol as usize)
    }
}

/// How many bytes behind a function the place is that `edge` refers to; zero where that cannot be said.
fn behind_function(arch: &dyn Architecture, edge: &ObjectEdge, class: EdgeClass, in_code: bool) -> i64 {
    match class {
        EdgeClass::Branch { .. } => arch.behind_target(edge.kind, edge.addend),
        // What counts from a place in data may count from any.
        EdgeClass::Address | EdgeClass::LowAddress if in_code || !arch.is_relative(edge.kind) => {
            arch.behind_target(edge.kind, edge.addend)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::arch::aarch64::{self, Aarch64};
    use crate::link::arch::x86_64::{self, X86_64};

    #[test]
    fn how_far_behind_a_function_references_go() {
        use aarch64::kind as a;
        use x86_64::kind as x;
        let arches: [&dyn Architecture; 2] = [&X86_64, &Aarch64];
        for (arch, kind, addend, in_code, behind) in [
            (arches[0], x::BRANCH_PCREL32, -4, true, 0),
            (arches[0], x::BRANCH_PCREL32, 8, true, 12),
            (arches[0], x::FUNCTION_DELTA32, 8, false, 0),
            (arches[0], x::DELTA32, 4, true, 8),
            (arches[0], x::DELTA32, 4, false, 0),
            (arches[0], x::POINTER64, 16, false, 16),
            (arches[0], x::POINTER32_SIGNED, 16, true, 16),
            (arches[0], x::REQUEST_GOT_LOAD_REX, -4, true, 0),
            (arches[1], a::BRANCH26, 0, true, 0),
            (arches[1], a::BRANCH26, 8, true, 8),
            (arches[1], a::FUNCTION_DELTA32, 8, false, 0),
            (arches[1], a::PAGE21, 8, true, 8),
            (arches[1], a::PAGE_OFFSET12, 8, true, 8),
            (arches[1], a::DELTA32, 8, false, 0),
            (arches[1], a::POINTER64, 8, false, 8),
        ] {
            let edge = ObjectEdge { offset: 0, kind, symbol: 1, addend, in_module: false };
            let info = &arch.edge_kinds()[usize::from(kind.0)];
            assert_eq!(behind_function(arch, &edge, info.class, in_code), behind, "{} {addend}", info.name);
        }
    }
}
