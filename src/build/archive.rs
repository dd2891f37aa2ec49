//! Writes `ar` archives with a symbol index: the System V form for ELF, the BSD form for Mach-O, as the linkers of each
//! expect them. Times, owners and groups are zero.

use object::{Object as _, ObjectSymbol as _};

/// The object format of the members, which decides the form of the archive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Index member `/`: big-endian count and member offsets, then the names. Names of members that do not fit into a
    /// header stand in a member `//`.
    Elf,
    /// Index member `__.SYMDEF`: little-endian pairs of name offset and member offset, then the names. Names of members
    /// stand in front of their contents.
    MachO,
}

impl Format {
    /// As in file names.
    pub fn name(self) -> &'static str {
        match self {
            Format::Elf => "elf",
            Format::MachO => "macho",
        }
    }
}

/// An object file that goes into an archive.
pub struct Member {
    name: &'static str,
    bytes: Vec<u8>,
    /// Global symbols that it defines.
    symbols: Vec<Vec<u8>>,
}

impl Member {
    /// Reads the symbol table of the object file `bytes`. The name is at most 20 characters long.
    pub fn new(name: &'static str, bytes: Vec<u8>) -> Result<Member, String> {
        let file = object::File::parse(&*bytes).map_err(|error| format!("{name}: {error}"))?;
        let defined = file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition());
        let symbols = defined.map(|symbol| symbol.name_bytes().map(<[u8]>::to_vec));
        let symbols = symbols.collect::<Result<_, _>>().map_err(|error| format!("{name}: {error}"))?;
        Ok(Member { name, bytes, symbols })
    }
}

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER_SIZE: usize = 60;
/// Length of the name's field in a header, of which the System V form needs one character for itself.
const SYSV_NAME_SIZE: usize = 16;
/// Length of a member name in the BSD form, padded with zero bytes: with the header it makes a multiple of 8.
const BSD_NAME_SIZE: usize = 20;

/// The archive of `members`.
pub fn write(format: Format, members: &[Member]) -> Vec<u8> {
    let names: Vec<u8> =
        members.iter().flat_map(|member| &member.symbols).flat_map(|name| [name, &b"\0"[..]].concat()).collect();
    let count = members.iter().map(|member| member.symbols.len()).sum::<usize>();
    let index_size = match format {
        Format::Elf => 4 + 4 * count + names.len(),
        Format::MachO => 4 + 8 * count + 4 + names.len().next_multiple_of(8),
    };

    let mut long_names = Vec::new();
    let mut headers = Vec::new();
    for member in members {
        headers.push(match format {
            Format::Elf if member.name.len() < SYSV_NAME_SIZE => format!("{}/", member.name),
            Format::Elf => {
                let header = format!("/{}", long_names.len());
                long_names.extend(format!("{}/\n", member.name).bytes());
                header
            }
            Format::MachO => member.name.to_owned(),
        });
    }

    // Where each member's header will be.
    let mut offset = MAGIC.len() + size_in_archive(format, index_size);
    if !long_names.is_empty() {
        offset += size_in_archive(format, long_names.len());
    }
    let mut offsets = Vec::new();
    for member in members {
        offsets.extend(member.symbols.iter().map(|_| offset as u32));
        offset += size_in_archive(format, member.bytes.len());
    }

    let mut index = Vec::with_capacity(index_size);
    match format {
        Format::Elf => {
            index.extend((count as u32).to_be_bytes());
            index.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
        }
        Format::MachO => {
            index.extend((8 * count as u32).to_le_bytes());
            let mut name_offset = 0u32;
            for (name, offset) in members.iter().flat_map(|member| &member.symbols).zip(&offsets) {
                index.extend(name_offset.to_le_bytes());
                index.extend(offset.to_le_bytes());
                name_offset += name.len() as u32 + 1;
            }
            index.extend((names.len().next_multiple_of(8) as u32).to_le_bytes());
        }
    }
    index.extend(names);
    index.resize(index_size, 0);

    let mut archive = MAGIC.to_vec();
    append(&mut archive, format, if format == Format::MachO { "__.SYMDEF" } else { "/" }, &index);
    if !long_names.is_empty() {
        append(&mut archive, format, "//", &long_names);
    }
    for (member, header) in members.iter().zip(headers) {
        append(&mut archive, format, &header, &member.bytes);
    }
    archive
}

/// Bytes that a member of `size` bytes takes: header, name if it stands in front of the contents, contents, padding.
fn size_in_archive(format: Format, size: usize) -> usize {
    match format {
        Format::Elf => HEADER_SIZE + size.next_multiple_of(2),
        Format::MachO => HEADER_SIZE + BSD_NAME_SIZE + size.next_multiple_of(8),
    }
}

/// Appends one member. The BSD form counts name and padding as contents.
fn append(archive: &mut Vec<u8>, format: Format, name: &str, bytes: &[u8]) {
    let end = archive.len() + size_in_archive(format, bytes.len());
    let (header_name, size, name_in_front) = match format {
        Format::Elf => (name.to_owned(), bytes.len(), 0),
        Format::MachO => {
            let size = size_in_archive(format, bytes.len()) - HEADER_SIZE;
            (format!("#1/{BSD_NAME_SIZE}"), size, BSD_NAME_SIZE)
        }
    };
    archive.extend(format!("{header_name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).bytes());
    archive.extend(name.bytes().chain(std::iter::repeat(0)).take(name_in_front));
    archive.extend(bytes);
    archive.resize(end, b'\n');
}
