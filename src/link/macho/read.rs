//! Reading a Mach-O relocatable file: its header and load commands.

use super::aarch64::SIGNED_POINTER;
use super::edges::MachO;
use super::sections::{self, FileSection};
use super::split::Split;
use super::symbols::Symbols;
use crate::base::{Arch, Format, Target};
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{ObjectFile, SectionKind};
use object::macho::{self, DataInCodeEntry, IndirectSymbol, MachHeader64, Section64};
use object::read::macho::{LoadCommandVariant, MachHeader, Section as _, Segment, SymbolTable};
use object::{LittleEndian as LE, ReadRef, U32};
use std::fmt::Display;

pub(super) type Data = &'static [u8];
pub(super) type Header = MachHeader64<LE>;

/// What the load commands of a relocatable file point to.
#[derive(Default)]
pub(super) struct Tables {
    /// The section headers of its segments: section 1 of the file is index 0.
    pub sections: Vec<&'static Section64<LE>>,
    /// The symbol table with its strings.
    pub symbols: SymbolTable<'static, Header>,
    /// For sections that are rows of pointers or stubs: the symbols of their entries.
    pub indirect: &'static [U32<LE, IndirectSymbol>],
    /// Which parts of sections with instructions are data.
    pub data_in_code: &'static [DataInCodeEntry<LE>],
}

/// Where a message says that something is wrong.
pub(super) struct File<'a> {
    pub name: &'a str,
    pub data: Data,
}

impl File<'_> {
    pub(super) fn malformed(&self, place: impl Display, what: impl Display) -> LinkError {
        LinkError::malformed(self.name, place, what)
    }
}

/// Reads the relocatable file `data`, called `name` in messages.
///
/// Errors: [`crate::link::LinkErrorKind::Unsuitable`] if it is Mach-O but of another word size, byte order, type or machine;
/// [`crate::link::LinkErrorKind::Malformed`] if its tables contradict themselves or leave the file.
pub fn read(name: &str, data: Data) -> Result<ObjectFile> {
    let file = File { name, data };
    let header = header(&file)?;
    let target = machine(name, header)?;
    let tables = load_commands(&file, header)?;
    let subsections = header.flags(LE).contains(macho::MH_SUBSECTIONS_VIA_SYMBOLS);
    let mut file_sections: Vec<FileSection> = sections::read(&file, &tables)?;
    let split = Split::new(&file, &tables, &mut file_sections, subsections)?;
    let mut sections = split.sections(data, &file_sections);
    let symbols = Symbols { file: &file, tables: &tables, file_sections: &file_sections, split: &split };
    let symbols = symbols.read(&mut sections)?;
    if target.signed_pointers {
        refuse_signed_debug_information(&file, &tables, &file_sections)?;
    }
    let format = MachO::new(&file, target.arch, &tables, file_sections, split)?;
    Ok(ObjectFile {
        name: name.to_string(),
        target,
        sections,
        symbols,
        groups: Vec::new(),
        group_members: Vec::new(),
        format: Box::new(format),
    })
}

/// What the Mach-O file `data` is for, from its header; `None` if it is none for a known 64-bit little-endian machine.
pub fn target_of(data: &[u8]) -> Option<Target> {
    let rest = data.strip_prefix(&[0xcf, 0xfa, 0xed, 0xfe])?;
    let word = |at: usize| Some(u32::from_le_bytes(*rest.get(at..)?.first_chunk()?));
    target(macho::CpuType(word(0)?), macho::CpuSubtype(word(4)?))
}

/// The target that a header names; `None` for a machine that is not known.
fn target(cpu: macho::CpuType, subtype: macho::CpuSubtype) -> Option<Target> {
    let arch = match cpu {
        macho::CPU_TYPE_X86_64 => Arch::X86_64,
        macho::CPU_TYPE_ARM64 => Arch::Aarch64,
        _ => return None,
    };
    let arm64e = subtype.0 & !macho::CPU_SUBTYPE_MASK == macho::CPU_SUBTYPE_ARM64E.0;
    Some(Target { signed_pointers: arch == Arch::Aarch64 && arm64e, ..Target::new(arch, Format::MachO) })
}

/// Debug information is relocated only when somebody asks for it; that it holds signed pointers, which nothing could make there, is
/// said at once.
fn refuse_signed_debug_information(file: &File, tables: &Tables, sections: &[FileSection]) -> Result<()> {
    for (header, section) in tables.sections.iter().zip(sections).filter(|(_, s)| s.kind == SectionKind::Unloaded) {
        let name = String::from_utf8_lossy(section.name);
        let place = || format!("section {name}");
        let entries = header.relocations(LE, file.data).map_err(|e| file.malformed(place(), e))?;
        if entries.iter().any(|entry| entry.info(LE).r_type == macho::ARM64_RELOC_AUTHENTICATED_POINTER) {
            return Err(file.malformed(place(), SIGNED_POINTER));
        }
    }
    Ok(())
}

fn header(file: &File) -> Result<&'static Header> {
    let unsuitable = |what: &str| Err(LinkError::unsuitable(file.name, what));
    match file.data {
        [0xcf, 0xfa, 0xed, 0xfe, ..] => {}
        [0xce, 0xfa, 0xed, 0xfe, ..] => return unsuitable("is a 32-bit Mach-O file; only 64-bit ones can be linked"),
        _ => return unsuitable("is a big-endian Mach-O file; only little-endian ones can be linked"),
    }
    Header::parse(file.data, 0).map_err(|_| file.malformed("Mach-O header", "the file ends inside it"))
}

fn machine(name: &str, header: &Header) -> Result<Target> {
    let file_type = header.filetype(LE);
    if file_type != macho::MH_OBJECT {
        let what = match file_type {
            macho::MH_DYLIB | macho::MH_DYLIB_STUB => {
                "is a dynamic library, not a relocatable object; load it with -l or -preload"
            }
            macho::MH_EXECUTE => "is an executable, not a relocatable object; give the objects it was linked from",
            macho::MH_BUNDLE => "is a bundle, not a relocatable object; give the objects it was linked from",
            macho::MH_DSYM => "holds debug information only, and is not a relocatable object",
            macho::MH_CORE => "is a core dump, not a relocatable object",
            _ => "is a Mach-O file of another type than a relocatable object",
        };
        return Err(LinkError::unsuitable(name, what));
    }
    let cpu = header.cputype(LE);
    target(cpu, header.cpusubtype(LE)).ok_or_else(|| {
        LinkError::unsuitable(name, format_args!("is for Mach-O CPU type {:#x}: Architecture not supported", cpu.0))
    })
}

fn load_commands(file: &File, header: &'static Header) -> Result<Tables> {
    let mut tables = Tables::default();
    let mut commands = header.load_commands(LE, file.data, 0).map_err(|e| file.malformed("load commands", e))?;
    let mut number = 0;
    loop {
        let place = format_args!("load command {number}").to_string();
        let malformed = |e| file.malformed(&place, e);
        let Some(command) = commands.next().map_err(malformed)? else {
            return Ok(tables);
        };
        match command.variant().map_err(malformed)? {
            LoadCommandVariant::Segment64(segment, data) => {
                tables.sections.extend(segment.sections(LE, data).map_err(malformed)?);
            }
            LoadCommandVariant::Symtab(symtab) => {
                tables.symbols = symtab.symbols::<Header, _>(LE, file.data).map_err(malformed)?;
            }
            LoadCommandVariant::Dysymtab(dysymtab) => {
                tables.indirect = dysymtab.indirect_symbols(LE, file.data).map_err(malformed)?;
            }
            LoadCommandVariant::LinkeditData(data) if command.cmd() == macho::LC_DATA_IN_CODE => {
                let (offset, size) = (data.dataoff.get(LE).into(), data.datasize.get(LE) as usize);
                let entries = file.data.read_slice_at(offset, size / size_of::<DataInCodeEntry<LE>>());
                tables.data_in_code = entries.map_err(|()| file.malformed(&place, "its table leaves the file"))?;
            }
            _ => {}
        }
        number += 1;
    }
}
