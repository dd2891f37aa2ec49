//! Reading members of archives.
//!
//! Of members of lazy archives only tables are read, for now, and most of what is around those never is. So they are read from copies, one after another in the same
//! buffer, which take no more memory than the largest of them: half of what a big program would have mapped else, and the system maps 16 pages where
//! one is looked at.

use super::digest;
use super::error::{SessionError, SessionErrorKind};
use super::name_table::{HashedFile, Names};
use super::unit::Laziness;
use crate::base::Target;
use crate::link::archive::{Archive, CopyPart, MemberContent, display_name};
use crate::link::file_view::FileView;
use crate::link::{TableCopies, part_for, read_object_through};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How files are got at.
#[derive(Clone, Copy)]
pub(super) struct FileAccess<'a> {
    /// Reads a file named by a thin archive; its bytes live as long as the process.
    pub load: &'a (dyn Fn(&Path) -> std::io::Result<&'static [u8]> + Sync),
    /// See [`super::SessionOptions::copy_file_part`].
    pub copy_part: &'a CopyPart<'static>,
}

/// What reading a member gave; `None` if it is no object.
pub(super) type Outcome = Result<Option<HashedFile>, SessionError>;

/// Reads members.
pub(super) struct MemberReader<'a> {
    access: FileAccess<'a>,
    /// Of universal members the part for this is read.
    target: Target,
    /// Those that no thread is using.
    copies: Mutex<Vec<TableCopies>>,
}

impl<'a> MemberReader<'a> {
    /// Reads members for `target`.
    pub fn new(access: FileAccess<'a>, target: Target) -> MemberReader<'a> {
        MemberReader { access, target, copies: Mutex::default() }
    }

    /// Reads member `member` of `archive`, which is to be linked with `laziness`, and whose names may be among `known`.
    pub fn read(&self, archive: &Archive, member: u32, laziness: Laziness, known: &Names) -> Outcome {
        let m = &archive.members[member as usize];
        let data = match &m.content {
            MemberContent::Inline(data) => *data,
            MemberContent::Thin(path) => (self.access.load)(path).map_err(|error| SessionErrorKind::Input {
                file: format!("{} (member of thin archive {})", path.display(), archive.name),
                error: error.to_string(),
            })?,
        };
        let name = display_name(&archive.name, m);
        if laziness != Laziness::Eager
            && let Some(outcome) = self.read_copy(&name, data, known)
        {
            return outcome;
        }
        self.read_file(&name, FileView::of(part_for(&name, data, self.target)?), known)
    }

    fn read_file(&self, name: &str, view: FileView<'_>, known: &Names) -> Outcome {
        let file = read_object_through(name, view)?;
        Ok(file.map(|file| HashedFile::new(file, view, known)))
    }

    /// Reads `data` without having it in memory; `None` if that cannot be done.
    fn read_copy(&self, name: &str, data: &'static [u8], known: &Names) -> Option<Outcome> {
        let unused = || self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut copies = unused().pop().unwrap_or_default();
        let read_at = |part: &mut [u8], offset| (self.access.copy_part)(&data[offset..offset + part.len()], part);
        let is_read = copies.read(data.len(), digest::RELOCATIONS, &read_at);
        let outcome = is_read.then(|| self.read_file(name, copies.view(data), known));
        unused().push(copies);
        outcome
    }
}
