//! Symbols that no file defines: addresses, aliases, lazy reexports, what is null.

use super::entry_points::{EntryPoints, LazyAlias};
use super::error::{SessionError, SessionErrorKind};
use super::ids::{DylibId, EntryPointsId};
use super::session::Session;
use super::symbol_table::{Definition, SymbolTables};
use crate::base::ExecutorAddr;
use std::sync::Arc;

impl Session {
    /// Defines `name` in `dylib` as the absolute address `address`.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`].
    pub fn define_absolute(&self, dylib: DylibId, name: &str, address: ExecutorAddr) -> Result<(), SessionError> {
        self.tables_mut().define_name(dylib, leak(name), Definition::Absolute(address))
    }

    /// Defines `name` in `dylib` as what `aliasee` is in `other`, which may be hidden there. What `aliasee` needs becomes part of the
    /// program.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`]. That there is no `aliasee` is an error once something refers to `name`.
    pub fn define_alias(&self, dylib: DylibId, name: &str, other: DylibId, aliasee: &str) -> Result<(), SessionError> {
        let mut tables = self.tables_mut();
        let target = tables.intern(other, leak(aliasee));
        tables.require(target);
        tables.define_name(dylib, leak(name), Definition::Alias(target))
    }

    /// Makes those of `names` null that `dylib` refers to and nothing defines, the process neither: what a library exports that may be
    /// missing when the program runs.
    pub fn define_null(&self, dylib: DylibId, names: Vec<Vec<u8>>) {
        self.tables_mut().dylibs[dylib.index()].null_names.extend(names);
    }

    /// Makes room for `names` more names of symbols in `dylib`, about: only a matter of time.
    pub fn expect_names(&self, dylib: DylibId, names: usize) {
        self.tables_mut().reserve(dylib, names);
    }

    /// Makes everything null that `dylib` refers to and nothing defines, the process neither.
    pub fn set_phony_externals(&self, dylib: DylibId) {
        self.tables_mut().dylibs[dylib.index()].phony_externals = true;
    }
}

impl SymbolTables {
    /// Defines `name` in `dylib` as `definition`, an address or an alias.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`].
    pub fn define_name(
        &mut self,
        dylib: DylibId,
        name: &'static [u8],
        definition: Definition,
    ) -> Result<(), SessionError> {
        let id = self.intern(dylib, name);
        let old = self.entries[id.index()].definition;
        if old != Definition::Undefined && self.entries[id.index()].exported {
            return Err(SessionErrorKind::DuplicateDefinition {
                file: definition_source(definition).into(),
                symbol: String::from_utf8_lossy(name).into_owned(),
                first: match old {
                    Definition::Unit { unit, .. } => self.units[unit.index()].file.name.clone(),
                    old => definition_source(old).into(),
                },
            }
            .into());
        }
        self.set_definition(id, definition, true);
        Ok(())
    }

    /// Defines the entry points of `map` in `dylib`.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`], for one that is defined already; nothing is defined then.
    pub fn add_lazy_reexports(&mut self, dylib: DylibId, map: Vec<LazyAlias>) -> Result<(), SessionError> {
        let defined = |alias: &&LazyAlias| {
            let id = self.find(dylib, alias.entry_point.as_bytes());
            id.is_some_and(|id| self.entries[id.index()].definition != Definition::Undefined)
        };
        if let Some(alias) = map.iter().find(defined) {
            return Err(SessionErrorKind::DuplicateDefinition {
                file: "LazyReexportsManager::MU".into(),
                symbol: alias.entry_point.clone(),
                first: self.dylibs[dylib.index()].name.clone(),
            }
            .into());
        }
        let points = EntryPointsId(self.entry_points.len() as u32);
        for (number, alias) in map.iter().enumerate() {
            // Names of symbols live as long as the process, as those of mapped files do.
            let id = self.intern(dylib, alias.entry_point.clone().leak().as_bytes());
            self.set_definition(id, Definition::LazyReexport { points, number: number as u32 }, true);
        }
        self.entry_points.push(Arc::new(EntryPoints::of_map(map)));
        Ok(())
    }
}

/// What definitions that come from no file are called in messages, as in LLVM's.
pub(super) fn definition_source(definition: Definition) -> &'static str {
    match definition {
        Definition::Absolute(_) => "<Absolute Symbols>",
        Definition::Alias(_) => "<Reexports>",
        Definition::LazyReexport { .. } => "LazyReexportsManager::MU",
        Definition::DsoHandle => "DSOHandleMU",
        _ => "the linker",
    }
}

/// Names of symbols live as long as the process, as those of mapped files do.
fn leak(name: &str) -> &'static [u8] {
    name.to_string().leak().as_bytes()
}
