//! Debug information of an ELF file: the sections that DWARF names, which are no part of the running program.

use super::edges::Elf;
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{DebugSection, ObjectFile, SectionKind};
use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{FileHeader, SectionHeader};

/// The debug sections of `file`, whose relocations `format` knows. What is split off into files of its own (`.dwo`) is left out:
/// debuggers find it by the names in the rest.
///
/// Errors: [`LinkError::Malformed`] for sections that leave the file or cannot be decompressed, and those of their relocations.
pub(super) fn sections(format: &Elf, file: &ObjectFile) -> Result<Vec<DebugSection>> {
    let malformed = |index: usize, what: &dyn std::fmt::Display| {
        let section = String::from_utf8_lossy(file.sections[index].name);
        LinkError::malformed(&file.name, format_args!("section {index} ({section})"), what)
    };
    let headers = elf::FileHeader64::<LE>::parse(format.data)
        .and_then(|header| header.sections(LE, format.data))
        .map_err(|e| LinkError::malformed(&file.name, "section header table", e))?;
    let mut sections = Vec::new();
    for (index, (section, header)) in file.sections.iter().zip(format.headers(&headers)).enumerate() {
        let is_debug = section.name.starts_with(b".debug_") && !section.name.ends_with(b".dwo");
        if section.kind != SectionKind::Unloaded || !is_debug {
            continue;
        }
        let data = header.data(LE, format.data).map_err(|e| malformed(index, &e))?;
        let content = match header.compression(LE, format.data).map_err(|e| malformed(index, &e))? {
            None => data.to_vec(),
            Some(_) => {
                return Err(malformed(index, &"it is compressed; compile with -gz=none to have it read"));
            }
        };
        let mut edges = Vec::new();
        format.edges_within(file, index as u32, content.len() as u64, &mut edges)?;
        sections.push(DebugSection { section: index as u32, name: section.name, content, edges });
    }
    Ok(sections)
}
