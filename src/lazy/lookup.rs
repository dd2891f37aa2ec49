//! Lookups: from a name to the address of what is linked then.

use super::batch::{self, Root};
use super::error::{MissingSymbol, SessionError, SessionErrorKind};
use super::ids::{DylibId, EntryId};
use super::plugin::{self, Step};
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::SymbolKind;
use crate::rt::gate;
use std::sync::Arc;

impl Session {
    /// Links symbol `name` of `dylib`, as the object format writes it, with all it needs, and returns its address.
    /// For the body of a lazy function append [`BODY_SUFFIX`]. The address of a thread-local variable is its offset from the thread
    /// pointer, modulo 2^64.
    ///
    /// Errors: that it is defined nowhere, or the root cause of what could not be linked.
    pub fn lookup(&self, dylib: DylibId, name: &str) -> Result<ExecutorAddr, SessionError> {
        let _inside = gate::enter();
        self.resolve_with(&[dylib], name.strip_suffix(BODY_SUFFIX).unwrap_or(name))?;
        if let Some(function) = name.strip_suffix(BODY_SUFFIX) {
            let body = {
                let tables = self.tables();
                let id = self.find(&tables, dylib, function)?;
                match tables.entries[id.index()].definition {
                    Definition::Unit { unit, symbol } => Some((tables.units[unit.index()].clone(), symbol)),
                    _ => None,
                }
            };
            let (unit, symbol) = body.ok_or_else(|| not_found(name))?;
            return self.link_body(&unit, symbol);
        }
        let entry = {
            let tables = self.tables();
            let entry = self.find(&tables, dylib, name)?;
            if let Some(linked) = self.linked_address(&tables, entry) {
                return Ok(linked);
            }
            entry
        };
        Ok(batch::link(self, &[Root::Entry(entry)])?[0])
    }

    /// The address of the body of `symbol` of `unit`, linked if need be.
    pub(super) fn link_body(&self, unit: &Arc<MaterializationUnit>, symbol: u32) -> Result<ExecutorAddr, SessionError> {
        if let Some(ready) = self.ready_address(unit, symbol) {
            return Ok(ready);
        }
        let (section, offset) = unit.place(symbol).ok_or_else(|| not_found("an absolute symbol's body"))?;
        batch::link(self, &[Root::Section(unit.id, section)])?;
        Ok(unit.section_address(section).offset(offset))
    }

    /// The address of `entry`, if that is of code or data of a file, is the same for all threads, and is ready: nobody need link it.
    fn linked_address(&self, tables: &SymbolTables, entry: EntryId) -> Option<ExecutorAddr> {
        let Definition::Unit { unit, symbol } = tables.entries[tables.follow(entry).index()].definition else {
            return None;
        };
        let unit = &tables.units[unit.index()];
        let has_stub =
            unit.is_entry_point(symbol) || unit.file.symbols.at(symbol as usize).kind == SymbolKind::IndirectFunction;
        if has_stub || unit.is_thread_local(unit.place(symbol)?.0) {
            return None;
        }
        self.ready_address(unit, symbol)
    }

    /// The address of the body of `symbol` of `unit`, if its code may run.
    fn ready_address(&self, unit: &MaterializationUnit, symbol: u32) -> Option<ExecutorAddr> {
        let (section, offset) = unit.place(symbol)?;
        let ready = unit.owner(section).is_some_and(|batch| self.batches.is_ready(batch));
        ready.then(|| unit.section_address(section).offset(offset))
    }

    /// The entry of symbol `name` of `dylib`.
    ///
    /// Errors: that it is defined nowhere.
    pub(super) fn find(&self, tables: &SymbolTables, dylib: DylibId, name: &str) -> Result<EntryId, SessionError> {
        let defined = |id: &EntryId| tables.entries[id.index()].definition != Definition::Undefined;
        tables.find(dylib, name.as_bytes()).filter(defined).ok_or_else(|| not_found(name))
    }

    /// Resolves symbols, `name` of the first of `dylibs` that knows it among them: an archive may define it.
    pub(super) fn resolve_with(&self, dylibs: &[DylibId], name: &str) -> Result<(), SessionError> {
        let offered = |tables: &SymbolTables| {
            let id = dylibs.iter().find_map(|&dylib| tables.find(dylib, name.as_bytes()))?;
            let entry = &tables.entries[id.index()];
            (entry.definition == Definition::Undefined && entry.archive.is_some()).then_some(id)
        };
        let wanted = offered(&self.tables());
        if let Some(id) = wanted {
            self.tables_mut().require(id);
        }
        if self.tables().is_resolved() {
            self.ask_again();
            return Ok(());
        }
        plugin::timed(self, None, Step::Resolve, || self.resolve())
    }
}

/// That `name` is defined nowhere.
pub(super) fn not_found(name: &str) -> SessionError {
    SessionErrorKind::SymbolsNotFound(vec![MissingSymbol { name: name.to_string(), referrer: None }]).into()
}
