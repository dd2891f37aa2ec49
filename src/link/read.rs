//! Which format a file is in.

use super::elf;
use super::error::{LinkError, Result};
use super::macho;
use super::object_file::ObjectFile;
use super::text_api;
use crate::base::{Format, Target};

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

/// The names that the shared library `data`, called `name` in messages, exports for `target`, or that a TextAPI file says it does;
/// `None` if it is neither.
///
/// Errors: that it is damaged, or for another target; that nothing can be said for the target's format.
pub fn exported_names(name: &str, data: &[u8], target: Target) -> Result<Option<Vec<String>>> {
    if target.format != Format::MachO {
        return Err(LinkError::unsuitable(
            name,
            format_args!("cannot be used: Unsupported triple for mach-o cpu type: {target}"),
        ));
    }
    match data.get(..4) {
        Some([0xcf, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe]) => {
            macho::exported_names(name, data, target).map(Some)
        }
        _ => Ok(std::str::from_utf8(data).ok().and_then(text_api::exported_names)),
    }
}
