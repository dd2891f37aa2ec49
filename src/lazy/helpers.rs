//! What a static link defines that neither the inputs nor the process do: the linker's own symbols, and the members of helper
//! archives (the compiler's functions for what processors lack, the part of the C library that is not shared).
//!
//! Only symbols that nothing else defines are looked for here, so programs without such pay nothing. A helper archive is part of each
//! JITDylib that needs it, as it would be of each shared library: its symbols are hidden, and its members may have initializers.

use super::error::SessionError;
use super::ids::{ArchiveId, DylibId, EntryId};
use super::resolution::ArchiveInput;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::Laziness;
use crate::base::{ExecutorAddr, Target};
use crate::link;
use crate::link::archive::Archive;
use crate::link::conventions::FallbackPlace;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The helper archives of a session, opened.
#[derive(Debug, Default)]
pub(super) struct HelperArchives {
    archives: Vec<(String, &'static [u8])>,
    /// Which member of which archive defines a symbol: the first one that does.
    index: FxHashMap<&'static [u8], (usize, u32)>,
}

impl HelperArchives {
    /// Reads the indexes of `archives`. What is damaged, has no index, or is for another target is left out: nobody asked for it.
    pub fn open(archives: Vec<(String, &'static [u8])>, target: Target) -> HelperArchives {
        let mut helpers = HelperArchives::default();
        for (name, data) in archives {
            let part = link::part_for(&name, data, target);
            let Ok((data, archive)) = part.and_then(|data| Ok((data, Archive::parse(&name, data)?))) else {
                continue;
            };
            let of_member = archive.members.iter().find_map(|m| link::target_of(m.content.inline()?));
            if of_member == Some(target) {
                log::debug!("helper archive {name}");
                for (symbol, member) in archive.symbols() {
                    helpers.index.entry(symbol).or_insert((helpers.archives.len(), member));
                }
                helpers.archives.push((name, data));
            }
        }
        helpers
    }
}

impl SymbolTables {
    /// Defines those of `missing` that a static linker would still define; says whether there were any.
    ///
    /// Between `__executable_start` and `_end` lies everything that is linked, what of it is far away left aside, but in no order, and with
    /// gaps: so the ends of code and of data are all the same, and what programs clear, from `__bss_start` to `_end`, is empty. The
    /// bounds of initializers are one address: those are the session's to run.
    pub fn ask_helpers<'a>(
        &mut self,
        missing: &[EntryId],
        helpers: impl Fn() -> &'a HelperArchives,
    ) -> Result<bool, SessionError> {
        let mut any = false;
        for &id in missing {
            let (name, dylib) = (self.entries[id.index()].name, self.entries[id.index()].dylib);
            if self.define_rust_allocator(id) {
                any = true;
            } else if let Some(fallback) = self.conventions.fallback(name) {
                let definition = match fallback.place {
                    FallbackPlace::Null => Definition::Absolute(ExecutorAddr::NULL),
                    FallbackPlace::Handle => Definition::DsoHandle,
                    FallbackPlace::MemoryStart => Definition::MemoryBound { end: false },
                    FallbackPlace::MemoryEnd => Definition::MemoryBound { end: true },
                };
                self.set_definition(id, definition, false);
                any = true;
            } else if let Some(&(archive, member)) = helpers().index.get(name) {
                let archive = self.helper(dylib, &helpers().archives[archive])?;
                // An index may promise what the member does not define.
                if !self.archives[archive.index()].taken[member as usize] {
                    self.entries[id.index()].archive = Some((archive, member));
                    self.undefined.push_back(id);
                    any = true;
                }
            }
        }
        Ok(any)
    }

    /// The archive as an input of `dylib`, whose members are offered to nobody: each is taken on request.
    fn helper(&mut self, dylib: DylibId, (name, data): &(String, &'static [u8])) -> Result<ArchiveId, SessionError> {
        let known = self.archives.iter().position(|a| a.dylib == dylib && a.helper && a.name == *name);
        if let Some(position) = known {
            return Ok(ArchiveId::at(position));
        }
        let archive = Arc::new(Archive::parse(name, data)?);
        let taken = vec![false; archive.members.len()];
        let laziness = Laziness::Eager;
        self.archives.push(ArchiveInput {
            name: name.clone(),
            archive,
            dylib,
            laziness,
            taken,
            pulled: Vec::new(),
            position: self.units.len(),
            hidden: false,
            helper: true,
        });
        Ok(ArchiveId::at(self.archives.len() - 1))
    }
}
