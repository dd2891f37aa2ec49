//! Source lines of addresses, or of places in files.

use super::debug_info::DebugInfo;
use crate::base::ExecutorAddr;
use crate::link::ObjectFile;
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, Error, LittleEndian, SectionId};

/// What finds the line of an address.
pub(super) type Lines<'a> = Context<EndianSlice<'a, LittleEndian>>;

/// The lines of `info`; `None` if there is none, or it is damaged.
pub(super) fn lines(info: &DebugInfo) -> Option<Lines<'_>> {
    if info.is_empty() {
        return None;
    }
    let section = |id: SectionId| Ok::<_, Error>(EndianSlice::new(info.section(id.name().as_bytes()), LittleEndian));
    Context::from_dwarf(Dwarf::load(section).ok()?).ok()
}

/// The lines of a file, wherever its sections are or will be.
pub(super) struct FileLines {
    context: Lines<'static>,
}

impl std::fmt::Debug for FileLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileLines")
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where its code begins, in bytes from the start of the function that was asked about.
    pub offset: u64,
    pub file: String,
    pub line: u32,
}

impl FileLines {
    /// Those of `file`; `None` if it has none, or they are damaged.
    pub fn of(file: &ObjectFile) -> Option<FileLines> {
        let mut info = DebugInfo::default();
        let is_code = |section: u32| file.sections.at(section as usize).prot == crate::base::MemProt::ReadExec;
        let address = |section| is_code(section).then(|| pretended(section, 0));
        if !info.add(file, address).map_err(|error| log::warn!("debug information is left out: {error}")).ok()? {
            return None;
        }
        // Profiles are made of whole runs: what is known of a file is kept as long as the process.
        Some(FileLines { context: lines(Box::leak(Box::new(info)))? })
    }

    /// The lines of the `size` bytes at `offset` in section `section` of the file.
    pub fn of_function(&self, section: u32, offset: u64, size: u64) -> Vec<Line> {
        let start = pretended(section, offset).0;
        let Ok(found) = self.context.find_location_range(start, start.saturating_add(size)) else {
            return Vec::new();
        };
        let line = |(address, _, location): (u64, u64, addr2line::Location<'_>)| {
            Some(Line { offset: address.checked_sub(start)?, file: location.file?.to_string(), line: location.line? })
        };
        found.filter_map(line).collect()
    }
}

/// Where section `section` is pretended to be: far from all others.
fn pretended(section: u32, offset: u64) -> ExecutorAddr {
    ExecutorAddr(((u64::from(section) + 1) << 32) + offset)
}
