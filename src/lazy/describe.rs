//! What is at an address of linked code: for backtraces, when nothing may be waited for.

use super::part::{Part, Publish};
use super::session::Session;
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectPlace, SymbolKind};
use crate::link::{BlockId, LinkError, ObjectFile};

/// A place in linked code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodePlace {
    /// The symbol that it belongs to; empty if there is none.
    pub symbol: String,
    /// Bytes from the symbol's start.
    pub offset: u64,
    /// The file, and what of it is there.
    pub file: Option<FilePlace>,
}

/// A place in a section of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The file's name, as messages use it.
    pub file: String,
    /// The section.
    pub section: String,
    /// Bytes from the section's start.
    pub offset: u64,
}

impl Session {
    /// What is linked at `address`; `None` if nothing is, or if that cannot be said without waiting for another thread.
    ///
    /// Looks at every section of every file: nothing is kept for this while the program is well.
    pub fn describe(&self, address: ExecutorAddr) -> Option<CodePlace> {
        let found = self.find_section(address, |unit, section, offset| {
            let file = &unit.file;
            let (symbol, distance) = nearest_symbol(file, section, offset).unwrap_or((b"", offset));
            CodePlace {
                symbol: String::from_utf8_lossy(symbol).into_owned(),
                offset: distance,
                file: Some(FilePlace {
                    file: file.name.clone(),
                    section: String::from_utf8_lossy(file.sections.at(section as usize).name).into_owned(),
                    offset,
                }),
            }
        });
        found.or_else(|| self.describe_stub(address))
    }

    /// Calls `with` with the file that is linked at `address` and the addresses of its sections. As [`Session::describe`].
    pub fn with_file_at<R>(
        &self,
        address: ExecutorAddr,
        with: impl FnOnce(&ObjectFile, &dyn Fn(u32) -> Option<ExecutorAddr>) -> R,
    ) -> Option<R> {
        self.find_section(address, |unit, _, _| {
            with(&unit.file, &|section| Some(unit.section_address(section)).filter(|address| !address.is_null()))
        })
    }

    /// The section at `address`: its file, its number, and how far behind its start that is.
    fn find_section<R>(
        &self,
        address: ExecutorAddr,
        with: impl FnOnce(&MaterializationUnit, u32, u64) -> R,
    ) -> Option<R> {
        let tables = self.try_tables()?;
        tables
            .units
            .iter()
            .find_map(|unit| {
                let sections = unit.file.sections.iter().enumerate();
                sections.filter(|(index, _)| !unit.is_thread_local(*index as u32)).find_map(|(index, section)| {
                    let start = unit.section_address(index as u32);
                    let offset = address.0.checked_sub(start.0).filter(|_| !start.is_null())?;
                    (offset < section.size).then_some((unit, index as u32, offset))
                })
            })
            .map(|(unit, section, offset)| with(unit, section, offset))
    }

    /// The entry point whose stub is at `address`.
    fn describe_stub(&self, address: ExecutorAddr) -> Option<CodePlace> {
        let tables = self.try_tables()?;
        let stride = super::redirectable::RedirectableSymbolManager::stride(self.arch());
        tables.entry_points.iter().find_map(|points| {
            let start = points.stubs.address();
            let offset = address.0.checked_sub(start.0).filter(|_| !start.is_null())?;
            (offset / stride < u64::from(points.count())).then(|| CodePlace {
                symbol: format!("{} (stub)", points.name((offset / stride) as u32)),
                offset: offset % stride,
                file: None,
            })
        })
    }
}

impl Part {
    /// `error`, about a fixup in `block`, with the symbol of the file that the place belongs to: of the symbols that nothing refers
    /// to, the graph knows none.
    pub(super) fn name_place(&self, block: BlockId, mut error: LinkError) -> LinkError {
        if let Some(failed) = error.fixup_mut()
            && let Some(unit) = self.unit()
            && let Some(section) = self.published.iter().find_map(|(of, publish)| match publish {
                Publish::Section(section) if *of == block => Some(*section),
                _ => None,
            })
        {
            let start = self.graph.blocks[block.index()].address;
            let offset = failed.address.wrapping_sub(start.0);
            if let Some((name, distance)) = nearest_symbol(&unit.file, section, offset) {
                failed.place = String::from_utf8_lossy(name).into_owned();
                failed.place_address = failed.address.wrapping_sub(distance);
            }
        }
        error
    }
}

/// The symbol of `file` that the place in `section` belongs to, and its distance: functions before others.
fn nearest_symbol(file: &ObjectFile, section: u32, offset: u64) -> Option<(&'static [u8], u64)> {
    // Local ones that begin with a dollar sign mark what is code and what data (AAELF64, "Mapping symbols").
    let symbols = file.symbols.iter().filter(|s| !s.name.is_empty() && (s.is_global() || !s.name.starts_with(b"$")));
    let here = symbols.filter(|s| s.place == ObjectPlace::Section(section) && s.value <= offset);
    let best = here.max_by_key(|s| (s.kind != SymbolKind::Data, s.value, s.is_global()))?;
    Some((best.name, offset - best.value))
}
