//! What is asked of a file after it has been read.
//!
//! A file that is read from copies of its tables is not in memory afterwards. What the program asks of every file, and of names and relocations in particular, is
//! found out while there are copies.

use super::canonical::Wishes;
use super::local_functions::large_local_functions;
use crate::link::ObjectFile;
use crate::link::file_view::FileView;

/// How many relocations are looked at.
pub(super) const RELOCATIONS: usize = 128;

/// What was found out about a file.
#[derive(Debug)]
pub(super) struct Digest {
    /// Where its code wants memory to be, as far as its first relocations tell.
    pub wishes: Wishes,
    /// See [`large_local_functions`].
    pub large_local_functions: Vec<u32>,
}

impl Digest {
    /// What there is to know about `file`, which is looked at through `view`.
    pub fn of(file: &ObjectFile, view: FileView<'_>) -> Digest {
        Digest { wishes: Wishes::of(file, view, RELOCATIONS), large_local_functions: large_local_functions(file, view) }
    }
}
