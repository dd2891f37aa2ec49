//! The symbol tables of a session's JITDylibs: what is defined where, by the rules of a static linker.
//!
//! Adding a file enters its global symbols; [`super::resolution`] then pulls archive members for what is missing. None of
//! this links anything: when a symbol is wanted, its entry says which unit to link.

use super::claims::Claim;
use super::definitions::definition_source;
use super::entry_points::EntryPoints;
use super::error::{SessionError, SessionErrorKind};
use super::ids::{ArchiveId, DylibId, EntryId, EntryPointsId, SetId, UnitId};
use super::link_order::Mention;
use super::name_table::{GlobalName, HashedFile, NameHash, NameTable, Names};
use super::process_symbols::ProcessAnswer;
use super::rank::Rank;
use super::resolution::{ArchiveInput, PLATFORM};
use super::unit::{Laziness, MaterializationUnit};
use crate::base::{ExecutorAddr, Target};
use crate::link::conventions::Conventions;
use crate::link::object_file::{ObjectPlace, ObjectSymbol, SectionKind, SymbolKind};
use crate::link::{Linkage, Scope};
use crate::rt::ThreadLocalPlace;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Everything that is known about symbols. Changed only while files are added and resolved.
#[derive(Debug)]
pub(super) struct SymbolTables {
    /// What everything is for.
    pub target: Target,
    pub conventions: &'static dyn Conventions,
    pub units: Vec<Arc<MaterializationUnit>>,
    pub dylibs: Vec<JitDylib>,
    pub entries: Vec<Entry>,
    pub archives: Vec<ArchiveInput>,
    /// Archives whose indexes are still to be offered.
    pub unoffered: Vec<ArchiveId>,
    pub entry_points: Vec<Arc<EntryPoints>>,
    /// Entries that something refers to and nothing defines, not yet searched for.
    pub undefined: VecDeque<EntryId>,
    /// Entries that were searched for in vain among files and archives; the process has not been asked yet.
    pub unresolved: Vec<EntryId>,
    /// Entries that files refer to weakly, for which the process has not been asked yet.
    pub weak_references: Vec<EntryId>,
    /// Entries that the linker may define, and files refer to weakly: that is no reason to search for them.
    pub weak_linker_defined: Vec<EntryId>,
    /// Entries that files refer to and nothing defines; the process did not have them when symbols were resolved.
    pub missing: Vec<EntryId>,
    /// Entries that files refer to as thread-local variables, without defining them.
    pub thread_local_references: BTreeSet<EntryId>,
    /// Where libraries' thread-local variables are that files refer to, by their names.
    pub library_variables: FxHashMap<&'static [u8], ThreadLocalPlace>,
    /// How many units have their place in the link order, and what was wanted by name since: no file has to refer to that.
    pub ordered_units: usize,
    /// For each of the others the names that it defines or strongly refers to.
    pub unordered: Vec<Vec<(EntryId, Mention)>>,
    pub required: Vec<EntryId>,
    /// How many units have places for their thread-local sections.
    pub placed_units: usize,
    /// How many units were looked at for data that may lie far away, and how much memory all units need, less that data.
    pub far_units: usize,
    pub near_size: u64,
    /// Why not all thread-local sections have constant offsets from the thread pointer, if that is so.
    pub thread_local_overflow: Option<String>,
    /// Alignment of common sections where another file asks for more than the one that is used.
    pub common_align: FxHashMap<(UnitId, u32), u64>,
}

/// One JITDylib: a namespace of symbols, as a program or a shared library is one.
#[derive(Debug)]
pub(super) struct JitDylib {
    pub name: String,
    /// Where else its undefined symbols are looked for, in order.
    pub link_order: Vec<DylibId>,
    /// What it consists of, in link order.
    pub units: Vec<UnitId>,
    pub sets: Vec<SectionSet>,
    /// Its `__dso_handle`.
    pub dso_handle: Arc<Claim>,
    /// Whether everything that it refers to and nothing defines is null.
    pub phony_externals: bool,
    /// Names that are null if nothing defines them.
    pub null_names: FxHashSet<Vec<u8>>,
    pub table: NameTable,
}

/// All sections of one name in one JITDylib, linked together because symbols bracket them.
#[derive(Debug)]
pub(super) struct SectionSet {
    pub name: Cow<'static, [u8]>,
    pub bounds: Arc<SetBounds>,
}

/// Where a section set is: published by the batch that links it.
#[derive(Debug, Default)]
pub(super) struct SetBounds {
    pub start: Claim,
    pub end: Claim,
}

/// A symbol of one JITDylib.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: &'static [u8],
    pub dylib: DylibId,
    pub definition: Definition,
    /// Whether other JITDylibs see it.
    pub exported: bool,
    /// Whether a file says that it must be defined within the program.
    pub internal: bool,
    /// The archive member that defines it, if that is not part of the program yet.
    pub archive: Option<(ArchiveId, u32)>,
    /// The file whose copy of the section group of that name the JITDylib has.
    pub group: Option<UnitId>,
    /// What the process has of that name.
    pub process: ProcessAnswer,
    /// Whether it has been put into [`SymbolTables::undefined`].
    pub queued: bool,
}

impl Entry {
    /// The symbol `name` of `dylib`, of which nothing else is known.
    pub fn undefined(name: &'static [u8], dylib: DylibId) -> Entry {
        Entry {
            name,
            dylib,
            definition: Definition::Undefined,
            exported: true,
            internal: false,
            archive: None,
            group: None,
            process: ProcessAnswer::default(),
            queued: false,
        }
    }
}

// There are hundreds of thousands of them. Large vectors begin on pages, so each is on one cache line.
const _: () = assert!(size_of::<Entry>() == 64);

/// What a symbol of a JITDylib is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Definition {
    /// Defined nowhere; the process may have it.
    Undefined,
    /// Symbol `symbol` of a file.
    Unit { unit: UnitId, symbol: u32 },
    /// An address that linking does not choose.
    Absolute(ExecutorAddr),
    /// Another entry: a reexport, or another JITDylib's symbol.
    Alias(EntryId),
    /// A lazy reexport that a caller of the session defined.
    LazyReexport { points: EntryPointsId, number: u32 },
    /// The first or, with `end`, the first address behind a section set.
    SectionBound { set: SetId, end: bool },
    /// The JITDylib's `__dso_handle`.
    DsoHandle,
    /// Where linked memory begins or, with `end`, ends.
    MemoryBound { end: bool },
    /// `_GLOBAL_OFFSET_TABLE_`.
    GotBase,
}

impl SymbolTables {
    /// Tables without any JITDylib, for files of `target`.
    pub fn new(target: Target, conventions: &'static dyn Conventions) -> SymbolTables {
        SymbolTables {
            target,
            conventions,
            units: Vec::new(),
            dylibs: Vec::new(),
            entries: Vec::new(),
            archives: Vec::new(),
            unoffered: Vec::new(),
            entry_points: Vec::new(),
            undefined: VecDeque::new(),
            unresolved: Vec::new(),
            weak_linker_defined: Vec::new(),
            weak_references: Vec::new(),
            missing: Vec::new(),
            thread_local_references: BTreeSet::new(),
            library_variables: FxHashMap::default(),
            ordered_units: 0,
            unordered: Vec::new(),
            required: Vec::new(),
            placed_units: 0,
            far_units: 0,
            near_size: 0,
            thread_local_overflow: None,
            common_align: FxHashMap::default(),
        }
    }

    /// A new JITDylib without a link order.
    pub fn add_dylib(&mut self, name: &str) -> DylibId {
        self.dylibs.push(JitDylib {
            name: name.to_string(),
            link_order: Vec::new(),
            units: Vec::new(),
            sets: Vec::new(),
            dso_handle: Arc::default(),
            phony_externals: false,
            null_names: FxHashSet::default(),
            table: NameTable::default(),
        });
        DylibId(self.dylibs.len() as u32 - 1)
    }

    /// The entry for `name` in `dylib`, if anything there has mentioned it.
    pub fn find(&self, dylib: DylibId, name: &[u8]) -> Option<EntryId> {
        self.find_hashed(dylib, name, NameHash::of(name))
    }

    /// The same for a name that has been hashed.
    pub fn find_hashed(&self, dylib: DylibId, name: &[u8], hash: NameHash) -> Option<EntryId> {
        self.dylibs[dylib.index()].table.find(name, hash)
    }

    /// The entry for `name` in `dylib`, made if there is none.
    pub fn intern(&mut self, dylib: DylibId, name: &'static [u8]) -> EntryId {
        self.intern_hashed(dylib, name, NameHash::of(name))
    }

    /// The same for a name that has been hashed.
    pub fn intern_hashed(&mut self, dylib: DylibId, name: &'static [u8], hash: NameHash) -> EntryId {
        let SymbolTables { dylibs, entries, .. } = self;
        let new = EntryId(entries.len() as u32);
        let known = dylibs[dylib.index()].table.find_or_enter(name, hash, new);
        known.unwrap_or_else(|| {
            entries.push(Entry::undefined(name, dylib));
            new
        })
    }

    /// The same for a name that does not last.
    fn intern_copy(&mut self, dylib: DylibId, name: &[u8], hash: NameHash) -> EntryId {
        let known = self.find_hashed(dylib, name, hash);
        known.unwrap_or_else(|| self.intern_hashed(dylib, name.to_vec().leak(), hash))
    }

    /// For each JITDylib the names that it has by now, for any thread to look at.
    pub fn freeze_names(&mut self) -> Vec<Arc<Names>> {
        self.dylibs.iter_mut().map(|dylib| dylib.table.freeze()).collect()
    }

    /// Makes room for `names` more names in `dylib`.
    pub fn reserve(&mut self, dylib: DylibId, names: usize) {
        self.entries.reserve(names);
        self.dylibs[dylib.index()].table.reserve(names);
    }

    /// Enters `file` into `dylib`; if it is `hidden`, other JITDylibs do not see what it defines.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`]. The file is then part of no JITDylib.
    pub fn add_object(
        &mut self,
        dylib: DylibId,
        file: HashedFile,
        laziness: Laziness,
        hidden: bool,
    ) -> Result<UnitId, SessionError> {
        let HashedFile { file, names, loaded_size, special_sections, unknown_names, digest } = file;
        let id = UnitId::at(self.units.len());
        let mut unit = MaterializationUnit::new(id, dylib, file, laziness);
        unit.hidden = hidden;
        unit.special_sections = special_sections;
        unit.digest = digest;
        self.fetch_entries(names.iter().map(|name| name.entry));
        let mut unknown_names = unknown_names.as_deref();
        for global in names.iter().filter(|global| global.entry != GlobalName::VERSIONED) {
            let symbol = global.symbol as usize;
            unit.entries[symbol] = match global.entry {
                GlobalName::UNKNOWN => {
                    let name = unit.file.symbols.at(symbol).name;
                    match unknown_names.as_mut().and_then(|names| names.split_off(..name.len())) {
                        Some(copy) => self.intern_copy(dylib, copy, global.hash),
                        None => self.intern_hashed(dylib, name, global.hash),
                    }
                }
                known => known,
            };
        }
        self.discard_groups(&mut unit);
        let mut mentions = Vec::with_capacity(names.len());
        for global in &names {
            mentions.extend(self.enter(&mut unit, global)?);
        }
        self.unordered.push(mentions);
        self.near_size = self.near_size.saturating_add(loaded_size);
        self.dylibs[dylib.index()].units.push(id);
        if laziness == Laziness::Eager {
            self.units.push(Arc::new(unit));
        } else {
            unit.entry_points = Some(EntryPointsId(self.entry_points.len() as u32));
            self.units.push(Arc::new(unit));
            self.entry_points.push(Arc::new(EntryPoints::of_unit(self.units[id.index()].clone())));
        }
        Ok(id)
    }

    /// Marks the sections of groups of which the JITDylib has a copy already.
    fn discard_groups(&mut self, unit: &mut MaterializationUnit) {
        let MaterializationUnit { id, dylib, file, entries, discarded, .. } = unit;
        // Nobody asks for them again.
        for group in std::mem::take(&mut file.groups) {
            // Mostly the entry of the signature is known, because it is the name of a global symbol.
            let entry = match group.symbol.map(|symbol| entries[symbol as usize]) {
                Some(entry) if entry != MaterializationUnit::LOCAL => entry,
                _ => self.intern(*dylib, group.signature),
            };
            if *self.entries[entry.index()].group.get_or_insert(*id) == *id {
                continue;
            }
            discarded.resize(file.sections.len(), false);
            for &section in file.members(&group) {
                discarded[section as usize] = true;
            }
        }
        file.group_members = Vec::new();
    }

    /// Enters one name of `unit`; says what the file makes of it, if that is more than a weak reference.
    fn enter(
        &mut self,
        unit: &mut MaterializationUnit,
        global: &GlobalName,
    ) -> Result<Option<(EntryId, Mention)>, SessionError> {
        let index = global.symbol;
        let symbol = unit.file.symbols.at(index as usize);
        let kept = match symbol.place {
            ObjectPlace::Undefined => false,
            ObjectPlace::Section(section) => !unit.is_discarded(section),
            _ => true,
        };
        if global.entry == GlobalName::VERSIONED {
            let name = if kept { self.conventions.definition_name(symbol.name) } else { symbol.name };
            unit.entries[index as usize] = self.intern(unit.dylib, name);
        }
        let id = unit.entries[index as usize];
        if kept {
            self.define(id, unit, index, &symbol)?;
        } else {
            if symbol.kind == SymbolKind::ThreadLocal {
                self.thread_local_references.insert(id);
            }
            let weak = symbol.linkage == Linkage::Weak && symbol.place == ObjectPlace::Undefined;
            self.entries[id.index()].internal |= symbol.scope != Scope::Default;
            if !weak {
                self.queue(id);
            } else {
                if self.conventions.linker_defined(self.entries[id.index()].name).is_some() {
                    self.weak_linker_defined.push(id);
                }
                self.weak_references.push(id);
            }
        }
        Ok(match symbol.place {
            ObjectPlace::Undefined if symbol.linkage == Linkage::Weak => None,
            ObjectPlace::Undefined => Some((id, Mention::Reference)),
            _ => Some((id, Mention::Definition)),
        })
    }

    /// Whether nothing is waiting to be searched for, or for a place.
    pub fn is_resolved(&self) -> bool {
        self.undefined.is_empty() && self.unresolved.is_empty() && self.placed_units == self.units.len()
    }

    /// Queues `id` for a search if nothing defines it, whether any file refers to it or not.
    pub fn require(&mut self, id: EntryId) {
        self.required.push(id);
        self.queue(id);
    }

    /// Queues `id` for a search if nothing defines it.
    fn queue(&mut self, id: EntryId) {
        let entry = &mut self.entries[id.index()];
        if entry.definition == Definition::Undefined && !entry.queued {
            entry.queued = true;
            self.undefined.push_back(id);
        }
    }

    /// Makes symbol `index` of `unit` the definition of `id` if it is better than the one there is.
    fn define(
        &mut self,
        id: EntryId,
        unit: &MaterializationUnit,
        index: u32,
        symbol: &ObjectSymbol,
    ) -> Result<(), SessionError> {
        let new = match symbol.place {
            ObjectPlace::Alias(other) => {
                Definition::Alias(self.intern(unit.dylib, unit.file.symbols.at(other as usize).name))
            }
            _ => Definition::Unit { unit: unit.id, symbol: index },
        };
        let rank = Rank::of(symbol);
        let old = self.entries[id.index()].definition;
        let replace = match old {
            Definition::Unit { unit: other, symbol: old } if other != unit.id => {
                let other = self.units[other.index()].clone();
                let old_symbol = &other.file.symbols.at(old as usize);
                match (Rank::of(old_symbol), rank) {
                    (Rank::Strong, Rank::Strong) => {
                        return Err(SessionErrorKind::DuplicateDefinition {
                            file: unit.file.name.clone(),
                            symbol: String::from_utf8_lossy(symbol.name).into_owned(),
                            first: other.file.name.clone(),
                        }
                        .into());
                    }
                    (Rank::Common, Rank::Common) => self.merge_commons((&other, old_symbol), (unit, symbol)),
                    (old, new) => new > old,
                }
            }
            // Two symbols of one name in one file: the assembler refuses that, ld -r does not make it.
            Definition::Unit { .. } => false,
            // The runtime's own may be replaced; a reference that has found its definition elsewhere is none (it is not exported).
            Definition::Absolute(_) | Definition::Alias(_)
                if rank == Rank::Strong && unit.dylib != PLATFORM && self.entries[id.index()].exported =>
            {
                return Err(SessionErrorKind::DuplicateDefinition {
                    file: unit.file.name.clone(),
                    symbol: String::from_utf8_lossy(symbol.name).into_owned(),
                    first: definition_source(old).into(),
                }
                .into());
            }
            Definition::Absolute(_) | Definition::Alias(_) | Definition::LazyReexport { .. } => rank == Rank::Strong,
            Definition::Undefined
            | Definition::SectionBound { .. }
            | Definition::DsoHandle
            | Definition::MemoryBound { .. }
            | Definition::GotBase => true,
        };
        if replace {
            self.set_definition(id, new, symbol.scope == Scope::Default && !unit.hidden);
        }
        Ok(())
    }

    /// Defines `id`, whatever it was before.
    pub fn set_definition(&mut self, id: EntryId, definition: Definition, exported: bool) {
        let entry = &mut self.entries[id.index()];
        entry.definition = definition;
        entry.exported = exported;
    }

    /// The set that `section` of `unit` is linked with.
    pub fn set_of(&self, unit: &MaterializationUnit, section: u32) -> Option<SetId> {
        let sets = &self.dylibs[unit.dylib.index()].sets;
        if sets.is_empty() {
            return None;
        }
        let section = unit.file.sections.at(section as usize);
        let position = sets.iter().position(|s| s.name == section.name && section.kind == SectionKind::Loaded)?;
        Some(SetId(position as u32))
    }

    /// The sections of `set` of `dylib`, in link order.
    pub fn set_sections(&self, dylib: DylibId, set: SetId) -> Vec<(UnitId, u32)> {
        let units = self.dylibs[dylib.index()].units.iter();
        let sections =
            units.flat_map(|&id| (0..self.units[id.index()].file.sections.len() as u32).map(move |s| (id, s)));
        sections
            .filter(|&(id, s)| {
                let unit = &self.units[id.index()];
                !unit.is_discarded(s) && self.set_of(unit, s) == Some(set)
            })
            .collect()
    }

    /// The entry that `id` stands for after aliases; one that stands for what another JITDylib hides is left as it is.
    pub fn follow(&self, mut id: EntryId) -> EntryId {
        // Aliases that lead in a circle define nothing; the bound only has to be finite.
        for _ in 0..64 {
            let Definition::Alias(to) = self.entries[id.index()].definition else { break };
            let (from, target) = (&self.entries[id.index()], &self.entries[to.index()]);
            if from.dylib != target.dylib && !target.exported {
                break;
            }
            id = to;
        }
        id
    }
}
