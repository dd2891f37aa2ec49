//! Offering what archives' indexes list.
//!
//! The archives of a large program list a hundred thousand names. Entered one by one, each waits for places in memory that nobody has touched lately,
//! which is a tenth of the time of such a program. So those of archives that follow each other are entered together: each core takes the names with some hashes,
//! goes through all indexes in their order, and so finds who is first with each of its names.

use super::ids::{ArchiveId, DylibId, EntryId};
use super::name_table::{NameHash, NameTable, Names};
use super::session::Session;
use super::symbol_table::{Definition, Entry, SymbolTables};
use crate::link::archive::Archive;
use crate::rt;
use rayon::prelude::*;
use std::sync::Arc;

/// Names from which on it pays to enter them on all cores.
const MANY_NAMES: usize = 16 << 10;

/// Shares that names are divided into, at most: each core reads all of their hashes.
const MOST_SHARES: usize = 8;

/// A member of an archive that defines a name.
type Offer = (ArchiveId, u32);

impl Session {
    /// Offers the members of archives that were added with [`super::ArchiveOptions::offered_later`].
    pub fn offer_archives(&self) {
        let mut tables = self.tables_mut();
        let archives = std::mem::take(&mut tables.unoffered);
        let [first, ..] = archives[..] else { return };
        let dylib = tables.archives[first.index()].dylib;
        let indexed = |id: &ArchiveId| &tables.archives[id.index()];
        let names: usize = archives.iter().map(|id| indexed(id).archive.symbols().len()).sum();
        let of_one_dylib = archives.iter().all(|id| indexed(id).dylib == dylib);
        let is_large = names >= MANY_NAMES && of_one_dylib && !tables.dylibs[dylib.index()].table.is_frozen();
        if is_large && self.use_threads() {
            tables.offer_together(dylib, &archives);
            archives.into_iter().for_each(|id| tables.forget_index(id));
        } else {
            tables.reserve(dylib, names);
            archives.into_iter().for_each(|id| tables.offer_index(id));
        }
    }
}

impl SymbolTables {
    /// Offers what the index of archive `id` lists.
    pub fn offer_index(&mut self, id: ArchiveId) {
        let archive = self.archives[id.index()].archive.clone();
        for (name, member) in archive.symbols() {
            self.offer(id, member, name, NameHash::of(name));
        }
        drop(archive);
        self.forget_index(id);
    }

    /// What the index of archive `id` lists has been offered.
    fn forget_index(&mut self, id: ArchiveId) {
        if let Some(archive) = Arc::get_mut(&mut self.archives[id.index()].archive) {
            archive.forget_symbols();
        }
    }

    /// Notes that `member` of `archive` would define `name`.
    pub fn offer(&mut self, archive: ArchiveId, member: u32, name: &'static [u8], hash: NameHash) {
        let id = self.intern_hashed(self.archives[archive.index()].dylib, name, hash);
        self.offer_to(id, (archive, member));
    }

    /// The same for a name that has an entry.
    pub fn offer_to(&mut self, id: EntryId, offer: (ArchiveId, u32)) {
        let entry = &mut self.entries[id.index()];
        if entry.archive.is_none() {
            entry.archive = Some(offer);
            if entry.queued && entry.definition == Definition::Undefined {
                self.undefined.push_back(id);
            }
        }
    }

    /// Offers what the indexes of `archives`, all of `dylib`, list, on all cores. The JITDylib must not have frozen names yet.
    fn offer_together(&mut self, dylib: DylibId, archives: &[ArchiveId]) {
        let archives: Vec<(ArchiveId, Arc<Archive>)> =
            archives.iter().map(|&id| (id, self.archives[id.index()].archive.clone())).collect();
        let hashes = |(_, archive): &(ArchiveId, Arc<Archive>)| -> Vec<NameHash> {
            archive.symbols().map(|(name, _)| NameHash::of(name)).collect()
        };
        let hashes: Vec<Vec<NameHash>> = rt::in_pool(|| archives.par_iter().map(hashes).collect());
        let known = &self.dylibs[dylib.index()].table;
        let count = rt::pool_size().clamp(1, MOST_SHARES);
        let share = |number| Share::of((number, count), &archives, &hashes, known);
        let mut shares: Vec<Share> = rt::in_pool(|| (0..count).into_par_iter().map(share).collect());

        let mut known: Vec<_> = shares.iter_mut().flat_map(|share| std::mem::take(&mut share.known)).collect();
        known.sort_unstable_by_key(|&(place, _)| place);
        for (_, (entry, offer)) in known {
            self.offer_to(entry, offer);
        }
        let first = EntryId(self.entries.len() as u32);
        let offers: Vec<Offer> = shares.iter().flat_map(|share| &share.offers).copied().collect();
        let names = Names::join(shares.into_iter().map(|share| share.names).collect(), first);
        let entry = |(&(name, _), &offer): (&(&'static [u8], EntryId), &Offer)| Entry {
            archive: Some(offer),
            ..Entry::undefined(name, dylib)
        };
        // Members will bring names of their own.
        self.entries.reserve(offers.len() + offers.len() / 4);
        rt::in_pool(|| self.entries.par_extend(names.all().par_iter().zip(&offers).map(entry)));
        self.dylibs[dylib.index()].table.adopt(names);
    }
}

/// The names with hashes of one share, and who offers them.
#[derive(Default)]
struct Share {
    /// Names that nobody knew, in the order of the indexes, numbered from 0 until they have entries.
    names: Names,
    /// The first offer of each.
    offers: Vec<Offer>,
    /// Offers of names that have entries, and where in the indexes: archive and place.
    known: Vec<((usize, usize), (EntryId, Offer))>,
}

impl Share {
    /// Share `number` of `count` of what the indexes of `archives` list, whose names hash to `hashes`; `known` are the names that have entries.
    fn of(
        (number, count): (usize, usize),
        archives: &[(ArchiveId, Arc<Archive>)],
        hashes: &[Vec<NameHash>],
        known: &NameTable,
    ) -> Share {
        let mut share = Share::default();
        let all: usize = hashes.iter().map(Vec::len).sum();
        share.names.reserve(all / count);
        for (position, ((id, archive), hashes)) in archives.iter().zip(hashes).enumerate() {
            for (place, ((name, member), &hash)) in archive.symbols().zip(hashes).enumerate() {
                if hash.share(count) == number {
                    match known.find(name, hash) {
                        Some(entry) => share.known.push(((position, place), (entry, (*id, member)))),
                        None => share.enter(name, hash, (*id, member)),
                    }
                }
            }
        }
        share
    }

    fn enter(&mut self, name: &'static [u8], hash: NameHash, offer: Offer) {
        let new = EntryId(self.offers.len() as u32);
        if self.names.find_or_enter(name, hash, new).is_none() {
            self.offers.push(offer);
        }
    }
}
