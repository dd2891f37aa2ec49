//! Thread-local variables: which are linked when, and where references to them go.
//!
//! The address of a thread-local section or symbol is its offset from the thread pointer, everywhere: in claims, slots and graphs.
//! Its blocks hold the initial values, which go to the executor instead of a segment.
//!
//! All thread-local sections of a program are linked before it starts, those of lazy files too: threads get their initial values when
//! they start, and a variable that came later would have none in threads that run by then. What the initial values
//! point to is linked with them.

use super::batch::{Batch, Root};
use super::closure::Expansion;
use super::error::SessionError;
use super::part::UnitPart;
use super::session::Session;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectEdge, ObjectPlace, ObjectSymbol, SectionKind, SymbolKind};
use crate::link::{BlockId, EdgeClass, LinkError, LinkGraph, Linkage, SymbolId, SymbolPlace, fixup};
use crate::rt::ThreadLocalPlace;
use std::sync::Arc;

/// The thread-local sections of all files.
pub(super) fn roots(tables: &SymbolTables) -> impl Iterator<Item = Root> + '_ {
    tables.units.iter().flat_map(|unit| {
        let sections = unit.file.sections.iter().enumerate();
        sections
            .filter(|(index, section)| {
                section.kind == SectionKind::ThreadLocal && section.size != 0 && !unit.is_discarded(*index as u32)
            })
            .map(|(index, _)| Root::Section(unit.clone(), index as u32))
    })
}

/// Has libraries' thread-local variables that files refer to settled before the program can use them in another way: the dynamic
/// loader can give them constant offsets only as long as no thread has memory for them.
pub(super) fn settle_libraries(session: &Session, tables: &SymbolTables) {
    for &id in &tables.thread_local_references {
        let entry = &tables.entries[tables.follow(id).index()];
        if entry.definition == Definition::Undefined {
            session.executor().lookup_thread_local(entry.name);
        }
    }
}

/// Whether `block` is thread-local.
fn is_thread_local(graph: &LinkGraph, block: BlockId) -> bool {
    graph.sections[graph.blocks[block.index()].section.index()].thread_local
}

/// Whether anything in `graph` is more than initial values.
pub(super) fn has_other_blocks(graph: &LinkGraph) -> bool {
    graph.block_ids().any(|block| !is_thread_local(graph, block))
}

impl Batch<'_> {
    /// Gives the thread-local blocks of the batch their offsets.
    pub(super) fn allocate_thread_locals(&mut self) -> Result<(), SessionError> {
        let memory = self.session.thread_locals();
        for part in &mut self.parts {
            for id in part.graph.block_ids().filter(|&id| is_thread_local(&part.graph, id)).collect::<Vec<_>>() {
                let block = &part.graph.blocks[id.index()];
                let address = memory.allocate(block.size, block.align).map_err(|error| {
                    let section = part.graph.sections[block.section.index()].name;
                    let place = format_args!("section {}", String::from_utf8_lossy(section));
                    LinkError::malformed(&part.graph.name, place, error)
                })?;
                part.graph.blocks[id.index()].address = address;
            }
        }
        Ok(())
    }

    /// Makes the contents of the thread-local blocks of the batch initial values.
    pub(super) fn write_thread_locals(&self, addresses: &[Vec<ExecutorAddr>]) -> Result<(), SessionError> {
        let memory = self.session.thread_locals();
        for (part, addresses) in self.parts.iter().zip(addresses) {
            for id in part.graph.block_ids().filter(|&id| is_thread_local(&part.graph, id)) {
                let block = &part.graph.blocks[id.index()];
                if part.graph.content(id).is_empty() {
                    continue;
                }
                let mut bytes = vec![0; block.size as usize];
                let got = self.got_of(&part.graph);
                fixup::write_block(self.session.arch(), &part.graph, id, addresses, got, &mut bytes)?;
                memory.initialize(block.address, &bytes)?;
            }
        }
        Ok(())
    }
}

impl Expansion<'_, '_> {
    /// The graph's symbol for the thread-local target of `edge`, an edge of class `class`.
    pub(super) fn thread_local_target(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        edge: &ObjectEdge,
        class: EdgeClass,
    ) -> Result<SymbolId, SessionError> {
        let index = edge.symbol as usize;
        let known = self.unit_part().symbols[index];
        let id = if known != UnitPart::NONE { SymbolId(known) } else { self.variable(unit, edge.symbol)? };
        self.unit_part().symbols[index] = id.0;
        let place = self.part.graph.symbols[id.index()].place;
        let needs_offset = !matches!(class, EdgeClass::ThreadLocalIndex { .. });
        if needs_offset && matches!(place, SymbolPlace::DynamicThreadLocal { .. }) {
            let what = "the variable's library was loaded with dynamic thread-local storage, of which this access needs the \
                        offset; preload the library with LD_PRELOAD, or compile so that __tls_get_addr is called (-fPIC, and \
                        -mtls-dialect=gnu or trad)";
            return Err(LinkError::malformed(&unit.file.name, describe(&unit.file.symbols[index]), what).into());
        }
        Ok(id)
    }

    /// The graph's symbol for symbol `index` of the file, which must be thread-local, wherever it is defined.
    fn variable(&mut self, unit: &Arc<MaterializationUnit>, index: u32) -> Result<SymbolId, SessionError> {
        let symbol = &unit.file.symbols[index as usize];
        let mismatch = |by: &str| {
            let what = format_args!("it is used as a thread-local variable, but {by} does not define it as one");
            LinkError::malformed(&unit.file.name, describe(symbol), what)
        };
        if !symbol.is_global() || symbol.name.is_empty() {
            if !is_in_thread_local_section(unit, symbol) {
                return Err(mismatch("this file").into());
            }
            return self.local_symbol(unit, index);
        }
        let tables = self.closure.tables;
        let id = tables.follow(unit.entries[index as usize]);
        let entry = &tables.entries[id.index()];
        match entry.definition {
            Definition::Unit { unit: other, symbol } => {
                let other = &tables.units[other.index()];
                if !is_in_thread_local_section(other, &other.file.symbols[symbol as usize]) {
                    return Err(mismatch(&other.file.name).into());
                }
                self.entry_symbol(Some(unit), id, false, false)
            }
            // The start of the module's thread-local memory, which offsets count from.
            Definition::Absolute(_) => self.entry_symbol(Some(unit), id, false, false),
            Definition::Undefined => Ok(self.library_variable(unit, entry.name, symbol.linkage)),
            _ => Err(mismatch("the linker").into()),
        }
    }

    /// The graph's symbol for a variable that no file defines: a library's, or null.
    fn library_variable(&mut self, unit: &Arc<MaterializationUnit>, name: &'static [u8], linkage: Linkage) -> SymbolId {
        match self.closure.executor.lookup_thread_local(name) {
            Some(ThreadLocalPlace::Offset(offset)) => self.part.absolute(name, offset),
            Some(ThreadLocalPlace::Dynamic { module, offset }) => {
                self.part.symbol(name, 0, SymbolPlace::DynamicThreadLocal { module, offset })
            }
            None => {
                if linkage != Linkage::Weak {
                    self.found.missing.push((name, Some(unit.file.name.clone())));
                }
                self.part.absolute(name, ExecutorAddr::NULL)
            }
        }
    }

    /// Refuses symbol `index` of the file as the target of an ordinary edge if it is thread-local.
    pub(super) fn check_not_thread_local(
        &self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
    ) -> Result<(), SessionError> {
        let symbol = &unit.file.symbols[index as usize];
        let tables = self.closure.tables;
        let defined_elsewhere = || match tables.entries[tables.follow(unit.entries[index as usize]).index()].definition
        {
            Definition::Unit { unit, symbol } => {
                let unit = &tables.units[unit.index()];
                is_in_thread_local_section(unit, &unit.file.symbols[symbol as usize])
            }
            _ => false,
        };
        let is_thread_local = symbol.kind == SymbolKind::ThreadLocal
            || is_in_thread_local_section(unit, symbol)
            || symbol.is_global() && !symbol.name.is_empty() && defined_elsewhere();
        if !is_thread_local {
            return Ok(());
        }
        let what = "it is thread-local, but a relocation refers to it as if it had one address";
        Err(LinkError::malformed(&unit.file.name, describe(symbol), what).into())
    }
}

/// How messages name `symbol`.
fn describe(symbol: &ObjectSymbol) -> String {
    format!("symbol {}", String::from_utf8_lossy(symbol.name))
}

/// Whether `symbol` of `unit` is defined in a thread-local section.
fn is_in_thread_local_section(unit: &MaterializationUnit, symbol: &ObjectSymbol) -> bool {
    match symbol.place {
        ObjectPlace::Section(section) | ObjectPlace::Common(section) => unit.is_thread_local(section),
        ObjectPlace::Undefined | ObjectPlace::Absolute | ObjectPlace::Alias(_) => false,
    }
}
