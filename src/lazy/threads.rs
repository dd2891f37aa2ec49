//! Which work is shared with other cores.
//!
//! A large link is divided between the threads of the pool. Starting those takes longer than linking a few functions, so a small program does
//! without; but once they are there, a first call that links much has them help.

use super::session::Session;
use crate::rt;

/// Whether work may be shared, and with how many threads: for who may find that there is too little of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sharing(Option<Option<usize>>);

impl Sharing {
    /// Whether work is to be shared. The caller does so then.
    pub fn begin(self) -> bool {
        self.0.is_some_and(rt::use_pool)
    }
}

impl Session {
    /// Whether work is to be shared by all cores. The caller does so then.
    pub(super) fn use_threads(&self) -> bool {
        self.sharing().begin()
    }

    /// The same as [`Session::use_threads`], for a caller that may find that it has too little work to share.
    pub(super) fn sharing(&self) -> Sharing {
        // The threads of the pool are not there in the child of a fork.
        let may = !matches!(self.options.threads, Some(0 | 1)) && !rt::forked();
        Sharing(may.then_some(self.options.threads))
    }

    /// Whether work of the size of a large function may be shared with cores that are idle: only if there are threads for that.
    pub(super) fn has_threads(&self) -> bool {
        rt::is_pool_in_use() && self.use_threads()
    }
}
