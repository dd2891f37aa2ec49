//! Debug information of an ELF file: the sections that DWARF names, which are no part of the running program.

use super::edges::{Elf, headers};
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{DebugSection, ObjectFile, SectionKind};
use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{CompressionHeader, FileHeader, SectionHeader};
use object::read::{CompressedData, CompressionFormat, ReadRef};
use std::borrow::Cow;

/// The debug sections of `file`, whose relocations `format` knows. What is split off into files of its own (`.dwo`) is left out:
/// debuggers find it by the names in the rest.
///
/// Errors: [`crate::link::LinkErrorKind::Malformed`] for sections that leave the file or cannot be decompressed, and those of their relocations.
pub(super) fn sections(format: &Elf, file: &ObjectFile) -> Result<Vec<DebugSection>> {
    let malformed = |index: usize, what: &dyn std::fmt::Display| {
        let section = String::from_utf8_lossy(file.sections.at(index).name);
        LinkError::malformed(&file.name, format_args!("section {index} ({section})"), what)
    };
    let table = elf::FileHeader64::<LE>::parse(format.data)
        .and_then(|header| header.sections(LE, format.data))
        .map_err(|e| LinkError::malformed(&file.name, "section header table", e))?;
    let mut sections = Vec::new();
    for (index, (section, header)) in file.sections.iter().zip(headers(&table)).enumerate() {
        let is_debug = section.name.starts_with(b".debug_") && !section.name.ends_with(b".dwo");
        if section.kind != SectionKind::Unloaded || !is_debug {
            continue;
        }
        let content = content(format.data, header).map_err(|e| malformed(index, &e))?;
        let mut edges = Vec::new();
        format.edges_within(file, index as u32, content.len() as u64, &mut edges)?;
        sections.push(DebugSection { section: index as u32, name: section.name, content, edges });
    }
    Ok(sections)
}

/// The bytes of the section that `header` describes, as relocations count them: decompressed, if they are compressed in the file
/// (`SHF_COMPRESSED`, by zlib or zstd; System V ABI, "Section Compression").
fn content(file: &'static [u8], header: &elf::SectionHeader64<LE>) -> std::result::Result<Vec<u8>, String> {
    let text = |error: object::read::Error| error.to_string();
    let Some((compression, offset, size)) = header.compression(LE, file).map_err(text)? else {
        return header.data(LE, file).map(<[u8]>::to_vec).map_err(text);
    };
    let format = match compression.ch_type(LE) {
        elf::ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
        elf::ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
        _ => CompressionFormat::Unknown,
    };
    let data = file.read_bytes_at(offset, size).map_err(|()| "its data leaves the file")?;
    let data = CompressedData { format, data, uncompressed_size: compression.ch_size(LE) };
    data.decompress().map(Cow::into_owned).map_err(text)
}
