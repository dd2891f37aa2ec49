//! What a session's JITDylibs hold, for those who look at it.

use super::definitions::definition_source;
use super::entry_points::EntryPoints;
use super::resolution::PLATFORM;
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::{Definition, Entry, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectPlace, SymbolKind};
use crate::link::{Linkage, Scope};

/// A JITDylib.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DylibState {
    /// Its name.
    pub name: String,
    /// The JITDylibs that its undefined symbols are looked for in, in order, without itself.
    pub link_order: Vec<String>,
    /// Its symbols, by name.
    pub symbols: Vec<SymbolState>,
}

/// A symbol of a JITDylib.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SymbolState {
    /// Its name.
    pub name: String,
    /// Its address, if that is known; null if not.
    pub address: ExecutorAddr,
    /// Whether it is code.
    pub callable: bool,
    /// Whether another definition may take its place.
    pub weak: bool,
    /// Whether it is a common symbol.
    pub common: bool,
    /// Whether other JITDylibs do not see it.
    pub hidden: bool,
    /// How much of it is linked.
    pub progress: SymbolProgress,
    /// What defines it: a file or member, or one of LLVM's names for what is not a file.
    pub source: String,
}

/// How much of a symbol is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SymbolProgress {
    /// Nothing has needed it.
    #[default]
    NeverSearched,
    /// It is being linked, or linking it failed.
    Materializing,
    /// It may be used.
    Ready,
}

impl Session {
    /// What all JITDylibs hold, in the order they were made; the runtime's first, if there is a runtime.
    pub fn describe_dylibs(&self) -> Vec<DylibState> {
        let tables = self.tables();
        let has_runtime = tables.archives.iter().any(|a| a.dylib == PLATFORM);
        let name = |index: usize| tables.dylibs[index].name.clone();
        let mut states: Vec<DylibState> = tables
            .dylibs
            .iter()
            .map(|dylib| DylibState {
                name: dylib.name.clone(),
                link_order: dylib
                    .link_order
                    .iter()
                    .filter(|&&other| other != PLATFORM || has_runtime)
                    .map(|other| name(other.index()))
                    .collect(),
                symbols: Vec::new(),
            })
            .collect();
        for entry in &tables.entries {
            states[entry.dylib.index()].symbols.extend(self.describe_entry(&tables, entry));
        }
        for state in &mut states {
            state.symbols.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if !has_runtime {
            states.remove(PLATFORM.index());
        }
        states
    }

    /// The symbols that `entry` stands for: none if nothing defines it, entry point and body for a function of a lazy file.
    fn describe_entry(&self, tables: &SymbolTables, entry: &Entry) -> Vec<SymbolState> {
        let name = String::from_utf8_lossy(entry.name).into_owned();
        let state = SymbolState { name, hidden: !entry.exported, ..SymbolState::default() };
        let ready = |address: ExecutorAddr| SymbolState { address, progress: SymbolProgress::Ready, ..state.clone() };
        let named = |state: SymbolState, source: &str| SymbolState { source: source.into(), ..state };
        match entry.definition {
            Definition::Unit { unit, symbol } => {
                self.describe_symbol(tables, &tables.units[unit.index()], symbol, state)
            }
            Definition::Absolute(address) => vec![named(ready(address), definition_source(entry.definition))],
            // What is not exported is only a reference that has found its definition in another JITDylib.
            Definition::Alias(_) if entry.exported => vec![named(state, definition_source(entry.definition))],
            Definition::LazyReexport { points, number } => {
                let points = &tables.entry_points[points.index()];
                vec![named(self.entry_point_state(points, number, state), definition_source(entry.definition))]
            }
            Definition::DsoHandle => {
                let address = tables.dylibs[entry.dylib.index()].dso_handle.address();
                vec![named(if address.is_null() { state } else { ready(address) }, definition_source(entry.definition))]
            }
            Definition::Undefined | Definition::Alias(_) | Definition::GotBase => Vec::new(),
            Definition::SectionBound { .. } | Definition::MemoryBound { .. } => Vec::new(),
        }
    }

    fn describe_symbol(
        &self,
        tables: &SymbolTables,
        unit: &MaterializationUnit,
        index: u32,
        state: SymbolState,
    ) -> Vec<SymbolState> {
        let symbol = unit.file.symbols.at(index as usize);
        let state = SymbolState {
            callable: symbol.kind == SymbolKind::Function || symbol.kind == SymbolKind::IndirectFunction,
            weak: symbol.linkage == Linkage::Weak,
            common: matches!(symbol.place, ObjectPlace::Common(_)),
            hidden: state.hidden || symbol.scope != Scope::Default,
            source: unit.file.name.clone(),
            ..state
        };
        let body = SymbolState {
            address: unit.symbol_address(index).unwrap_or_default(),
            progress: match unit.place(index).map(|(section, _)| unit.owner(section)) {
                None => SymbolProgress::Ready,
                Some(None) => SymbolProgress::NeverSearched,
                Some(Some(batch)) if self.batches.is_ready(batch) => SymbolProgress::Ready,
                Some(Some(_)) => SymbolProgress::Materializing,
            },
            ..state.clone()
        };
        let (Some(points), Some(number)) = (unit.entry_points, unit.function_number(index)) else {
            return vec![body];
        };
        let body = SymbolState { name: format!("{}{BODY_SUFFIX}", body.name), ..body };
        let points = &tables.entry_points[points.index()];
        let source = "LazyReexportsManager::MU".to_string();
        vec![SymbolState { source, ..self.entry_point_state(points, number, state) }, body]
    }

    fn entry_point_state(&self, points: &EntryPoints, number: u32, state: SymbolState) -> SymbolState {
        let linked = points.stubs.owner().is_some_and(|batch| self.batches.is_ready(batch));
        let state = SymbolState { callable: true, ..state };
        if !linked {
            return state;
        }
        let address = super::lazy_reexports::LazyReexportsManager::entry_point(self.arch(), points, number);
        SymbolState { address, progress: SymbolProgress::Ready, ..state }
    }
}
