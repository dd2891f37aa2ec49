//! Which format a file is in.

use super::elf;
use super::error::{LinkError, Result};
use super::file_view::FileView;
use super::intermediate_code;
use super::macho::{self, universal};
use super::object_file::ObjectFile;
use crate::base::{Format, Target};

/// Reads the relocatable object `data`, called `name` in messages; `None` if it is in no object format at all.
///
/// Errors: that it is an object that cannot be linked, or a damaged one.
pub fn read_object(name: &str, data: &'static [u8]) -> Result<Option<ObjectFile>> {
    read_object_through(name, FileView::of(data))
}

/// The same for a file that is looked at through `view`.
pub fn read_object_through(name: &str, view: FileView<'_>) -> Result<Option<ObjectFile>> {
    match view.bytes().get(..4) {
        Some(b"\x7fELF") => elf::read(name, view).map(Some),
        Some([0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce | 0xcf]) => {
            macho::read(name, view.file()).map(Some)
        }
        _ if intermediate_code::is_bitcode(view.bytes()) => Err(intermediate_code::error(name)),
        _ => Ok(None),
    }
}

/// The part of the file `data`, called `name` in messages, that is for `target`: of a universal file one of its parts, else all of
/// it. What that is for is for its reader to say.
///
/// Errors: that a universal file has no such part, or is damaged.
pub fn part_for(name: &str, data: &'static [u8], target: Target) -> Result<&'static [u8]> {
    if universal::is_universal(data) { universal::part_for(name, data, target) } else { Ok(data) }
}

/// What the file `data` can be linked for: the targets of the parts of a universal file, or that of a relocatable object.
pub fn targets_of(data: &'static [u8]) -> Vec<Target> {
    if universal::is_universal(data) { universal::targets(data) } else { target_of(data).into_iter().collect() }
}

/// What the relocatable object `data` is for, from its first bytes; `None` if it is no object that can be linked.
pub fn target_of(data: &[u8]) -> Option<Target> {
    elf::target_of(data).or_else(|| macho::target_of(data))
}

/// The names that the shared library `data`, called `name` in messages, exports for `target`, or that a text stub says it does;
/// `None` if it is neither.
///
/// Errors: that it is damaged, or for another target; that nothing can be said for the target's format.
pub fn exported_names(name: &str, data: &'static [u8], target: Target) -> Result<Option<Vec<Vec<u8>>>> {
    if target.format != Format::MachO {
        return Err(LinkError::unsuitable(
            name,
            format_args!("cannot be used: Unsupported triple for mach-o cpu type: {target}"),
        ));
    }
    Ok(macho::stub::read(name, data, target)?.map(|stub| stub.symbols))
}
