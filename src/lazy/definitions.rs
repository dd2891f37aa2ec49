//! Symbols that no file defines: addresses, aliases, what is null.

use super::error::SessionError;
use super::ids::DylibId;
use super::session::Session;
use super::symbol_table::Definition;
use crate::base::ExecutorAddr;

impl Session {
    /// Defines `name` in `dylib` as the absolute address `address`.
    ///
    /// Errors: [`SessionError::DuplicateDefinition`].
    pub fn define_absolute(&self, dylib: DylibId, name: &str, address: ExecutorAddr) -> Result<(), SessionError> {
        self.tables_mut().define_name(dylib, leak(name), Definition::Absolute(address))
    }

    /// Defines `name` in `dylib` as what `aliasee` is in `other`, which may be hidden there. What `aliasee` needs becomes part of the
    /// program.
    ///
    /// Errors: [`SessionError::DuplicateDefinition`]. That there is no `aliasee` is an error once something refers to `name`.
    pub fn define_alias(&self, dylib: DylibId, name: &str, other: DylibId, aliasee: &str) -> Result<(), SessionError> {
        let mut tables = self.tables_mut();
        let target = tables.intern(other, leak(aliasee));
        tables.require(target);
        tables.define_name(dylib, leak(name), Definition::Alias(target))
    }

    /// Makes everything null that `dylib` refers to and nothing defines, the process neither.
    pub fn set_phony_externals(&self, dylib: DylibId) {
        self.tables_mut().dylibs[dylib.index()].phony_externals = true;
    }
}

/// Names of symbols live as long as the process, as those of mapped files do.
fn leak(name: &str) -> &'static [u8] {
    name.to_string().leak().as_bytes()
}
