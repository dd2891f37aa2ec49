//! Archive members that are read on other cores while symbols are resolved.
//!
//! What a member defines decides which others the program needs, so members enter it one by one. But which one a queued reference
//! will ask for is known as soon as it is queued: it is read while those before it are entered.

use super::error::SessionError;
use super::ids::{ArchiveId, DylibId, EntryId};
use super::name_table::{HashedFile, Names};
use super::resolution::{LoadFile, Reading, read_member};
use super::symbol_table::{Definition, SymbolTables};
use crate::link::archive::Archive;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Members from which on it pays to read them on other cores.
const WORTHWHILE: usize = 32;

/// Members that one job reads.
const PER_JOB: usize = 8;

/// A member of an archive.
pub(super) type MemberId = (ArchiveId, u32);

/// What reading a member gave; `None` if it is no object.
pub(super) type Outcome = Result<Option<HashedFile>, SessionError>;

/// Reads members ahead of being needed. Some may turn out not to be: errors count only when a member is.
pub(super) struct ReadAhead<'a, 'scope> {
    scope: Option<&'a rayon::ScopeFifo<'scope>>,
    reading: Reading<'scope>,
    /// For each JITDylib the names that were known when reading ahead began.
    known: Vec<Arc<Names>>,
    /// Not yet given to anybody.
    pending: Vec<Wanted>,
    requested: FxHashSet<MemberId>,
    /// Whether `WORTHWHILE` was reached.
    started: bool,
    /// How much of the queue of references has been looked at.
    seen: usize,
    sender: Sender<(MemberId, Outcome)>,
    receiver: Receiver<(MemberId, Outcome)>,
    done: FxHashMap<MemberId, Outcome>,
}

impl<'a, 'scope> ReadAhead<'a, 'scope> {
    /// Reads on the threads of `scope`, files for `tables`, which has the names `known`.
    pub fn new(
        scope: &'a rayon::ScopeFifo<'scope>,
        load: LoadFile<'scope>,
        tables: &SymbolTables,
        known: Vec<Arc<Names>>,
    ) -> ReadAhead<'a, 'scope> {
        ReadAhead { scope: Some(scope), known, ..ReadAhead::alone(load, tables) }
    }

    /// Reads what is taken when it is, and nothing ahead.
    pub fn alone(load: LoadFile<'scope>, tables: &SymbolTables) -> ReadAhead<'a, 'scope> {
        let (sender, receiver) = channel();
        ReadAhead {
            scope: None,
            reading: Reading { load, target: tables.target },
            known: Vec::new(),
            pending: Vec::new(),
            requested: FxHashSet::default(),
            started: false,
            seen: 0,
            sender,
            receiver,
            done: FxHashMap::default(),
        }
    }

    /// Begins to read what the references that were queued since the last call will ask for.
    pub fn look_ahead(&mut self, tables: &SymbolTables) {
        if self.scope.is_none() {
            return;
        }
        for &id in tables.undefined.range(self.seen.min(tables.undefined.len())..) {
            if let Some(wanted) = wanted(tables, id)
                && self.requested.insert(wanted.member)
            {
                self.pending.push(wanted);
            }
        }
        self.seen = tables.undefined.len();
        self.started |= self.pending.len() >= WORTHWHILE;
        if self.started {
            self.submit(PER_JOB);
        }
    }

    /// The queue is about to be worked off: what is pending must not wait for more.
    pub fn next_round(&mut self) {
        if self.started {
            self.submit(1);
        }
        self.seen = 0;
    }

    /// Gives away pending members as long as there are at least `least`.
    fn submit(&mut self, least: usize) {
        let Some(scope) = self.scope else { return };
        while self.pending.len() >= least.max(1) {
            let rest = self.pending.split_off(self.pending.len().min(PER_JOB));
            let job = std::mem::replace(&mut self.pending, rest);
            let (reading, sender) = (self.reading, self.sender.clone());
            let with_names = |wanted: Wanted| (self.known_in(wanted.dylib), wanted);
            let job: Vec<(Arc<Names>, Wanted)> = job.into_iter().map(with_names).collect();
            scope.spawn_fifo(move |_| {
                for (known, Wanted { member, archive, .. }) in job {
                    // Nobody listens any more once resolution has failed.
                    sender.send((member, read_member(&archive, member.1, &reading, &known))).unwrap_or(());
                }
            });
        }
    }

    /// Takes `member` of `archive`, once it is read; reads it here if nobody was asked to.
    pub fn take(&mut self, member: MemberId, archive: &Archive) -> Outcome {
        if let Some(position) = self.pending.iter().position(|pending| pending.member == member) {
            self.pending.remove(position);
        } else if self.requested.contains(&member) {
            loop {
                if let Some(outcome) = self.done.remove(&member) {
                    return outcome;
                }
                // A thread of the pool may have the job in its own queue, where nobody else might take it from.
                if rayon::yield_now() == Some(rayon::Yield::Executed) {
                    self.done.extend(self.receiver.try_iter());
                } else if let Ok((id, outcome)) = self.receiver.recv() {
                    self.done.insert(id, outcome);
                }
            }
        }
        read_member(archive, member.1, &self.reading, &Names::default())
    }

    /// The names of `dylib` that were known when reading ahead began.
    fn known_in(&self, dylib: DylibId) -> Arc<Names> {
        self.known.get(dylib.index()).cloned().unwrap_or_default()
    }
}

/// A member that something asks for.
struct Wanted {
    member: MemberId,
    archive: Arc<Archive>,
    /// The JITDylib that it is to enter.
    dylib: DylibId,
}

/// Whether so many members are asked for by what is queued that it pays to read them on other cores.
pub(super) fn is_worthwhile(tables: &SymbolTables) -> bool {
    let enough = tables.undefined.len() >= WORTHWHILE;
    enough && tables.undefined.iter().filter(|&&id| wanted(tables, id).is_some()).count() >= WORTHWHILE
}

/// The archive member that `id` would pull.
fn wanted(tables: &SymbolTables, id: EntryId) -> Option<Wanted> {
    let entry = &tables.entries[id.index()];
    let (id, member) = entry.archive.filter(|_| entry.definition == Definition::Undefined)?;
    let input = &tables.archives[id.index()];
    let wanted = || Wanted { member: (id, member), archive: input.archive.clone(), dylib: input.dylib };
    (!input.taken[member as usize]).then(wanted)
}
