//! Names of symbols and what they hash to.
//!
//! A name is hashed once, on whatever core reads its file. So are most names looked up: what archives' indexes list is known before their
//! members are read, and while that does not change, any core may look at it ([`NameTable::freeze`]). The core that enters files
//! one by one then has to touch neither tables nor strings for them.

use super::digest::Digest;
use super::far_data::loaded_size;
use super::ids::EntryId;
use crate::link::file_view::FileView;
use crate::link::{self, ObjectFile, ObjectSymbol};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;
use std::hash::Hasher;
use std::sync::Arc;

/// What a name hashes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NameHash(u32);

impl NameHash {
    /// The hash of `name`.
    pub fn of(name: &[u8]) -> NameHash {
        let mut hasher = FxHasher::default();
        hasher.write(name);
        let hash = hasher.finish();
        NameHash((hash ^ hash >> 32) as u32)
    }

    /// Spread over 64 bits: the table takes the place from the low bits and a tag from the high ones.
    fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Which of `count` shares of equal size the hash belongs to.
    pub fn share(self, count: usize) -> usize {
        ((u64::from(self.0) * count as u64) >> 32) as usize
    }
}

/// Entries by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Hashes and places in `names`: those of the first share, or all.
    table: HashTable<(NameHash, u32)>,
    /// Those of the other shares; see [`NameHash::share`].
    more: Vec<HashTable<(NameHash, u32)>>,
    names: Vec<(&'static [u8], EntryId)>,
}

impl Names {
    /// The names of `shares`, each of which has those of its share; their entries are `first` and those behind it.
    pub fn join(shares: Vec<Names>, first: EntryId) -> Names {
        let mut all = Names::default();
        for (number, mut share) in shares.into_iter().enumerate() {
            let start = all.names.len() as u32;
            share.table.iter_mut().for_each(|(_, at)| *at += start);
            let entries = (first.0 + start..).map(EntryId);
            all.names.extend(share.names.into_iter().map(|(name, _)| name).zip(entries));
            match number {
                0 => all.table = share.table,
                _ => all.more.push(share.table),
            }
        }
        all
    }

    /// The names and their entries, in the order they were entered.
    pub fn all(&self) -> &[(&'static [u8], EntryId)] {
        &self.names
    }

    /// Makes room for `names` more names.
    pub fn reserve(&mut self, names: usize) {
        self.table.reserve(names, |&(h, _)| h.spread());
        self.names.reserve(names);
    }

    /// The hashes of the share of `hash`.
    fn table(&self, hash: NameHash) -> &HashTable<(NameHash, u32)> {
        match self.more.len() {
            0 => &self.table,
            more => hash.share(more + 1).checked_sub(1).map_or(&self.table, |share| &self.more[share]),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The entry of `name`, which hashes to `hash`.
    pub fn find(&self, name: &[u8], hash: NameHash) -> Option<EntryId> {
        if self.is_empty() {
            return None;
        }
        let found = self.table(hash).find(hash.spread(), |&(h, at)| h == hash && self.names[at as usize].0 == name);
        found.map(|&(_, at)| self.names[at as usize].1)
    }

    /// The number of a name that hashes to `hash`, if there is any: seldom one of several.
    pub fn candidate(&self, hash: NameHash) -> Option<u32> {
        self.table(hash).find(hash.spread(), |&(h, _)| h == hash).map(|&(_, at)| at)
    }

    /// The name that [`Names::candidate`] has numbered `at`.
    pub fn name(&self, at: u32) -> &'static [u8] {
        self.names[at as usize].0
    }

    /// The entry of that name.
    pub fn entry(&self, at: u32) -> EntryId {
        self.names[at as usize].1
    }

    /// The same; if there is none, `new` is entered, and the answer is `None`.
    pub fn find_or_enter(&mut self, name: &'static [u8], hash: NameHash, new: EntryId) -> Option<EntryId> {
        debug_assert!(self.more.is_empty(), "names in shares are frozen");
        let Names { table, names, .. } = self;
        let is = |&(h, at): &(NameHash, u32)| h == hash && names[at as usize].0 == name;
        match table.entry(hash.spread(), is, |&(h, _)| h.spread()) {
            Entry::Occupied(found) => Some(names[found.get().1 as usize].1),
            Entry::Vacant(vacant) => {
                vacant.insert((hash, names.len() as u32));
                names.push((name, new));
                None
            }
        }
    }
}

/// The entries of one JITDylib by name.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    /// Names that do not change any more.
    frozen: Arc<Names>,
    /// The others.
    recent: Names,
}

impl NameTable {
    /// The entry of `name`, which hashes to `hash`.
    pub fn find(&self, name: &[u8], hash: NameHash) -> Option<EntryId> {
        self.frozen.find(name, hash).or_else(|| self.recent.find(name, hash))
    }

    /// The same; if there is none, `new` is entered, and the answer is `None`.
    pub fn find_or_enter(&mut self, name: &'static [u8], hash: NameHash, new: EntryId) -> Option<EntryId> {
        self.frozen.find(name, hash).or_else(|| self.recent.find_or_enter(name, hash, new))
    }

    /// The names entered so far, for any thread to look at. Only the first call takes all: names that come later are few.
    pub fn freeze(&mut self) -> Arc<Names> {
        if self.frozen.names.is_empty() {
            self.frozen = Arc::new(std::mem::take(&mut self.recent));
        }
        self.frozen.clone()
    }

    /// Whether names have been frozen.
    pub fn is_frozen(&self) -> bool {
        !self.frozen.is_empty()
    }

    /// Takes `names`, none of which is known yet, as names that do not change any more. There must be no others of those.
    pub fn adopt(&mut self, names: Names) {
        debug_assert!(!self.is_frozen(), "names are frozen once");
        self.frozen = Arc::new(names);
    }

    /// Makes room for `names` more names.
    pub fn reserve(&mut self, names: usize) {
        self.recent.reserve(names);
    }
}

/// A symbol of a file that other files can refer to, or that refers to other files.
#[derive(Clone, Copy, Debug)]
pub(super) struct GlobalName {
    /// Index into the file's symbols.
    pub symbol: u32,
    pub hash: NameHash,
    /// The entry of the name, if it was known when the file was read; [`GlobalName::UNKNOWN`] if not.
    pub entry: EntryId,
}

impl GlobalName {
    /// In `entry`: nobody knew the name.
    pub const UNKNOWN: EntryId = EntryId(u32::MAX);
    /// In `entry`: what the file calls a symbol is not always its name (`Conventions::definition_name`).
    pub const VERSIONED: EntryId = EntryId(u32::MAX - 1);
}

/// An object file, read and ready to enter a JITDylib: all that can be done for that beforehand, on any thread.
#[derive(Debug)]
pub struct HashedFile {
    pub(super) file: ObjectFile,
    /// The global symbols that have names, ascending by symbol.
    pub(super) names: Vec<GlobalName>,
    /// See [`loaded_size`].
    pub(super) loaded_size: u64,
    /// The sections that are more than code and data, ascending; see [`crate::link::object_file::SectionKind::is_special`].
    pub(super) special_sections: Vec<u32>,
    /// The names that nobody knew, one behind another, if the file was read without having it in memory.
    pub(super) unknown_names: Option<Vec<u8>>,
    /// What will be asked of it, in the same case.
    pub(super) digest: Option<Digest>,
}

impl From<ObjectFile> for HashedFile {
    /// Hashes the names of `file`.
    fn from(file: ObjectFile) -> HashedFile {
        let view = file.view();
        HashedFile::new(file, view, &Names::default())
    }
}

impl HashedFile {
    /// The file.
    pub fn file(&self) -> &ObjectFile {
        &self.file
    }

    /// The file alone, for what changes it.
    pub fn into_file(self) -> ObjectFile {
        self.file
    }

    /// Hashes the names of `file`, which are looked at through `view`, and looks for them among `known`.
    pub(super) fn new(file: ObjectFile, view: FileView<'_>, known: &Names) -> HashedFile {
        let conventions = link::conventions(file.target.format);
        let globals = file.symbols.iter().filter(ObjectSymbol::is_global).count();
        let mut names = Vec::with_capacity(globals);
        for (symbol, s) in file.symbols.iter().enumerate() {
            if !s.is_global() || s.name.is_empty() {
                continue;
            }
            let name = view.look_at(s.name);
            let hash = NameHash::of(name);
            let versioned = s.is_defined() && conventions.definition_name(name).len() != name.len();
            let entry = if versioned { GlobalName::VERSIONED } else { GlobalName::UNKNOWN };
            names.push(GlobalName { symbol: symbol as u32, hash, entry });
        }
        known.find_all(&file, view, &mut names);
        let unknown = names.iter().filter(|name| name.entry == GlobalName::UNKNOWN);
        let unknown = unknown.map(|name| view.look_at(file.symbols.at(name.symbol as usize).name));
        let unknown_names = view.is_copy().then(|| unknown.collect::<Vec<&[u8]>>().concat());
        let digest = view.is_copy().then(|| Digest::of(&file, view));
        let sections = file.sections.iter().enumerate();
        let special_sections = sections.filter(|(_, s)| s.kind.is_special()).map(|(index, _)| index as u32).collect();
        HashedFile { loaded_size: loaded_size(&file), special_sections, file, names, unknown_names, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let mut table = NameTable::default();
        let (hash, ids) = (NameHash(7), [EntryId(0), EntryId(1)]);
        let names: [&[u8]; 2] = [b"a", b"b"];
        assert_eq!([0, 1].map(|i| table.find_or_enter(names[i], hash, ids[i])), [None, None]);
        assert_eq!([0, 1].map(|i| table.find(names[i], hash)), ids.map(Some));
        assert_eq!(table.find_or_enter(names[1], hash, EntryId(2)), Some(ids[1]));
    }

    #[test]
    fn growing_and_freezing_lose_no_name() {
        let mut table = NameTable::default();
        let name = |n: u32| -> &'static [u8] { format!("symbol{n}").into_bytes().leak() };
        for n in 0..10_000 {
            if n % 3000 == 1000 {
                let frozen = table.freeze();
                assert_eq!(frozen.find(name(17), NameHash::of(name(17))), Some(EntryId(17)));
            }
            assert_eq!(table.find_or_enter(name(n), NameHash::of(name(n)), EntryId(n)), None);
        }
        for n in 0..10_000 {
            assert_eq!(table.find(name(n), NameHash::of(name(n))), Some(EntryId(n)));
            assert_eq!(table.find_or_enter(name(n), NameHash::of(name(n)), EntryId(0)), Some(EntryId(n)));
        }
    }
}
