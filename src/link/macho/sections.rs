//! Sections of a Mach-O file, before they are cut up.

use super::names;
use super::read::{Data, File, Tables};
use crate::base::MemProt;
use crate::link::error::Result;
use crate::link::object_file::{InitializerOrder, SectionKind};
use object::macho::{self, IndirectSymbol, Section64};
use object::read::macho::Section;
use object::{LittleEndian as LE, ReadRef, U32};
use std::ops::Range;

/// Greatest binary logarithm of an alignment: beyond it no memory manager could place a section anyway.
const MAX_ALIGN_LOG: u32 = 30;

/// Greatest size and address accepted: what the address space of a process holds.
const MAX_ADDRESS: u64 = 1 << 47;

/// How a section falls into pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Division {
    /// Not at all.
    Whole,
    /// Where symbols are.
    Symbols,
    /// Where symbols are and behind each zero byte.
    Strings,
    /// Where symbols are and every so many bytes.
    Literals(u64),
}

/// A section as the file has it.
#[derive(Debug)]
pub(super) struct FileSection {
    /// `segment,section`.
    pub name: &'static [u8],
    pub kind: SectionKind,
    pub prot: MemProt,
    /// Its bytes; empty if zero-filled.
    pub content: Data,
    pub size: u64,
    pub align: u64,
    /// Its address in the file, which places in relocations and symbols are given by.
    pub address: u64,
    /// Its type, as in `S_REGULAR`.
    pub typ: macho::SectionType,
    pub division: Division,
    /// Whether it is linked even if nothing refers to it: it says so, or that it serves other sections, whichever they are.
    pub stays: bool,
    /// The symbols of its entries, if it is a row of pointers.
    pub indirect: &'static [U32<LE, IndirectSymbol>],
    /// Its pieces: indexes into [`crate::link::ObjectFile::sections`].
    pub pieces: Range<u32>,
}

impl FileSection {
    /// The offset of `address` in the section; one past its end counts.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        address.checked_sub(self.address).filter(|&offset| offset <= self.size)
    }
}

/// The sections of `file`; [`FileSection::pieces`] are empty.
pub(super) fn read(file: &File, tables: &Tables) -> Result<Vec<FileSection>> {
    tables.sections.iter().enumerate().map(|(index, header)| section(file, index + 1, header, tables)).collect()
}

fn section(file: &File, number: usize, header: &'static Section64<LE>, tables: &Tables) -> Result<FileSection> {
    let (segment, section) = (header.segment_name(), header.name());
    let name = names::section_name(segment, section);
    let malformed = |what: &dyn std::fmt::Display| {
        let place = format_args!("section {number} ({})", String::from_utf8_lossy(name));
        file.malformed(place, what)
    };
    let flags = header.flags(LE);
    let (typ, has) = (flags.typ(), |attribute: macho::SectionFlags| flags.0 & attribute.0 != 0);
    let kind = section_kind(segment, section, typ, has(macho::S_ATTR_DEBUG));
    let align = header.align(LE);
    if align > MAX_ALIGN_LOG {
        return Err(malformed(&format_args!("alignment 2^{align} is greater than 2^{MAX_ALIGN_LOG}")));
    }
    let (address, size) = (header.addr(LE), header.size(LE));
    if address > MAX_ADDRESS || size > MAX_ADDRESS {
        return Err(malformed(&format_args!("address {address:#x} and size {size:#x} exceed any address space")));
    }
    let zero_fill = is_zero_fill(typ);
    let content = if kind == SectionKind::Unloaded || zero_fill {
        &[]
    } else {
        file.data.read_bytes_at(header.offset(LE).into(), size).map_err(|()| malformed(&"it leaves the file"))?
    };
    let indirect = match is_symbol_pointers(typ) {
        true => header.indirect_symbols(LE, tables.indirect).map_err(|e| malformed(&e))?,
        false => &[],
    };
    let has_code = has(macho::S_ATTR_PURE_INSTRUCTIONS) || has(macho::S_ATTR_SOME_INSTRUCTIONS);
    let text = segment == b"__TEXT";
    if has_code && kind != SectionKind::Unloaded && has(macho::S_ATTR_SELF_MODIFYING_CODE) {
        return Err(malformed(
            &"it asks for memory that is writable and executable, which is never given; split code and data into two sections",
        ));
    }
    if typ == macho::S_THREAD_LOCAL_INIT_FUNCTION_POINTERS {
        return Err(malformed(
            &"it lists functions to be called in each thread that uses the file's thread-local variables, which is not supported; \
              initialize the variables where they are first used, as C++ compilers do",
        ));
    }
    let is_code = has(macho::S_ATTR_PURE_INSTRUCTIONS) || has_code && text;
    Ok(FileSection {
        name,
        kind,
        prot: match is_code {
            true => MemProt::ReadExec,
            false if (text || names::is_const_data(segment, section)) && !zero_fill => MemProt::Read,
            false => MemProt::ReadWrite,
        },
        content,
        size: if kind == SectionKind::Unloaded { 0 } else { size },
        align: 1 << align,
        address,
        typ,
        division: division(typ, kind),
        stays: has(macho::S_ATTR_NO_DEAD_STRIP) || has(macho::S_ATTR_LIVE_SUPPORT),
        indirect,
        pieces: 0..0,
    })
}

fn is_zero_fill(typ: macho::SectionType) -> bool {
    [macho::S_ZEROFILL, macho::S_GB_ZEROFILL, macho::S_THREAD_LOCAL_ZEROFILL].contains(&typ)
}

/// Whether a section is a row of pointers, to symbols that the indirect symbol table names.
fn is_symbol_pointers(typ: macho::SectionType) -> bool {
    const TYPES: [macho::SectionType; 4] = [
        macho::S_NON_LAZY_SYMBOL_POINTERS,
        macho::S_LAZY_SYMBOL_POINTERS,
        macho::S_LAZY_DYLIB_SYMBOL_POINTERS,
        macho::S_THREAD_LOCAL_VARIABLE_POINTERS,
    ];
    TYPES.contains(&typ)
}

fn section_kind(segment: &[u8], section: &[u8], typ: macho::SectionType, debug: bool) -> SectionKind {
    let order = InitializerOrder { phase: 1, priority: InitializerOrder::DEFAULT_PRIORITY, backwards: false };
    match typ {
        _ if section == b"__compact_unwind" && segment == b"__LD" => SectionKind::Unwind,
        _ if debug || segment == b"__LD" || segment == b"__DWARF" || segment == b"__LLVM" => SectionKind::Unloaded,
        _ if section == b"__eh_frame" => SectionKind::Unwind,
        macho::S_MOD_INIT_FUNC_POINTERS | macho::S_INIT_FUNC_OFFSETS => SectionKind::Initializers(order),
        macho::S_MOD_TERM_FUNC_POINTERS => SectionKind::Finalizers(order),
        macho::S_THREAD_LOCAL_REGULAR | macho::S_THREAD_LOCAL_ZEROFILL => SectionKind::ThreadLocal,
        _ => SectionKind::Loaded,
    }
}

/// How a section falls into pieces in a file that allows it.
fn division(typ: macho::SectionType, kind: SectionKind) -> Division {
    match typ {
        _ if kind != SectionKind::Loaded => Division::Whole,
        macho::S_CSTRING_LITERALS => Division::Strings,
        macho::S_4BYTE_LITERALS => Division::Literals(4),
        macho::S_8BYTE_LITERALS | macho::S_LITERAL_POINTERS => Division::Literals(8),
        _ if is_symbol_pointers(typ) => Division::Literals(8),
        macho::S_16BYTE_LITERALS => Division::Literals(16),
        _ => Division::Symbols,
    }
}
