//! Counting what a session was given and what of it is linked: for reports.

use super::resolution::PLATFORM;
use super::session::Session;
use crate::base::MemProt;
use crate::link::object_file::{ObjectPlace, SectionKind, SymbolKind};

/// What the program's files hold, and what of it is linked. The runtime is not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Objects and archive members that are part of the program.
    pub files: u64,
    /// Those of them of which something is linked.
    pub files_linked: u64,
    /// Functions, local ones included.
    pub functions: u64,
    /// Functions that have entry points.
    pub entry_points: u64,
    /// Functions that are linked.
    pub functions_linked: u64,
    /// Bytes of code and data.
    pub bytes: u64,
    /// Bytes of code and data that are linked.
    pub bytes_linked: u64,
}

impl Session {
    /// Counts. Looks at every symbol: nothing is kept for this while the program runs.
    pub fn census(&self) -> Census {
        let tables = self.tables();
        let mut census = Census::default();
        for unit in tables.units.iter().filter(|unit| unit.dylib != PLATFORM) {
            let is_linked = |section: u32| !unit.section_address(section).is_null();
            census.files += 1;
            let mut any = false;
            for (index, section) in unit.file.sections.iter().enumerate() {
                let counts = !matches!(section.kind, SectionKind::Unloaded | SectionKind::Unwind);
                if !counts || unit.is_discarded(index as u32) {
                    continue;
                }
                census.bytes += section.size;
                if is_linked(index as u32) && section.size > 0 {
                    census.bytes_linked += section.size;
                    any = true;
                }
            }
            census.files_linked += u64::from(any);
            for symbol in unit.file.symbols.iter() {
                let ObjectPlace::Section(section) = symbol.place else { continue };
                let is_code = unit.file.sections.at(section as usize).prot == MemProt::ReadExec;
                if symbol.kind == SymbolKind::Function && is_code && !unit.is_discarded(section) {
                    census.functions += 1;
                    census.functions_linked += u64::from(is_linked(section));
                }
            }
            if unit.entry_points.is_some() {
                census.entry_points += unit.functions().len() as u64;
            }
        }
        census
    }
}
