//! Thread-local variables: which are linked when, and where references to them go.
//!
//! The address of a thread-local section or symbol is its offset from the thread pointer, everywhere: in claims, slots and graphs.
//! Its blocks hold the initial values, which go to the executor instead of a segment. A section that has no constant offset
//! ([`super::thread_local_places`]) is known by its module and the offset in it; symbols in it are symbols of that kind.
//!
//! All thread-local sections of a program are linked before it starts, those of lazy files too: threads get their initial values when
//! they start, and a variable that came later would have none in threads that run by then. What the initial values
//! point to is linked with them.

use super::batch::{Batch, Root};
use super::closure::Expansion;
use super::error::SessionError;
use super::ids::EntryId;
use super::part::{Part, Role, UnitPart};
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectEdge, ObjectPlace, ObjectSymbol, SymbolKind};
use crate::link::{BlockId, DynamicThreadLocal, EdgeClass, LinkError, LinkGraph, Linkage, SymbolId, fixup};
use crate::rt::ThreadLocalPlace;
use std::sync::Arc;

/// The thread-local sections of all files.
pub(super) fn roots(tables: &SymbolTables) -> impl Iterator<Item = Root> + '_ {
    tables
        .units
        .iter()
        .flat_map(|unit| unit.kept_thread_local_sections())
        .map(|(unit, section)| Root::Section(unit, section))
}

/// Whether `block` is thread-local.
fn is_thread_local(graph: &LinkGraph, block: BlockId) -> bool {
    graph.sections[graph.blocks[block.index()].section.index()].thread_local
}

/// Whether anything in `graph` is more than initial values.
pub(super) fn has_other_blocks(graph: &LinkGraph) -> bool {
    graph.block_ids().any(|block| !is_thread_local(graph, block))
}

/// The thread-local sections that `part` links: blocks, and where their memory is.
fn blocks(part: &Part) -> impl Iterator<Item = (BlockId, Option<ThreadLocalPlace>)> + '_ {
    let unit_part = match &part.role {
        Role::Unit(unit_part) => Some(unit_part),
        Role::Synthesized => None,
    };
    unit_part.into_iter().flat_map(|unit_part| {
        let UnitPart { unit, blocks, .. } = &**unit_part;
        let linked = |&&section: &&u32| unit.is_thread_local(section) && blocks[section as usize] != UnitPart::NONE;
        let place = |&section: &u32| (BlockId(blocks[section as usize]), unit.thread_local_place(section));
        unit.special_sections.iter().filter(linked).map(place)
    })
}

impl Batch<'_> {
    /// Gives the thread-local blocks of the batch their addresses: offsets from the thread pointer, or in their module.
    pub(super) fn allocate_thread_locals(&mut self) -> Result<(), SessionError> {
        for part in &mut self.parts {
            for (id, place) in blocks(part).collect::<Vec<_>>() {
                part.graph.blocks[id.index()].address = match place {
                    Some(ThreadLocalPlace::Offset(offset)) => offset,
                    Some(ThreadLocalPlace::Dynamic { offset, .. }) => ExecutorAddr(offset),
                    None => {
                        let what =
                            "it was added while something else was being linked that refers to it; look it up first";
                        return Err(LinkError::unsuitable(&part.graph.name, what).into());
                    }
                };
            }
        }
        Ok(())
    }

    /// Makes the contents of the thread-local blocks of the batch initial values.
    pub(super) fn write_thread_locals(&self) -> Result<(), SessionError> {
        let memory = self.session.thread_locals();
        for part in &self.parts {
            for (id, place) in blocks(part) {
                let Some(place) = place.filter(|_| !part.graph.content(id).is_empty()) else {
                    continue;
                };
                let mut bytes = vec![0; part.graph.blocks[id.index()].size as usize];
                fixup::write_block(self.session.arch(), &part.graph, id, &part.addresses, part.got, &mut bytes)?;
                memory.initialize(place, &bytes)?;
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
        if matches!(class, EdgeClass::ThreadLocalModule { .. }) {
            return Ok(self.module_symbol(unit));
        }
        let index = edge.symbol as usize;
        let known = self.unit_part().symbols[index];
        let id = if known != UnitPart::NONE { SymbolId(known) } else { self.variable(unit, edge.symbol)? };
        self.unit_part().symbols[index] = id.0;
        let Some(DynamicThreadLocal { module, offset, .. }) = self.part.graph.dynamic_thread_local(id) else {
            if edge.in_module && unit.thread_local_module().is_some() {
                return Err(self.apart(unit, index));
            }
            return Ok(id);
        };
        if edge.in_module {
            if unit.thread_local_module() != Some(module) {
                return Err(self.apart(unit, index));
            }
            return Ok(self.part.absolute(unit.file.symbols.at(index).name, ExecutorAddr(offset)));
        }
        if class.needs_thread_pointer_offset() {
            return Err(self.no_offset(unit, index));
        }
        if self.closure.relocatable && matches!(class, EdgeClass::ThreadLocalDescriptor { .. }) {
            let what = "descriptors of libraries' variables cannot be part of an image";
            return Err(LinkError::unsuitable(&unit.file.name, what).into());
        }
        Ok(id)
    }

    /// The symbol for the start of the memory that the file's module-relative offsets count from.
    fn module_symbol(&mut self, unit: &MaterializationUnit) -> SymbolId {
        if let Some(known) = self.unit_part().module {
            return known;
        }
        let id = match unit.thread_local_module() {
            Some(module) => self.dynamic_symbol(b"", module, 0),
            None => self.part.absolute(b"", ExecutorAddr::NULL),
        };
        self.unit_part().module = Some(id);
        id
    }

    /// A symbol for `offset` in `module`.
    fn dynamic_symbol(&mut self, name: &'static [u8], module: u64, offset: u64) -> SymbolId {
        let resolver = self.closure.thread_locals.descriptor_resolver();
        let place = self.part.graph.add_dynamic_thread_local(DynamicThreadLocal { module, offset, resolver });
        self.part.symbol(name, 0, place)
    }

    /// That symbol `index` of the file has no constant offset, although an access needs one.
    fn no_offset(&self, unit: &MaterializationUnit, index: usize) -> SessionError {
        let symbol = unit.file.symbols.at(index);
        let defined = match self.closure.tables.section_of(unit, index as u32) {
            Some((other, section)) => {
                let file = &self.closure.tables.units[other.index()].file;
                let header = file.sections.at(section as usize);
                Some((String::from_utf8_lossy(header.name), &file.name, header.size))
            }
            None => None,
        };
        let what = match defined {
            Some((section, file, size)) => format!(
                "this access of the initial-exec or local-exec model needs a constant offset from the thread pointer, but \
                 section {section} of {file}, {size:#x} bytes, is not where variables have one: {}, or compile the access with \
                 -fPIC -ftls-model=global-dynamic",
                self.closure.tables.thread_local_overflow.as_deref().unwrap_or_default()
            ),
            None => {
                "the variable's library was loaded with dynamic thread-local storage, of which this access needs the \
                     offset; preload the library with LD_PRELOAD, or compile the access with -fPIC"
                    .into()
            }
        };
        LinkError::malformed(&unit.file.name, describe(&symbol), what).into()
    }

    /// That symbol `index` of the file is not where the file's module-relative offsets count from.
    fn apart(&self, unit: &MaterializationUnit, index: usize) -> SessionError {
        let what = "the file accesses it relative to other thread-local variables, but not all of them fit the reserve of memory at \
                    constant offsets, and some need that; make the reserve larger with -tls-reserve=SIZE";
        LinkError::malformed(&unit.file.name, describe(&unit.file.symbols.at(index)), what).into()
    }

    /// The graph's symbol for a place in thread-local section `section` of `unit`.
    fn section_variable(
        &mut self,
        unit: &Arc<MaterializationUnit>,
        section: u32,
        symbol: &ObjectSymbol,
    ) -> Result<SymbolId, SessionError> {
        // Sees to it that the section is linked.
        let id = self.section_symbol(unit, section, symbol.value, symbol.name, symbol.size)?;
        match unit.thread_local_place(section) {
            Some(ThreadLocalPlace::Dynamic { module, offset }) => {
                Ok(self.dynamic_symbol(symbol.name, module, offset.wrapping_add(symbol.value)))
            }
            _ => Ok(id),
        }
    }

    /// The graph's symbol for symbol `index` of the file, which must be thread-local, wherever it is defined.
    fn variable(&mut self, unit: &Arc<MaterializationUnit>, index: u32) -> Result<SymbolId, SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        let mismatch = |by: &str| {
            let what = format_args!("it is used as a thread-local variable, but {by} does not define it as one");
            LinkError::malformed(&unit.file.name, describe(&symbol), what)
        };
        if !symbol.is_global() || symbol.name.is_empty() {
            return match unit.place(index) {
                Some((section, _)) if unit.is_thread_local(section) => self.section_variable(unit, section, &symbol),
                _ => Err(mismatch("this file").into()),
            };
        }
        let tables = self.closure.tables;
        let id = tables.follow(unit.entries[index as usize]);
        let entry = &tables.entries[id.index()];
        match entry.definition {
            Definition::Unit { unit: other, symbol } => {
                let other = &tables.units[other.index()];
                match other.place(symbol) {
                    Some((section, _)) if other.is_thread_local(section) => {
                        self.section_variable(other, section, &other.file.symbols.at(symbol as usize))
                    }
                    _ => Err(mismatch(&other.file.name).into()),
                }
            }
            // The start of the module's thread-local memory, which offsets count from.
            Definition::Absolute(_) => Ok(self.module_symbol(unit)),
            Definition::Undefined => Ok(self.library_variable(unit, entry.name, symbol.linkage)),
            _ => Err(mismatch("the linker").into()),
        }
    }

    /// The graph's symbol for a variable that no file defines: a library's, or null.
    fn library_variable(&mut self, unit: &Arc<MaterializationUnit>, name: &'static [u8], linkage: Linkage) -> SymbolId {
        match self.closure.tables.library_variables.get(name) {
            Some(&ThreadLocalPlace::Offset(offset)) => self.part.absolute(name, offset),
            Some(&ThreadLocalPlace::Dynamic { module, offset }) => self.dynamic_symbol(name, module, offset),
            None => {
                if linkage != Linkage::Weak {
                    self.found.missing.push((name, Some(unit.file.name.clone())));
                }
                self.part.absolute(name, ExecutorAddr::NULL)
            }
        }
    }

    /// Refuses `entry` for a caller of the session if it is a thread-local variable without a constant offset.
    pub(super) fn check_has_one_address(&self, entry: EntryId) -> Result<(), SessionError> {
        let tables = self.closure.tables;
        let entry = &tables.entries[tables.follow(entry).index()];
        let Definition::Unit { unit, symbol } = entry.definition else {
            return Ok(());
        };
        let unit = &tables.units[unit.index()];
        let place = unit.place(symbol).and_then(|(section, _)| unit.thread_local_place(section));
        if !matches!(place, Some(ThreadLocalPlace::Dynamic { .. })) {
            return Ok(());
        }
        let what = "it is thread-local and too large for the reserve of memory at constant offsets, so it has no address; make the \
                    reserve larger with -tls-reserve=SIZE";
        Err(LinkError::malformed(&unit.file.name, describe(&unit.file.symbols.at(symbol as usize)), what).into())
    }

    /// Refuses symbol `index` of the file as the target of an ordinary edge if it is thread-local.
    pub(super) fn check_not_thread_local(
        &self,
        unit: &Arc<MaterializationUnit>,
        index: u32,
    ) -> Result<(), SessionError> {
        let symbol = unit.file.symbols.at(index as usize);
        let tables = self.closure.tables;
        let defined_elsewhere = || match tables.entries[tables.follow(unit.entries[index as usize]).index()].definition
        {
            Definition::Unit { unit, symbol } => {
                let unit = &tables.units[unit.index()];
                unit.has_thread_locals() && is_in_thread_local_section(unit, &unit.file.symbols.at(symbol as usize))
            }
            _ => false,
        };
        let is_thread_local = symbol.kind == SymbolKind::ThreadLocal
            || unit.has_thread_locals() && is_in_thread_local_section(unit, &symbol)
            || symbol.is_global() && !symbol.name.is_empty() && defined_elsewhere();
        if !is_thread_local {
            return Ok(());
        }
        let what = "it is thread-local, but a relocation refers to it as if it had one address";
        Err(LinkError::malformed(&unit.file.name, describe(&symbol), what).into())
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
