//! SymbolInstance: one symbol of one JITDylib, whose address can be asked for.

use super::error::SessionError;
use super::ids::DylibId;
use super::session::Session;
use crate::base::ExecutorAddr;
use std::sync::Arc;

/// What a lazy function's implementation is called: its name with this behind it, as in LLVM.
pub const BODY_SUFFIX: &str = "$orc_fnbody";

/// A symbol of a JITDylib: an entry point, a body (`name$orc_fnbody`), data.
#[derive(Clone, Debug)]
pub struct SymbolInstance {
    session: Arc<Session>,
    dylib: DylibId,
    name: String,
}

impl SymbolInstance {
    /// Symbol `name`, as the object format writes it, of `dylib`. Nothing is looked up yet.
    pub fn new(session: &Arc<Session>, dylib: DylibId, name: &str) -> SymbolInstance {
        SymbolInstance { session: session.clone(), dylib, name: name.to_string() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Links what it needs and returns its address. For a body, its entry point is redirected to it first.
    ///
    /// Errors: that it is defined nowhere, or why it cannot be linked.
    pub fn lookup(&self) -> Result<ExecutorAddr, SessionError> {
        self.session.lookup(self.dylib, &self.name)
    }

    /// As [`SymbolInstance::lookup`], on another thread, which then calls `complete`.
    pub fn lookup_async(self, complete: impl FnOnce(Result<ExecutorAddr, SessionError>) + Send + 'static) {
        std::thread::spawn(move || complete(self.lookup()));
    }
}
