//! Archive members that are read on other cores while symbols are resolved.
//!
//! What a member defines decides which others the program needs, so members enter it one by one. But which one a queued reference
//! will ask for is known as soon as it is queued: it is read while those before it are entered. Who enters them reads as well when there is nothing to
//! enter yet: there is a thread for each core and no more, and hardly one ever sleeps.

use super::ids::{ArchiveId, DylibId, EntryId};
use super::member_reader::{MemberReader, Outcome};
use super::name_table::Names;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::Laziness;
use crate::link::archive::Archive;
use crate::rt;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Members from which on it pays to read them on other cores.
const WORTHWHILE: usize = 32;

/// A member of an archive.
pub(super) type MemberId = (ArchiveId, u32);

/// The members that are to be read. Some may turn out not to be needed: errors count only when a member is.
pub(super) struct ReadingList<'a> {
    reader: &'a MemberReader<'a>,
    /// For each JITDylib the names that were known when reading ahead began.
    known: Vec<Arc<Names>>,
    state: Mutex<State>,
    /// Something was added, or nothing will be any more.
    added: Condvar,
    /// A member that is waited for has been read.
    read: Condvar,
}

#[derive(Default)]
struct State {
    /// Those that nobody reads yet, in the order in which they will be asked for; some were taken meanwhile.
    waiting: VecDeque<Wanted>,
    progress: FxHashMap<MemberId, Progress>,
    /// The one that is waited for.
    awaited: Option<MemberId>,
    /// How many threads have nothing to read.
    idle: usize,
    closed: bool,
}

/// How far a member is.
enum Progress {
    Waiting,
    BeingRead,
    Read(Box<Outcome>),
}

impl<'a> ReadingList<'a> {
    /// An empty list of members that `reader` reads, for tables that have the names `known`.
    pub fn new(reader: &'a MemberReader<'a>, known: Vec<Arc<Names>>) -> ReadingList<'a> {
        ReadingList { reader, known, state: Mutex::default(), added: Condvar::new(), read: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is on the list until it is closed.
    fn work(&self) {
        let mut state = self.state();
        while !state.closed {
            state = if let Some(wanted) = state.next() {
                self.read_next(state, &wanted)
            } else {
                state.idle += 1;
                let mut state = self.added.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                state
            };
        }
    }

    /// Reads `wanted`, which [`State::next`] has given, while others have the list.
    fn read_next<'l>(&'l self, state: MutexGuard<'l, State>, wanted: &Wanted) -> MutexGuard<'l, State> {
        drop(state);
        let outcome = self.read(wanted);
        let mut state = self.state();
        state.progress.insert(wanted.member, Progress::Read(Box::new(outcome)));
        if state.awaited == Some(wanted.member) {
            self.read.notify_one();
        }
        state
    }

    fn read(&self, wanted: &Wanted) -> Outcome {
        let unknown = Arc::default();
        let known = self.known.get(wanted.dylib.index()).unwrap_or(&unknown);
        self.reader.read(&wanted.archive, wanted.member.1, wanted.laziness, known)
    }

    /// Takes `wanted` once it is read; reads it, or others, if nobody has.
    fn take(&self, wanted: &Wanted) -> Outcome {
        let mut state = self.state();
        loop {
            match state.progress.remove(&wanted.member) {
                Some(Progress::Read(outcome)) => return *outcome,
                Some(Progress::Waiting) | None => {
                    drop(state);
                    return self.read(wanted);
                }
                Some(Progress::BeingRead) => {
                    state.progress.insert(wanted.member, Progress::BeingRead);
                    state = if let Some(other) = state.next() {
                        self.read_next(state, &other)
                    } else {
                        state.awaited = Some(wanted.member);
                        self.read.wait(state).unwrap_or_else(PoisonError::into_inner)
                    };
                }
            }
        }
    }

    /// Adds `wanted` behind what is on the list.
    fn add(&self, wanted: impl Iterator<Item = Wanted>) {
        let mut state = self.state();
        let State { waiting, progress, idle, .. } = &mut *state;
        for wanted in wanted {
            if let Entry::Vacant(new) = progress.entry(wanted.member) {
                new.insert(Progress::Waiting);
                waiting.push_back(wanted);
            }
        }
        // Who adds them is the one to read the next one.
        for _ in 0..waiting.len().saturating_sub(1).min(*idle) {
            self.added.notify_one();
        }
    }

    /// Sends those away who read what is on the list.
    fn close(&self) {
        self.state().closed = true;
        self.added.notify_all();
    }
}

impl State {
    /// The next member that nobody reads.
    fn next(&mut self) -> Option<Wanted> {
        loop {
            let wanted = self.waiting.pop_front()?;
            if let Some(progress @ Progress::Waiting) = self.progress.get_mut(&wanted.member) {
                *progress = Progress::BeingRead;
                return Some(wanted);
            }
        }
    }
}

/// Reads members, ahead of being needed if it is given a list.
pub(super) struct ReadAhead<'a> {
    reader: &'a MemberReader<'a>,
    list: Option<&'a ReadingList<'a>>,
    /// How much of the queue of references has been looked at.
    seen: usize,
}

impl<'a> ReadAhead<'a> {
    /// Reads what is taken when it is, and nothing ahead.
    pub fn alone(reader: &'a MemberReader<'a>) -> ReadAhead<'a> {
        ReadAhead { reader, list: None, seen: 0 }
    }

    /// Reads what is on `list` on the threads of `scope` as well, one for each core that is left. This thread must not wait for the pool meanwhile: it might
    /// begin to read for good.
    pub fn with_others<'scope>(list: &'a ReadingList<'a>, scope: &rayon::Scope<'scope>) -> ReadAhead<'a>
    where
        'a: 'scope,
    {
        for _ in 1..rt::pool_size() {
            scope.spawn(|_| list.work());
        }
        ReadAhead { list: Some(list), ..ReadAhead::alone(list.reader) }
    }

    /// Begins to read what the references that were queued since the last call will ask for.
    pub fn look_ahead(&mut self, tables: &SymbolTables) {
        if let Some(list) = self.list {
            let new = tables.undefined.range(self.seen.min(tables.undefined.len())..);
            list.add(new.filter_map(|&id| wanted(tables, id)));
            self.seen = tables.undefined.len();
        }
    }

    /// The queue is about to be worked off.
    pub fn next_round(&mut self) {
        self.seen = 0;
    }

    /// Takes `wanted`, once it is read.
    pub fn take(&mut self, wanted: &Wanted) -> Outcome {
        match self.list {
            Some(list) => list.take(wanted),
            None => self.reader.read(&wanted.archive, wanted.member.1, wanted.laziness, &Names::default()),
        }
    }
}

impl Drop for ReadAhead<'_> {
    fn drop(&mut self) {
        if let Some(list) = self.list {
            list.close();
        }
    }
}

/// A member that something asks for.
pub(super) struct Wanted {
    pub member: MemberId,
    pub archive: Arc<Archive>,
    /// The JITDylib that it is to enter.
    pub dylib: DylibId,
    pub laziness: Laziness,
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
    (!input.taken[member as usize]).then(|| input.wanted((id, member)))
}

#[cfg(test)]
mod tests {
    use super::super::error::SessionErrorKind;
    use super::super::member_reader::FileAccess;
    use super::*;
    use crate::base::{Arch, Format, Target};
    use std::path::{Path, PathBuf};

    const MEMBERS: u32 = 300;

    /// A thin archive, whose members are files of their own: `m0` and so on.
    fn archive() -> Arc<Archive> {
        let mut bytes = b"!<thin>\n".to_vec();
        for member in 0..MEMBERS {
            let name = format!("m{member}/");
            bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, 0).into_bytes());
        }
        Arc::new(Archive::parse("lib.a", bytes.leak()).unwrap())
    }

    fn member(archive: &Arc<Archive>, member: u32) -> Wanted {
        let (archive, laziness) = (archive.clone(), Laziness::Function);
        Wanted { member: (ArchiveId::at(0), member), archive, dylib: DylibId(0), laziness }
    }

    /// Does `work` with a list that others read as well; answers which files were read, in order of their names.
    fn with_list(others: usize, work: impl FnOnce(&ReadingList<'_>)) -> Vec<PathBuf> {
        let read = Mutex::new(Vec::new());
        // No two files have the same outcome.
        let load = |path: &Path| {
            read.lock().unwrap().push(path.to_path_buf());
            Err(std::io::Error::other("nothing there"))
        };
        let access = FileAccess { load: &load, copy_part: &|_, _| false };
        let reader = MemberReader::new(access, Target::new(Arch::X86_64, Format::Elf));
        let list = ReadingList::new(&reader, Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(|| list.work());
            }
            work(&list);
            list.close();
        });
        let mut read = read.into_inner().unwrap();
        read.sort();
        read
    }

    fn is_of(outcome: &Outcome, member: u32) -> bool {
        let Err(error) = outcome else { return false };
        matches!(error.kind(), SessionErrorKind::Input { file, .. } if file.starts_with(&format!("m{member} ")))
    }

    #[test]
    fn each_member_is_read_once_and_given_to_who_takes_it() {
        let archive = archive();
        for others in 0..4 {
            let read = with_list(others, |list| {
                // As they are found: many at once, and others while these are taken.
                let mut found = 0;
                for taken in 0..MEMBERS {
                    let more = if taken % 100 == 0 { 90 } else { 2 };
                    let new = found..(taken + more).clamp(found, MEMBERS);
                    found = new.end;
                    list.add(new.map(|new| member(&archive, new)));
                    assert!(is_of(&list.take(&member(&archive, taken)), taken), "{taken}");
                }
            });
            let mut all: Vec<PathBuf> = (0..MEMBERS).map(|member| format!("m{member}").into()).collect();
            all.sort();
            assert_eq!(read, all, "{others} others");
        }
    }

    #[test]
    fn members_that_nobody_takes_keep_nobody_waiting() {
        let archive = archive();
        let read = with_list(2, |list| {
            list.add((0..MEMBERS).map(|number| member(&archive, number)));
            assert!(is_of(&list.take(&member(&archive, MEMBERS - 1)), MEMBERS - 1));
        });
        assert!(read.contains(&format!("m{}", MEMBERS - 1).into()));
    }

    #[test]
    fn what_is_not_on_the_list_is_read_when_it_is_taken() {
        let archive = archive();
        let read = with_list(0, |list| assert!(is_of(&list.take(&member(&archive, 7)), 7)));
        assert_eq!(read, [Path::new("m7")]);
    }
}
