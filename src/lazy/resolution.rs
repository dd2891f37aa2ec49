//! Symbol resolution: what a static linker does before it lays anything out.
//!
//! Undefined symbols pull archive members until nothing new is found, over symbol tables only: members of lazy archives are
//! entered with their references, but nothing of them is linked. So which definition counts, which members are part of the
//! program, and whose initializers run is decided once, as it is for the static program, however lazily it is linked then.

use super::error::SessionError;
use super::ids::{ArchiveId, DylibId, EntryId, SetId, UnitId};
use super::member_reader::{FileAccess, MemberReader, Outcome};
use super::name_table::{HashedFile, NameHash, Names};
use super::read_ahead::{self, MemberId, ReadAhead, ReadingList, Wanted};
use super::symbol_table::{Definition, Entry, SectionSet, SymbolTables};
use super::threads::Sharing;
use super::unit::Laziness;
use crate::base::{ExecutorAddr, Target};
use crate::link::archive::Archive;
use crate::link::conventions::LinkerDefined;
use crate::link::{LinkError, ObjectFile};
use crate::rt;
use std::borrow::Cow;
use std::sync::Arc;

/// The JITDylib of the runtime: the first one of every session.
pub(super) const PLATFORM: DylibId = DylibId(0);

/// How an archive is used.
#[derive(Clone, Copy, Debug, Default)]
pub struct ArchiveOptions {
    /// The members of which this is true are part of the program, whether something refers to them or not.
    pub force: Option<fn(&ObjectFile) -> bool>,
    /// Other JITDylibs do not see what its members define.
    pub hidden: bool,
    /// Its members are not part of the JITDylib before [`super::Session::offer_archives`] is called, which must be the next thing that
    /// happens to the session but for more such archives: many are offered together faster than one after another.
    pub offered_later: bool,
}

/// An archive and what became of its members.
#[derive(Debug)]
pub(super) struct ArchiveInput {
    pub archive: Arc<Archive>,
    pub name: String,
    pub dylib: DylibId,
    pub laziness: Laziness,
    /// Whether a member has been added, or found to be no object.
    pub taken: Vec<bool>,
    /// Members that references pulled, and the units they are; in this order.
    pub pulled: Vec<(u32, UnitId)>,
    /// How many units there were before it could be searched.
    pub position: usize,
    /// Whether other JITDylibs do not see what its members define.
    pub hidden: bool,
    /// Whether it is a helper archive, which nobody gave.
    pub helper: bool,
}

impl ArchiveInput {
    /// What it takes to read `member`, one of its own.
    pub fn wanted(&self, member: MemberId) -> Wanted {
        Wanted { member, archive: self.archive.clone(), dylib: self.dylib, laziness: self.laziness }
    }
}

impl SymbolTables {
    /// Offers the members of `archive` to `dylib`; enters those that [`ArchiveOptions::force`] wants.
    pub fn add_archive(
        &mut self,
        dylib: DylibId,
        archive: Archive,
        laziness: Laziness,
        options: ArchiveOptions,
        access: FileAccess<'_>,
    ) -> Result<ArchiveId, SessionError> {
        let id = ArchiveId::at(self.archives.len());
        let members = archive.members.len();
        let archive = Arc::new(archive);
        self.archives.push(ArchiveInput {
            name: archive.name.clone(),
            archive: archive.clone(),
            dylib,
            laziness,
            taken: vec![false; members],
            pulled: Vec::new(),
            position: 0,
            hidden: options.hidden,
            helper: false,
        });
        for member in 0..options.force.map_or(0, |_| members as u32) {
            let file = self.read(&archive, member, access)?;
            if file.zip(options.force).is_some_and(|(file, force)| force(&file.file)) {
                self.pull((id, member), &mut ReadAhead::alone(&MemberReader::new(access, self.target)))?;
            }
        }
        // What is part of the program anyway comes in its own order, as objects do.
        let input = &mut self.archives[id.index()];
        input.pulled.clear();
        input.position = self.units.len();
        self.unoffered.push(id);
        if options.offered_later && archive.has_index() {
            return Ok(id);
        }
        for id in std::mem::take(&mut self.unoffered) {
            self.offer_index(id);
        }
        if !archive.has_index() {
            for member in 0..members as u32 {
                self.offer_unindexed(id, member, access)?;
            }
        }
        Ok(id)
    }

    /// Offers a member of an archive without an index, from the member's own symbol table.
    fn offer_unindexed(&mut self, id: ArchiveId, member: u32, access: FileAccess<'_>) -> Result<(), SessionError> {
        let archive = self.archives[id.index()].archive.clone();
        let Some(HashedFile { file, names, .. }) = self.read(&archive, member, access)? else {
            return Ok(());
        };
        for global in names {
            let symbol = file.symbols.at(global.symbol as usize);
            if symbol.is_defined() {
                self.offer(id, member, symbol.name, global.hash);
            }
        }
        Ok(())
    }

    /// Reads `member` of `archive` on this thread.
    fn read(&self, archive: &Archive, member: u32, access: FileAccess<'_>) -> Outcome {
        MemberReader::new(access, self.target).read(archive, member, Laziness::Eager, &Names::default())
    }

    /// Makes archive member `member` part of the program; nothing happens if it is already, or is no object.
    fn pull(&mut self, (id, member): MemberId, ahead: &mut ReadAhead<'_>) -> Result<(), SessionError> {
        if std::mem::replace(&mut self.archives[id.index()].taken[member as usize], true) {
            return Ok(());
        }
        let file = ahead.take(&self.archives[id.index()].wanted((id, member)))?;
        let ArchiveInput { dylib, laziness, hidden, .. } = self.archives[id.index()];
        if let Some(file) = file {
            self.check_target(&file.file.name, file.file.target)?;
            let unit = self.add_object(dylib, file, laziness, hidden)?;
            self.archives[id.index()].pulled.push((member, unit));
            ahead.look_ahead(self);
        }
        Ok(())
    }

    /// Refuses a file for another target than the rest of the session's.
    pub fn check_target(&self, name: &str, target: Target) -> Result<(), SessionError> {
        match self.units.first() {
            Some(first) if first.file.target != target => Err(LinkError::unsuitable(
                name,
                format_args!(
                    "is for {target}, but {} is for {}; all files of a program must be for one target",
                    first.file.name, first.file.target
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// Searches for everything that is referred to and not defined; reads members on all cores if `sharing` says so.
    ///
    /// Members enter the program one by one in the order they are asked for, however they are read: what each one defines
    /// decides which others are needed.
    pub fn resolve(&mut self, access: FileAccess<'_>, sharing: Sharing) -> Result<(), SessionError> {
        self.search_all(access, sharing)?;
        // A section that was missing when its bounds were searched for may have come with an archive member since.
        let [weak, unresolved] = [&mut self.weak_linker_defined, &mut self.unresolved].map(std::mem::take);
        [self.weak_linker_defined, self.unresolved] =
            [weak, unresolved].map(|ids| ids.into_iter().filter(|&id| !self.define_by_linker(id)).collect());
        Ok(())
    }

    /// Gives `id` the linker's definition if it has none; says whether it has one then.
    fn define_by_linker(&mut self, id: EntryId) -> bool {
        let entry = &self.entries[id.index()];
        let (name, dylib) = (entry.name, entry.dylib);
        if entry.definition != Definition::Undefined {
            return true;
        }
        let definition = self.linker_defined(dylib, name);
        if let Some(definition) = definition {
            self.set_definition(id, definition, false);
        }
        definition.is_some()
    }

    /// The search, until nothing is queued.
    fn search_all(&mut self, access: FileAccess<'_>, sharing: Sharing) -> Result<(), SessionError> {
        let reader = MemberReader::new(access, self.target);
        let mut alone = ReadAhead::alone(&reader);
        while !self.undefined.is_empty() {
            // Other threads are only started if there is something for them.
            if read_ahead::is_worthwhile(self) && sharing.begin() {
                let known = self.freeze_names();
                let list = ReadingList::new(&reader, known);
                return rt::in_place_scope(|scope| {
                    let mut ahead = ReadAhead::with_others(&list, scope);
                    ahead.look_ahead(self);
                    while !self.undefined.is_empty() {
                        self.resolve_round(&mut ahead)?;
                    }
                    Ok(())
                });
            }
            self.resolve_round(&mut alone)?;
        }
        Ok(())
    }

    /// Searches for everything that is queued by now.
    fn resolve_round(&mut self, ahead: &mut ReadAhead<'_>) -> Result<(), SessionError> {
        ahead.next_round();
        for id in std::mem::take(&mut self.undefined) {
            self.search(id, ahead)?;
        }
        Ok(())
    }

    fn search(&mut self, id: EntryId, ahead: &mut ReadAhead<'_>) -> Result<(), SessionError> {
        let entry = &self.entries[id.index()];
        if entry.definition != Definition::Undefined {
            return Ok(());
        }
        let (name, dylib, archive) = (entry.name, entry.dylib, entry.archive);
        if let Some(replacement) = self.runtime_replacement(dylib, name) {
            self.set_definition(id, Definition::Alias(replacement), true);
            return Ok(());
        }
        if let Some((archive, member)) = archive {
            self.pull((archive, member), ahead)?;
            if self.entries[id.index()].definition != Definition::Undefined {
                return Ok(());
            }
        }
        if self.define_by_linker(id) {
            return Ok(());
        }
        let hash = NameHash::of(name);
        for other in self.dylibs[dylib.index()].link_order.clone() {
            let Some(found) = self.find_hashed(other, name, hash).filter(|_| other != dylib) else {
                continue;
            };
            if let (Definition::Undefined, Some((archive, member))) = {
                let e = &self.entries[found.index()];
                (e.definition, e.archive.filter(|(archive, _)| !self.archives[archive.index()].hidden))
            } {
                self.pull((archive, member), ahead)?;
            }
            let e = &self.entries[found.index()];
            if e.exported && e.definition != Definition::Undefined {
                self.set_definition(id, Definition::Alias(found), false);
                return Ok(());
            }
        }
        self.unresolved.push(id);
        Ok(())
    }

    /// Looks in the other JITDylibs of their link orders for what is referred to weakly and has no definition in its own: for what is defined there by now, since nothing is
    /// made part of a program for a weak reference. Answers what has no definition there either.
    pub fn resolve_weak_references(&mut self) -> Vec<EntryId> {
        let mut weak = std::mem::take(&mut self.weak_references);
        weak.retain(|&id| {
            let Entry { definition, name, dylib, .. } = self.entries[id.index()];
            if definition != Definition::Undefined {
                return false;
            }
            let others = self.dylibs[dylib.index()].link_order.iter().filter(|&&other| other != dylib);
            let found = others.filter_map(|&other| self.find(other, name)).find(|found| {
                let entry = &self.entries[found.index()];
                entry.exported && entry.definition != Definition::Undefined
            });
            if let Some(found) = found {
                self.set_definition(id, Definition::Alias(found), false);
            }
            found.is_none()
        });
        weak
    }

    /// The program's definition of a symbol of the runtime, if it has one: that comes before the runtime's own, as any object comes
    /// before an archive. Only the runtime's own names can be replaced; what it takes from the C library, it takes there.
    fn runtime_replacement(&self, dylib: DylibId, name: &[u8]) -> Option<EntryId> {
        if dylib != PLATFORM || !name.starts_with(self.conventions.runtime().prefix) {
            return None;
        }
        let programs = (0..self.dylibs.len() as u32).map(DylibId).filter(|&d| d != PLATFORM);
        programs.filter_map(|d| self.find(d, name)).find(|id| {
            let entry = &self.entries[id.index()];
            entry.exported && matches!(entry.definition, Definition::Unit { .. })
        })
    }

    /// What the linker itself defines when something refers to `name`.
    fn linker_defined(&mut self, dylib: DylibId, name: &'static [u8]) -> Option<Definition> {
        match self.conventions.linker_defined(name)? {
            LinkerDefined::DsoHandle => Some(Definition::DsoHandle),
            LinkerDefined::GotBase => Some(Definition::GotBase),
            // Accesses to the module's thread-local memory are relaxed to count from the thread pointer.
            LinkerDefined::ThreadLocalBase => Some(Definition::Absolute(ExecutorAddr::NULL)),
            LinkerDefined::SectionBound { section, end } => {
                let set = self.section_set(dylib, section)?;
                Some(Definition::SectionBound { set, end })
            }
        }
    }

    /// The set of all sections called `name` in `dylib`; `None` if there are none.
    fn section_set(&mut self, dylib: DylibId, name: Cow<'static, [u8]>) -> Option<SetId> {
        if let Some(position) = self.dylibs[dylib.index()].sets.iter().position(|s| s.name == name) {
            return Some(SetId(position as u32));
        }
        let set = SetId(self.dylibs[dylib.index()].sets.len() as u32);
        self.dylibs[dylib.index()].sets.push(SectionSet { name, bounds: Arc::default() });
        if self.set_sections(dylib, set).is_empty() {
            self.dylibs[dylib.index()].sets.pop();
            return None;
        }
        Some(set)
    }
}
