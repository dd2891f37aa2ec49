//! What the edges of a file refer to: the graph's symbols for them.
//!
//! A reference is to a place in the part itself, to one that another part or batch links, to an entry point, or to an address that
//! linking does not choose. What it finds that nobody links yet, it claims for the batch.

use super::claims::Claimed;
use super::closure::Expansion;
use super::error::SessionError;
use super::ids::{EntryId, EntryPointsId};
use super::part::{Slot, UnitPart};
use super::symbol_table::Definition;
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectEdge, ObjectPlace, SectionKind, SymbolKind};
use crate::link::{EdgeClass, LinkError, Linkage, SymbolId, SymbolPlace};
use std::sync::Arc;

impl Expansion<'_, '_> {
    /// The graph's symbol for the target of `edge`, of class `class` in `section`, which nothing is known of yet: it may be a place inside of a
    /// function, or a local function with an entry point.
    pub(super) fn new_target(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        edge: &ObjectEdge,
        class: EdgeClass,
    ) -> Result<SymbolId, SessionError> {
        if let Some(body) = self.inner_place(unit, section, edge, class)? {
            return Ok(body);
        }
        match self.local_entry_point(unit, section, edge) {
            Some(entry_point) => Ok(entry_point),
            None => self.edge_target(unit, edge, class),
        }
    }

    /// The graph's symbol for the target of `edge`, of class `class`.
    pub(super) fn edge_target(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        edge: &ObjectEdge,
        class: EdgeClass,
    ) -> Result<SymbolId, SessionError> {
        if class.is_thread_local() {
            return self.thread_local_target(unit, edge, class);
        }
        self.target(unit, edge.symbol, matches!(class, EdgeClass::Branch { .. }))
    }

    /// The graph's symbol for symbol `index` of the file, as branches or as other edges mean it.
    pub(super) fn target(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
        branch: bool,
    ) -> Result<SymbolId, SessionError> {
        let part = self.unit_part();
        let known = if branch { part.branches[index as usize] } else { part.symbols[index as usize] };
        if known != UnitPart::NONE {
            return Ok(SymbolId(known));
        }
        let symbol = unit.file.symbols.at(index as usize);
        // Calls are told from other references to global functions: those may have an entry point.
        let differs = symbol.is_global() && symbol.kind != SymbolKind::IndirectFunction;
        if branch && !differs {
            let id = self.target(unit, index, false)?;
            self.unit_part().branches[index as usize] = id.0;
            return Ok(id);
        }
        self.check_not_thread_local(unit, index)?;
        let id = if !symbol.is_global() || symbol.name.is_empty() {
            self.local_symbol(unit, index)?
        } else {
            let weak = symbol.linkage == Linkage::Weak && symbol.place == ObjectPlace::Undefined;
            self.entry_symbol(Some(unit), unit.entries[index as usize], branch, weak)?
        };
        let part = self.unit_part();
        let map = if branch { &mut part.branches } else { &mut part.symbols };
        map[index as usize] = id.0;
        Ok(id)
    }

    /// The graph's symbol for symbol `index` of the file in an unwind record: always the body, never an entry point.
    pub(super) fn unwind_target(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
    ) -> Result<SymbolId, SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        match symbol.place {
            ObjectPlace::Section(section) if unit.is_entry_point(index) && !unit.is_discarded(section) => {
                self.section_symbol(unit, section, symbol.value, symbol.name, symbol.size)
            }
            _ => self.target(unit, index, false),
        }
    }

    /// The graph's symbol for symbol `index` of the file, which no other file sees.
    pub(super) fn local_symbol(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
    ) -> Result<SymbolId, SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        match symbol.place {
            ObjectPlace::Section(section) if symbol.kind == SymbolKind::IndirectFunction => {
                self.indirect_symbol(unit, index, section)
            }
            ObjectPlace::Section(section) | ObjectPlace::Common(section) => {
                self.section_symbol(unit, section, symbol.value, symbol.name, symbol.size)
            }
            ObjectPlace::Absolute => Ok(self.part.absolute(symbol.name, ExecutorAddr(symbol.value))),
            ObjectPlace::Alias(other) => self.target(unit, other, false),
            ObjectPlace::Undefined => Err(LinkError::malformed(
                &unit.file.name,
                format_args!("symbol {index} ({})", String::from_utf8_lossy(symbol.name)),
                "a local symbol is undefined",
            )
            .into()),
        }
    }

    /// The graph's symbol for `id`, wherever it is defined. `from` is the file that refers to it.
    pub(super) fn entry_symbol(
        &mut self,
        from: Option<&Arc<MaterializationUnit>>,
        id: EntryId,
        branch: bool,
        weak: bool,
    ) -> Result<SymbolId, SessionError> {
        let tables = self.closure.tables;
        let id = tables.follow(id);
        let entry = &tables.entries[id.index()];
        match entry.definition {
            Definition::Unit { unit, symbol } => self.defined_symbol(&tables.units[unit.index()], symbol, branch),
            Definition::Absolute(address) => Ok(self.part.absolute(entry.name, address)),
            Definition::GotBase => Ok(self.part.external(entry.name, 0, Slot::GotBase)),
            Definition::LazyReexport { points, number } => Ok(self.entry_point(points, number, branch, entry.name, 0)),
            Definition::SectionBound { set, end } => {
                let bounds = tables.dylibs[entry.dylib.index()].sets[set.index()].bounds.clone();
                if let Some(&(unit, section)) = tables.set_sections(entry.dylib, set).first() {
                    self.require(&tables.units[unit.index()], section);
                }
                if let Some(batch) = bounds.start.owner() {
                    self.found.need(batch);
                }
                Ok(self.part.external(entry.name, 0, Slot::SetBound { bounds, end }))
            }
            Definition::DsoHandle => {
                let handle = tables.dylibs[entry.dylib.index()].dso_handle.clone();
                match handle.claim(self.closure.batch) {
                    Claimed::New => self.found.dso_handles.push(entry.dylib),
                    Claimed::Ours => {}
                    Claimed::Other(batch) => self.found.need(batch),
                }
                Ok(self.part.external(entry.name, 0, Slot::Claim(handle)))
            }
            Definition::MemoryBound { end } => self.memory_bound(entry.name, end),
            Definition::Undefined | Definition::Alias(_) => {
                let address = entry.process.get().or_else(|| {
                    let dylib = &tables.dylibs[entry.dylib.index()];
                    let null = dylib.phony_externals || dylib.null_names.contains(entry.name);
                    null.then(|| entry.process.set(ExecutorAddr::NULL))
                });
                if address.is_none() && !weak {
                    let referrer = from.map(|u| u.file.name.clone());
                    self.found.missing.push((entry.name, referrer));
                }
                let symbol = self.part.absolute(entry.name, address.unwrap_or(ExecutorAddr::NULL));
                if address.is_some() {
                    self.part.process.push((symbol, branch));
                }
                Ok(symbol)
            }
        }
    }

    /// The graph's symbol for symbol `index`, which `unit` defines for the whole JITDylib.
    fn defined_symbol(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
        branch: bool,
    ) -> Result<SymbolId, SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        if unit.is_entry_point(index)
            && let (Some(points), Some(number)) = (unit.entry_points, unit.function_number(index))
        {
            let number = if branch { number } else { unit.same_address(number) };
            return Ok(self.entry_point(points, number, branch, symbol.name, symbol.size));
        }
        match symbol.place {
            ObjectPlace::Section(section) if symbol.kind == SymbolKind::IndirectFunction => {
                self.indirect_symbol(unit, index, section)
            }
            ObjectPlace::Section(section) | ObjectPlace::Common(section) => {
                self.section_symbol(unit, section, symbol.value, symbol.name, symbol.size)
            }
            _ => Ok(self.part.absolute(symbol.name, ExecutorAddr(symbol.value))),
        }
    }

    /// The graph's symbol for entry point `number` of entry points `id`.
    pub(super) fn entry_point(
        &mut self,
        id: EntryPointsId,
        number: u32,
        branch: bool,
        name: &'static [u8],
        size: u64,
    ) -> SymbolId {
        let points = &self.closure.tables.entry_points[id.index()];
        match points.stubs.claim(self.closure.batch) {
            Claimed::New => self.found.entry_points.push(points.clone()),
            Claimed::Ours => {}
            Claimed::Other(batch) => self.found.need(batch),
        }
        self.part.external(name, size, Slot::EntryPoint { points: id, number, branch })
    }

    /// The graph's symbol for a place in a section, of the part's own file or of another one.
    pub(super) fn section_symbol(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        offset: u64,
        name: &'static [u8],
        size: u64,
    ) -> Result<SymbolId, SessionError> {
        let own = self.part.unit().is_some_and(|u| u.id == unit.id);
        check_is_linked(unit, section, name, own)?;
        let linked_here = self.require(unit, section);
        if own && linked_here {
            let block = self.block(unit, section)?;
            return Ok(self.part.symbol(name, size, SymbolPlace::Defined { block, offset }));
        }
        Ok(self.part.external_section(name, size, unit, (section, offset)))
    }

    /// The graph's symbol for the stub of an indirect function.
    fn indirect_symbol(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
        section: u32,
    ) -> Result<SymbolId, SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        let Some(number) = unit.indirect_number(index) else {
            // In a discarded section: refused there, with the reason.
            return self.section_symbol(unit, section, symbol.value, symbol.name, symbol.size);
        };
        match unit.indirect.claim(self.closure.batch) {
            Claimed::New => self.found.indirect.push(unit.clone()),
            Claimed::Ours => {}
            Claimed::Other(batch) => self.found.need(batch),
        }
        self.found.indirect_used.push(unit.clone());
        let slot = Slot::Indirect { unit: unit.id, number };
        Ok(self.part.external(symbol.name, symbol.size, slot))
    }
}

/// Errors: that `section` of `unit` is no part of the program; `name` is the symbol in it that something refers to, `own` whether that is
/// its own file.
pub(super) fn check_is_linked(
    unit: &MaterializationUnit,
    section: u32,
    name: &[u8],
    own: bool,
) -> Result<(), SessionError> {
    let why = match unit.file.sections.at(section as usize).kind {
        _ if unit.is_discarded(section) => "is replaced by another file's copy of its group",
        // A file's own references are refused when the section is to be linked, with the section's name.
        SectionKind::Unloaded | SectionKind::Unwind if !own => "is not part of the running program",
        _ => return Ok(()),
    };
    let section = String::from_utf8_lossy(unit.file.sections.at(section as usize).name);
    let symbol = format!("symbol {}", String::from_utf8_lossy(name));
    let what = format!("section {section}, which it is in, {why}");
    Err(LinkError::malformed(&unit.file.name, symbol, what).into())
}
