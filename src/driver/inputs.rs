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
use rayon::prelude::*;
use std::path::Path;

/// Files from which on it pays to read them on all cores.
const PARALLEL_FILES: usize = 32;

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

    /// How many names it brings, about.
    pub fn names(&self) -> usize {
        match &self.content {
            Content::Object(object) => object.file().symbols.len() / 2,
            Content::Archive(archive) => archive.symbols().len(),
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
        FileKind::Archive => Content::Archive(Archive::parse(name, data)?),
        FileKind::Shared => Content::Shared,
        FileKind::Script => Content::Script,
        FileKind::Other if stub::is_stub(data) => Content::Stub(data),
        FileKind::Other => {
            read_object(name, data)?.map_or(Content::Neither, |object| Content::Object(Box::new(object.into())))
        }
    })
}

/// Reads the files of `command` in order.
///
/// Errors: those of the first file that has any.
pub(super) fn read(command: &CommandLine) -> Result<Vec<InputFile>> {
    let files = command.plan.inputs.iter().filter(|i| i.kind == InputKind::File);
    let paths: Vec<&Path> = files.map(|i| Path::new(&i.name)).collect();
    let parallel = paths.len() >= PARALLEL_FILES && command.options.use_threads();
    if !parallel {
        return paths.into_iter().map(InputFile::read).collect();
    }
    rt::use_pool();
    let files: Vec<Result<InputFile>> = paths.into_par_iter().with_min_len(4).map(InputFile::read).collect();
    files.into_iter().collect()
}

/// The target of the first object, or else of the first object in an archive, or else one of the first universal file, and the
/// file that says so; this machine's, and no file, if there is none.
pub(super) fn target_of(files: &[InputFile]) -> (Target, &str) {
    let said_by =
        |target: fn(&InputFile) -> Option<Target>| files.iter().find_map(|f| Some((target(f)?, f.name.as_str())));
    said_by(InputFile::target)
        .or_else(|| said_by(InputFile::first_member_target))
        .or_else(|| said_by(InputFile::universal_target))
        .unwrap_or((Target::new(Arch::host().unwrap_or(Arch::X86_64), Format::host()), ""))
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
