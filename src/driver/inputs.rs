//! Reading the files of a command line.

use crate::base::{Arch, Format, Target};
use crate::cli::{CommandLine, InputKind, Plan};
use crate::link::archive::Archive;
use crate::link::{self, ObjectFile, read_object};
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
    Object(Box<ObjectFile>),
    /// An archive.
    Archive(Archive),
    /// A shared library.
    Shared,
    /// A linker script that lists other files.
    Script,
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
        let content = match FileKind::of(&data[..data.len().min(4096)]) {
            FileKind::Archive => Content::Archive(Archive::parse(&name, data)?),
            FileKind::Shared => Content::Shared,
            FileKind::Script => Content::Script,
            FileKind::Other => {
                read_object(&name, data)?.map_or(Content::Neither, |object| Content::Object(Box::new(object)))
            }
        };
        Ok(InputFile { name, content })
    }

    fn target(&self) -> Option<Target> {
        match &self.content {
            Content::Object(object) => Some(object.target),
            _ => None,
        }
    }

    fn first_member_target(&self) -> Option<Target> {
        match &self.content {
            Content::Archive(archive) => archive.members.iter().find_map(|m| link::target_of(m.content.inline()?)),
            _ => None,
        }
    }
}

/// Reads the files of `command` in order.
///
/// Errors: those of the first file that has any.
pub(super) fn read(command: &CommandLine) -> Result<Vec<InputFile>> {
    let files = command.plan.inputs.iter().filter(|i| i.kind == InputKind::File);
    let paths: Vec<&Path> = files.map(|i| Path::new(&i.name)).collect();
    let parallel = paths.len() >= PARALLEL_FILES && !matches!(command.options.num_threads, Some(0 | 1));
    if !parallel {
        return paths.into_iter().map(InputFile::read).collect();
    }
    let files: Vec<Result<InputFile>> = paths.into_par_iter().with_min_len(4).map(InputFile::read).collect();
    files.into_iter().collect()
}

/// The target of the first object, or else of the first object in an archive, and the file that says so; this machine's, and no
/// file, if there is none.
pub(super) fn target_of(files: &[InputFile]) -> (Target, &str) {
    let said_by =
        |target: fn(&InputFile) -> Option<Target>| files.iter().find_map(|f| Some((target(f)?, f.name.as_str())));
    said_by(InputFile::target)
        .or_else(|| said_by(InputFile::first_member_target))
        .unwrap_or((Target { arch: Arch::host().unwrap_or(Arch::X86_64), format: Format::Elf }, ""))
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
