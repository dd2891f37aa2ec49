//! Which work is shared with other cores.
//!
//! A large link is divided between the threads of the pool. Starting those takes longer than linking a few functions, so a small program does
//! without; but once they are there, a first call that links much has them help.

use super::session::Session;
use crate::rt;

impl Session {
    /// Whether work is to be shared by all cores. The caller does so then.
    pub(super) fn use_threads(&self) -> bool {
        let may = self.may_use_threads();
        may.then(rt::use_pool);
        may
    }

    /// The same as [`Session::use_threads`], for a caller that may find that it has too little work to share; if not, it says [`rt::use_pool`].
    pub(super) fn may_use_threads(&self) -> bool {
        // The threads of the pool are not there in the child of a fork.
        if matches!(self.options.threads, Some(0 | 1)) || rt::forked() {
            return false;
        }
        if let Some(threads) = self.options.threads {
            // Fails if there is a pool already: that one will do.
            rt::use_pool();
            self.pool.call_once(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap_or(()));
        }
        true
    }

    /// Whether work of the size of a large function may be shared with cores that are idle: only if there are threads for that.
    pub(super) fn has_threads(&self) -> bool {
        rt::is_pool_in_use() && self.may_use_threads()
    }
}
