//! Names of symbols and what they hash to.
//!
//! A name is hashed once, on whatever core reads its file; tables keep the hash beside the id, so that growing one and stepping over
//! others' names touch no strings.

use super::ids::EntryId;
use crate::link::ObjectFile;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;
use std::hash::Hasher;

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
}

/// The entries of one JITDylib by name. The names themselves are kept by the owner of the entries.
#[derive(Debug, Default)]
pub(super) struct NameTable(HashTable<(NameHash, EntryId)>);

impl NameTable {
    /// The entry of the name that hashes to `hash` and of which `is` says that it is the one.
    pub fn find(&self, hash: NameHash, is: impl Fn(EntryId) -> bool) -> Option<EntryId> {
        self.0.find(hash.spread(), |&(h, id)| h == hash && is(id)).map(|&(_, id)| id)
    }

    /// The same; if there is none, `new` is entered, and the answer is `None`.
    pub fn find_or_enter(&mut self, hash: NameHash, is: impl Fn(EntryId) -> bool, new: EntryId) -> Option<EntryId> {
        match self.0.entry(hash.spread(), |&(h, id)| h == hash && is(id), |&(h, _)| h.spread()) {
            Entry::Occupied(found) => Some(found.get().1),
            Entry::Vacant(vacant) => {
                vacant.insert((hash, new));
                None
            }
        }
    }

    /// Makes room for `names` more names.
    pub fn reserve(&mut self, names: usize) {
        self.0.reserve(names, |&(h, _)| h.spread());
    }
}

/// An object file with the hashes of its global symbols' names.
#[derive(Debug)]
pub(super) struct HashedFile {
    pub file: ObjectFile,
    /// One per symbol; those of local symbols mean nothing.
    pub hashes: Vec<NameHash>,
}

impl HashedFile {
    /// Hashes the names of `file`.
    pub fn new(file: ObjectFile) -> HashedFile {
        let hash = |s: &crate::link::ObjectSymbol| if s.is_global() { NameHash::of(s.name) } else { NameHash(0) };
        let hashes = file.symbols.iter().map(hash).collect();
        HashedFile { file, hashes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let mut table = NameTable::default();
        let (hash, names) = (NameHash(7), [EntryId(0), EntryId(1)]);
        assert_eq!(names.map(|id| table.find_or_enter(hash, |other| other == id, id)), [None, None]);
        assert_eq!(names.map(|id| table.find(hash, |other| other == id)), names.map(Some));
        assert_eq!(table.find_or_enter(hash, |other| other == names[1], EntryId(2)), Some(names[1]));
    }

    #[test]
    fn growing_loses_no_name() {
        let mut table = NameTable::default();
        let name = |n: u32| format!("symbol{n}").into_bytes();
        for n in 0..10_000 {
            assert_eq!(table.find_or_enter(NameHash::of(&name(n)), |id| id.0 == n, EntryId(n)), None);
        }
        for n in 0..10_000 {
            assert_eq!(table.find(NameHash::of(&name(n)), |id| id.0 == n), Some(EntryId(n)));
        }
    }
}
