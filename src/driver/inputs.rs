//! Reading the files of a command line.

use crate::base::{Arch, Format, Target};
use crate::cli::{CommandLine, InputKind, Plan};
use crate::lazy::HashedFile;
use crate::link::archive::Archive;
use crate::link::macho::{stub, universal};
use crate::link::{self, read_object};
use crate::rt;
use crate::rt::libraries::FileKind;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// Files from which on it pays to read them on all cores.
const PARALLEL_FILES: usize = 32;

/// Files from which on it pays to enter the first ones while the others are read.
const MANY_FILES: usize = 256;

/// How many of those one job reads.
const PER_JOB: usize = 16;

/// Names that are expected, at most, of files that are not read yet: they need not be like the others.
const MOST_NAMES: usize = 1 << 20;

/// A file, read.
pub(super) struct InputFile {
    /// Its path as given.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
pub(super) enum Content {
    /// A relocatable object.
    Object(Box<HashedFile>),
    /// An archive.
    Archive(Archive),
    /// A shared library.
    Shared,
    /// A linker script that lists other files.
    Script,
    /// A shared library that this system may not be able to load, or what stands for it.
    Stub(&'static [u8]),
    /// A file with a part for each architecture, of which none is chosen yet.
    Universal(&'static [u8]),
    /// Nothing that can be linked.
    Neither,
}

impl InputFile {
    /// Reads the file at `path`.
    ///
    /// Errors: that it cannot be read, or is a damaged object or archive.
    pub fn read(path: &Path) -> Result<InputFile> {
        let data = rt::map_file(path).with_context(|| format!("'{}'", path.display()))?;
        let name = path.display().to_string();
        let content = if universal::is_universal(data) { Content::Universal(data) } else { content(&name, data)? };
        Ok(InputFile { name, content })
    }

    /// The file for a program for `target`: of a universal one the part that is.
    ///
    /// Errors: that it has none, or what is wrong with that part.
    pub fn for_target(self, target: Target) -> Result<InputFile> {
        match self.content {
            Content::Universal(data) => {
                let content = content(&self.name, universal::part_for(&self.name, data, target)?)?;
                Ok(InputFile { content, ..self })
            }
            _ => Ok(self),
        }
    }

    /// How many names it brings, about, if it is an object.
    fn names(&self) -> usize {
        match &self.content {
            Content::Object(object) => object.file().symbols.len() / 2,
            _ => 0,
        }
    }

    fn target(&self) -> Option<Target> {
        match &self.content {
            Content::Object(object) => Some(object.file().target),
            _ => None,
        }
    }

    fn first_member_target(&self) -> Option<Target> {
        match &self.content {
            Content::Archive(archive) => archive.members.iter().find_map(|m| link::target_of(m.content.inline()?)),
            _ => None,
        }
    }

    /// A target of the universal file, or of the universal members of the archive: this machine's if it is among them, and one whose
    /// code can be run rather than one whose code cannot.
    fn universal_target(&self) -> Option<Target> {
        let mut targets: Vec<Target> = match &self.content {
            Content::Universal(data) => link::targets_of(data),
            Content::Archive(archive) => {
                archive.members.iter().filter_map(|m| m.content.inline()).flat_map(link::targets_of).collect()
            }
            _ => return None,
        };
        targets.sort_by_key(|target| (target.signed_pointers, Some(target.arch) != Arch::host()));
        targets.first().copied()
    }
}

/// What is in `data`, which is not universal.
fn content(name: &str, data: &'static [u8]) -> Result<Content> {
    Ok(match FileKind::of(&data[..data.len().min(4096)]) {
        FileKind::Archive => Content::Archive(Archive::parse_with(name, data, &rt::copy_file_part)?),
        FileKind::Shared => Content::Shared,
        FileKind::Script => Content::Script,
        FileKind::Other if stub::is_stub(data) => Content::Stub(data),
        FileKind::Other => {
            read_object(name, data)?.map_or(Content::Neither, |object| Content::Object(Box::new(object.into())))
        }
    })
}

/// The input files of a command line, in order: read when they are asked for, or by other threads before.
pub(super) struct Files<'a> {
    /// How many there are in all.
    count: usize,
    /// Those that are read and were not taken yet.
    ready: VecDeque<InputFile>,
    rest: Rest<'a>,
}

/// Where the other files come from.
enum Rest<'a> {
    /// They are read when they are asked for.
    Unread(std::vec::IntoIter<&'a Path>),
    /// Other threads read them, job by job.
    Jobs {
        next: usize,
        done: BTreeMap<usize, Result<Vec<InputFile>>>,
        receiver: Receiver<(usize, Result<Vec<InputFile>>)>,
    },
}

/// Does `work` with the input files of `command`, which other threads may read meanwhile.
pub(super) fn with_files<R>(command: &CommandLine, work: impl FnOnce(Files<'_>) -> R) -> R {
    let files = command.plan.inputs.iter().filter(|i| i.kind == InputKind::File);
    let paths: Vec<&Path> = files.map(|i| Path::new(&i.name)).collect();
    let count = paths.len();
    let files = |rest| Files { count, ready: VecDeque::new(), rest };
    if count < PARALLEL_FILES || !command.options.use_threads() || !rt::use_pool(command.options.threads()) {
        return work(files(Rest::Unread(paths.into_iter())));
    }
    let per_job = if count < MANY_FILES { 1 } else { PER_JOB };
    rt::in_place_scope_fifo(|scope| {
        let (sender, receiver) = channel();
        for (number, job) in paths.chunks(per_job).enumerate() {
            let sender = sender.clone();
            scope.spawn_fifo(move |_| {
                let read: Result<Vec<InputFile>> = job.iter().map(|path| InputFile::read(path)).collect();
                // Nobody listens any more once something has failed.
                sender.send((number, read)).unwrap_or(());
            });
        }
        // The receiver hears of the end when the last job is done.
        drop(sender);
        work(files(Rest::Jobs { next: 0, done: BTreeMap::new(), receiver }))
    })
}

impl Files<'_> {
    /// The next file.
    ///
    /// Errors: that it cannot be read.
    pub fn take(&mut self) -> Result<Option<InputFile>> {
        if self.ready.is_empty() {
            self.read_more()?;
        }
        Ok(self.ready.pop_front())
    }

    /// Has more files ready; `false` if there are none.
    fn read_more(&mut self) -> Result<bool> {
        match &mut self.rest {
            Rest::Unread(paths) => {
                let Some(path) = paths.next() else { return Ok(false) };
                self.ready.push_back(InputFile::read(path)?);
            }
            Rest::Jobs { next, done, receiver } => {
                let read = loop {
                    if let Some(read) = done.remove(next) {
                        break read;
                    }
                    // What no other thread has begun to read, this one reads.
                    let received = match receiver.try_recv() {
                        Err(TryRecvError::Empty) if rt::do_own_job() => continue,
                        Err(TryRecvError::Empty) => receiver.recv().ok(),
                        received => received.ok(),
                    };
                    match received {
                        Some((number, read)) => done.insert(number, read),
                        None => return Ok(false),
                    };
                };
                *next += 1;
                self.ready.extend(read?);
            }
        }
        Ok(true)
    }

    /// Reads the other files of fewer than [`MANY_FILES`]: they are most likely archives, of which one may hold more than all others.
    fn read_few(&mut self) -> Result<()> {
        while self.count < MANY_FILES && self.read_more()? {}
        Ok(())
    }

    /// The target of the first object, or else of the first object in an archive, or else one of the first universal file, and the
    /// file that says so; this machine's, and no file, if there is none.
    ///
    /// Errors: those of files that have to be read for that.
    pub fn target(&mut self) -> Result<(Target, String)> {
        self.read_few()?;
        let mut seen = 0;
        while !self.ready.range(seen..).any(|file| file.target().is_some()) {
            seen = self.ready.len();
            if !self.read_more()? {
                break;
            }
        }
        let said_by = |target: fn(&InputFile) -> Option<Target>| {
            self.ready.iter().find_map(|file| Some((target(file)?, file.name.clone())))
        };
        Ok(said_by(InputFile::target)
            .or_else(|| said_by(InputFile::first_member_target))
            .or_else(|| said_by(InputFile::universal_target))
            .unwrap_or((Target::new(Arch::host().unwrap_or(Arch::X86_64), Format::host()), String::new())))
    }

    /// How many names all objects bring, about, if those files that are read are like the others.
    pub fn names(&self) -> usize {
        let read: usize = self.ready.iter().map(InputFile::names).sum();
        let all = read.saturating_mul(self.count) / self.ready.len().max(1);
        all.min(read.max(MOST_NAMES))
    }
}

/// Whether `file` is the archive of Rust's standard library for panics that abort, given together with the one for panics that unwind.
/// The two define the same symbols, and rustc links only one of them: the latter, unless it is told otherwise.
pub(super) fn is_idle_panic_runtime(file: &str, plan: &Plan) -> bool {
    let is = |file: &Path, start| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(".rlib")
    };
    is(Path::new(file), "libpanic_abort-") && plan.inputs.iter().any(|i| is(Path::new(&i.name), "libpanic_unwind-"))
}
