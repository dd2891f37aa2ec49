//! The dynamic symbols of the program: what the rest of the process sees of it, as it would of an executable that exports all its global symbols.
//!
//! Shared libraries refer to symbols by name, the loader's functions look for names and for addresses. The first JITDylib that defines a name
//! counts, `main` before the others. The runtime and the helper archives are nobody's business: they are parts of the program that an executable keeps
//! to itself.

use super::batch::{self, Root};
use super::error::SessionError;
use super::ids::EntryId;
use super::redirectable::RedirectableSymbolManager;
use super::resolution::PLATFORM;
use super::session::Session;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::link::object_file::SymbolKind;
use crate::rt::ThreadLocalPlace;
use crate::rt::gate;
use crate::rt::program::{ProgramSymbol, ProgramSymbols};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The dynamic symbols of a session.
pub(super) struct DynamicSymbols {
    session: Weak<Session>,
    places: Mutex<Places>,
}

/// Where linked sections and stubs are, as of some number of batches.
#[derive(Default)]
struct Places {
    batches: usize,
    ranges: Arc<BTreeMap<ExecutorAddr, (u64, Place)>>,
}

/// What is in a piece of linked memory.
enum Place {
    /// A section of a file.
    Section(Arc<MaterializationUnit>, u32),
    /// The stubs of a lazy file's functions.
    Stubs(Arc<MaterializationUnit>),
}

/// A name that shared libraries refer to, and the program's definition of it.
#[derive(Debug)]
pub(super) struct Interposed {
    pub name: Vec<u8>,
    pub entry: EntryId,
}

/// The definitions of the program that loaded libraries refer to.
pub(super) fn interposed(session: &Session, tables: &SymbolTables) -> Vec<Interposed> {
    let mut entries = Vec::new();
    let names = session.executor().library_references(&mut |name| exported(tables, name).is_some());
    for name in names {
        if let Some(entry) = exported(tables, &name) {
            entries.push(Interposed { name, entry });
        }
    }
    entries
}

/// Makes the program known to the process; `interposed` are linked, at the addresses beside them.
///
/// Errors: what the process says.
pub(super) fn publish(session: &Session, interposed: &[(Interposed, ExecutorAddr)]) -> Result<(), SessionError> {
    let symbols = DynamicSymbols { session: session.handle.clone(), places: Mutex::default() };
    let definitions: BTreeMap<Vec<u8>, ExecutorAddr> =
        interposed.iter().map(|(interposed, address)| (interposed.name.clone(), *address)).collect();
    Ok(session.executor().publish_program(Arc::new(symbols), &definitions)?)
}

/// The program's definition of `name`, if others may use it; thread-local variables are something else.
fn exported(tables: &SymbolTables, name: &[u8]) -> Option<EntryId> {
    mentions(tables, name).find(|&id| is_exported(tables, id))
}

/// What the program's JITDylibs know of `name`, in their order.
fn mentions<'a>(tables: &'a SymbolTables, name: &'a [u8]) -> impl Iterator<Item = EntryId> + 'a {
    let programs = (0..tables.dylibs.len()).map(|index| super::ids::DylibId(index as u32)).filter(|&d| d != PLATFORM);
    programs.filter_map(move |dylib| tables.find(dylib, name))
}

impl Session {
    /// Whether the inputs added so far define `name` for a shared library that needs it. An archive member that does becomes part of the
    /// program, as a static linker would have it.
    pub fn offer_to_library(&self, name: &[u8]) -> bool {
        offer(&mut self.tables_mut(), name)
    }
}

/// Whether the program defines `name` for others, or an archive does: that member is then wanted.
fn offer(tables: &mut SymbolTables, name: &[u8]) -> bool {
    if exported(tables, name).is_some() {
        return true;
    }
    let offered = |id: &EntryId| {
        let entry = &tables.entries[id.index()];
        entry.definition == Definition::Undefined && entry.archive.is_some()
    };
    let found = mentions(tables, name).find(offered);
    found.inspect(|&id| tables.require(id)).is_some()
}

fn is_exported(tables: &SymbolTables, id: EntryId) -> bool {
    visible(tables, id)
        .is_some_and(|(unit, symbol)| unit.file.symbols.at(symbol as usize).kind != SymbolKind::ThreadLocal)
}

/// The file and symbol that define `id`, if others may see that.
fn visible(tables: &SymbolTables, id: EntryId) -> Option<(&MaterializationUnit, u32)> {
    let entry = &tables.entries[id.index()];
    match entry.definition {
        Definition::Unit { unit, symbol } if entry.exported => Some((&tables.units[unit.index()], symbol)),
        _ => None,
    }
}

impl ProgramSymbols for DynamicSymbols {
    fn exports(&self, name: &[u8]) -> bool {
        let session = self.session.upgrade();
        session.is_some_and(|session| exported(&session.tables(), name).is_some())
    }

    fn find(&self, name: &[u8]) -> Option<ExecutorAddr> {
        let session = self.session.upgrade()?;
        let _inside = gate::enter();
        let entry = exported(&session.tables(), name)?;
        match batch::link(&session, &[Root::Entry(entry)]) {
            Ok(addresses) => addresses.first().copied(),
            Err(error) => {
                log::warn!("{}: {error}", String::from_utf8_lossy(name));
                None
            }
        }
    }

    fn thread_local(&self, name: &[u8]) -> Option<ThreadLocalPlace> {
        let session = self.session.upgrade()?;
        let tables = session.tables();
        let (unit, symbol) = mentions(&tables, name).find_map(|id| visible(&tables, id))?;
        let (section, value) = unit.place(symbol)?;
        // Nothing else has such a place.
        Some(match unit.thread_local_place(section)? {
            ThreadLocalPlace::Offset(offset) => ThreadLocalPlace::Offset(offset.offset(value)),
            ThreadLocalPlace::Dynamic { module, offset } => {
                ThreadLocalPlace::Dynamic { module, offset: offset.wrapping_add(value) }
            }
        })
    }

    fn mapped(&self) -> Vec<(AddrRange, MemProt)> {
        self.session.upgrade().map_or_else(Vec::new, |session| session.executor().memory().mapped())
    }

    fn libraries_were_loaded(&self) {
        if let Some(session) = self.session.upgrade() {
            session.ask_again();
        }
    }

    fn symbol_at(&self, address: ExecutorAddr) -> Option<ProgramSymbol> {
        let session = self.session.upgrade()?;
        let ranges = self.places(&session);
        let (&start, (size, place)) = ranges.range(..=address).next_back()?;
        let offset = address.0 - start.0;
        if offset >= *size {
            return None;
        }
        let tables = session.tables();
        match place {
            Place::Section(unit, section) => {
                let (name, value) = symbol_in_section(&tables, unit, *section, offset)?;
                Some(ProgramSymbol { name, address: start.offset(value) })
            }
            Place::Stubs(unit) => {
                let stride = RedirectableSymbolManager::stride(session.arch());
                let number = offset / stride;
                let symbol = *unit.functions().get(number as usize)?;
                let name = unit.file.symbols.at(symbol as usize).name;
                let entry = unit.entries[symbol as usize];
                (entry != MaterializationUnit::LOCAL && is_exported(&tables, entry))
                    .then_some(ProgramSymbol { name, address: start.offset(number * stride) })
            }
        }
    }
}

impl DynamicSymbols {
    fn places(&self, session: &Session) -> Arc<BTreeMap<ExecutorAddr, (u64, Place)>> {
        let batches = session.batches.count();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.batches != batches {
            *places = Places { batches, ranges: Arc::new(ranges(session)) };
        }
        places.ranges.clone()
    }
}

/// Where everything is that is linked.
fn ranges(session: &Session) -> BTreeMap<ExecutorAddr, (u64, Place)> {
    let mut ranges = BTreeMap::new();
    let mut add = |range: AddrRange, place| {
        if !range.start.is_null() && range.size() > 0 {
            ranges.insert(range.start, (range.size(), place));
        }
    };
    let stride = RedirectableSymbolManager::stride(session.arch());
    let units = session.tables().units.clone();
    for unit in units {
        for (index, section) in unit.file.sections.iter().enumerate() {
            let start = unit.section_address(index as u32);
            if !unit.is_thread_local(index as u32) && !start.is_null() {
                add(AddrRange::new(start, section.size), Place::Section(unit.clone(), index as u32));
            }
        }
        if let Some(points) = session.entry_points(&unit).filter(|points| !points.stubs.address().is_null()) {
            let size = u64::from(points.count()) * stride;
            add(AddrRange::new(points.stubs.address(), size), Place::Stubs(unit.clone()));
        }
    }
    ranges
}

/// The exported symbol that covers `offset` in `section`, and where it begins there.
fn symbol_in_section(
    tables: &SymbolTables,
    unit: &MaterializationUnit,
    section: u32,
    offset: u64,
) -> Option<(&'static [u8], u64)> {
    let symbols = unit.file.symbols.iter().enumerate();
    let covers = |index: usize, value: u64, size: u64| {
        unit.place(index as u32).is_some_and(|(place, _)| place == section)
            && value <= offset
            && (offset - value < size || offset == value)
    };
    symbols
        .filter(|(index, s)| covers(*index, s.value, s.size))
        .filter(|(index, s)| s.is_global() && !s.name.is_empty() && is_exported(tables, unit.entries[*index]))
        .max_by_key(|(_, s)| s.value)
        .map(|(_, s)| (s.name, s.value))
}
