//! Which format a file is in.

use super::elf;
use super::error::{LinkError, Result};
use super::macho;
use super::object_file::ObjectFile;
use crate::base::Target;

/// Reads the relocatable object `data`, called `name` in messages; `None` if it is in no object format at all.
///
/// Errors: that it is an object that cannot be linked, or a damaged one.
pub fn read_object(name: &str, data: &'static [u8]) -> Result<Option<ObjectFile>> {
    match data.get(..4) {
        Some(b"\x7fELF") => elf::read(name, data).map(Some),
        Some([0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce | 0xcf]) => macho::read(name, data).map(Some),
        Some([0xca, 0xfe, 0xba, 0xbe]) => {
            Err(LinkError::unsuitable(name, "is a universal Mach-O file, which cannot be linked yet"))
        }
        _ => Ok(None),
    }
}

/// What the relocatable object `data` is for, from its first bytes; `None` if it is no object that can be linked.
pub fn target_of(data: &[u8]) -> Option<Target> {
    elf::target_of(data).or_else(|| macho::target_of(data))
}
