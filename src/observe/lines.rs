//! Source lines of addresses.

use super::debug_info::DebugInfo;
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
