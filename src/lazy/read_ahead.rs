//! Archive members that are read on other cores while symbols are resolved.
//!
//! What a member defines decides which others the program needs, so members enter it one by one. But which one a queued reference
//! will ask for is known as soon as it is queued: it is read while those before it are entered.

use super::error::SessionError;
use super::ids::{ArchiveId, EntryId};
use super::name_table::HashedFile;
use super::resolution::{LoadFile, read_member};
use super::symbol_table::{Definition, SymbolTables};
use crate::base::Target;
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
    load: LoadFile<'scope>,
    /// Of universal members the part for this is read.
    target: Target,
    /// Not yet given to anybody.
    pending: Vec<(MemberId, Arc<Archive>)>,
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
    /// Reads on the threads of `scope`; without one, nothing is read ahead.
    pub fn new(
        scope: Option<&'a rayon::ScopeFifo<'scope>>,
        load: LoadFile<'scope>,
        target: Target,
    ) -> ReadAhead<'a, 'scope> {
        let (sender, receiver) = channel();
        ReadAhead {
            scope,
            load,
            target,
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
            if let Some((member, archive)) = wanted(tables, id)
                && self.requested.insert(member)
            {
                self.pending.push((member, archive));
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
            let (load, target, sender) = (self.load, self.target, self.sender.clone());
            scope.spawn_fifo(move |_| {
                for ((id, member), archive) in job {
                    // Nobody listens any more once resolution has failed.
                    sender.send(((id, member), read_member(&archive, member, load, target))).unwrap_or(());
                }
            });
        }
    }

    /// Takes `member` of `archive`, once it is read; reads it here if nobody was asked to.
    pub fn take(&mut self, member: MemberId, archive: &Archive) -> Outcome {
        if let Some(position) = self.pending.iter().position(|(pending, _)| *pending == member) {
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
        read_member(archive, member.1, self.load, self.target)
    }
}

/// Whether so many members are asked for by what is queued that it pays to read them on other cores.
pub(super) fn is_worthwhile(tables: &SymbolTables) -> bool {
    let enough = tables.undefined.len() >= WORTHWHILE;
    enough && tables.undefined.iter().filter(|&&id| wanted(tables, id).is_some()).count() >= WORTHWHILE
}

/// The archive member that `id` would pull.
fn wanted(tables: &SymbolTables, id: EntryId) -> Option<(MemberId, Arc<Archive>)> {
    let entry = &tables.entries[id.index()];
    let (id, member) = entry.archive.filter(|_| entry.definition == Definition::Undefined)?;
    let input = &tables.archives[id.index()];
    (!input.taken[member as usize]).then(|| ((id, member), input.archive.clone()))
}
