//! The object file that debuggers read: an ELF executable (gABI chapter 4) without segments, in memory.
//!
//! Its sections are where the linked code is; those of code and data have no bytes, since those are in the process. Debug information is
//! relocated, so that nothing is left to be done to it.

use super::debug_info::DebugInfo;
use crate::base::{AddrRange, Arch, ExecutorAddr};
use object::elf;

const HEADER_SIZE: u64 = 64;
const SECTION_HEADER_SIZE: u16 = 64;
const SYMBOL_SIZE: u64 = 24;
/// Most sections of a kind: a file header has 16 bits for their number.
const MOST_RANGES: usize = 1000;
/// What may lie between two ranges of one section, in bytes.
const PADDING: u64 = 64;

/// A function or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    pub name: Vec<u8>,
    pub address: ExecutorAddr,
    pub size: u64,
    pub is_function: bool,
    pub is_local: bool,
}

/// What the file is made of.
#[derive(Debug, Default)]
pub(super) struct Symfile {
    /// Linked code.
    pub code: Vec<AddrRange>,
    /// Linked data.
    pub data: Vec<AddrRange>,
    /// Unwind records and where they are.
    pub unwind: Option<(ExecutorAddr, Vec<u8>)>,
    /// Those of the code and data.
    pub symbols: Vec<Symbol>,
}

struct Section {
    name: Vec<u8>,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry_size: u64,
}

/// A file being written: sections, and the bytes before the section headers.
struct Writer {
    bytes: Vec<u8>,
    sections: Vec<Section>,
}

impl Writer {
    fn section(&mut self, name: &[u8], kind: elf::SectionType, flags: u64, address: u64, content: &[u8], align: u64) {
        while !(self.bytes.len() as u64).is_multiple_of(align) {
            self.bytes.push(0);
        }
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(content);
        self.sections.push(Section {
            name: name.to_vec(),
            kind: kind.0,
            flags,
            address,
            offset,
            size: content.len() as u64,
            link: 0,
            info: 0,
            align,
            entry_size: 0,
        });
    }

    fn space(&mut self, name: &[u8], flags: u64, range: AddrRange) {
        self.section(name, elf::SHT_NOBITS, elf::SHF_ALLOC.0 | flags, range.start.0, &[], 1);
        if let Some(section) = self.sections.last_mut() {
            section.size = range.size();
        }
    }
}

impl Symfile {
    /// The file's bytes, with the debug information `debug`.
    pub fn write(&self, arch: Arch, debug: &DebugInfo) -> Vec<u8> {
        let mut writer = Writer { bytes: vec![0; HEADER_SIZE as usize], sections: Vec::new() };
        writer.section(b"", elf::SHT_NULL, 0, 0, &[], 1);
        for range in merged(&self.code) {
            writer.space(b".text", elf::SHF_EXECINSTR.0, range);
        }
        for range in merged(&self.data) {
            writer.space(b".data", elf::SHF_WRITE.0, range);
        }
        let spaces = writer.sections.len();
        if let Some((address, records)) = &self.unwind {
            writer.section(b".eh_frame", elf::SHT_PROGBITS, elf::SHF_ALLOC.0, address.0, records, 8);
        }
        for (name, content) in debug.sections() {
            writer.section(name, elf::SHT_PROGBITS, 0, 0, content, 1);
        }
        self.write_symbols(&mut writer, spaces);
        finish(writer, arch)
    }

    fn write_symbols(&self, writer: &mut Writer, spaces: usize) {
        let mut places: Vec<(u64, u64, u16)> = Vec::with_capacity(spaces);
        for (index, section) in writer.sections[..spaces].iter().enumerate().skip(1) {
            places.push((section.address, section.address + section.size, index as u16));
        }
        places.sort_unstable();
        let section_of = |address: u64| {
            let at = places.partition_point(|(start, ..)| *start <= address).checked_sub(1)?;
            (address <= places[at].1).then_some(places[at].2)
        };
        let mut table = vec![0; SYMBOL_SIZE as usize];
        let mut names = vec![0];
        let mut locals = 1;
        for local in [true, false] {
            for symbol in self.symbols.iter().filter(|s| s.is_local == local) {
                let Some(section) = section_of(symbol.address.0) else { continue };
                let bind = if local { elf::STB_LOCAL.0 } else { elf::STB_GLOBAL.0 };
                let kind = if symbol.is_function { elf::STT_FUNC.0 } else { elf::STT_OBJECT.0 };
                table.extend((names.len() as u32).to_le_bytes());
                table.extend([bind << 4 | kind, 0]);
                table.extend(section.to_le_bytes());
                table.extend(symbol.address.0.to_le_bytes());
                table.extend(symbol.size.to_le_bytes());
                names.extend_from_slice(&symbol.name);
                names.push(0);
                locals += u32::from(local);
            }
        }
        writer.section(b".symtab", elf::SHT_SYMTAB, 0, 0, &table, 8);
        let strings = writer.sections.len() as u32;
        if let Some(section) = writer.sections.last_mut() {
            (section.link, section.info, section.entry_size) = (strings, locals, SYMBOL_SIZE);
        }
        writer.section(b".strtab", elf::SHT_STRTAB, 0, 0, &names, 1);
    }
}

/// `ranges` in order; neighbours become one, those with little between them too, and more of them the more there are.
fn merged(ranges: &[AddrRange]) -> Vec<AddrRange> {
    let mut ranges = ranges.to_vec();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut gap = PADDING;
    loop {
        let mut found: Vec<AddrRange> = Vec::new();
        for range in &ranges {
            match found.last_mut() {
                Some(last) if range.start.0.saturating_sub(last.end.0) <= gap => last.end = last.end.max(range.end),
                _ => found.push(*range),
            }
        }
        if found.len() <= MOST_RANGES {
            return found;
        }
        gap = gap.saturating_mul(16);
    }
}

/// Adds section names, section headers, and the file header.
fn finish(mut writer: Writer, arch: Arch) -> Vec<u8> {
    let mut names = Vec::new();
    let mut offsets = Vec::new();
    for name in writer.sections.iter().map(|s| &s.name[..]).chain([&b".shstrtab"[..]]) {
        offsets.push(names.len() as u32);
        names.extend_from_slice(name);
        names.push(0);
    }
    writer.section(b".shstrtab", elf::SHT_STRTAB, 0, 0, &names, 1);
    let Writer { mut bytes, sections } = writer;
    while !bytes.len().is_multiple_of(8) {
        bytes.push(0);
    }
    let headers = bytes.len() as u64;
    for (section, name) in sections.iter().zip(offsets) {
        bytes.extend(name.to_le_bytes());
        bytes.extend(section.kind.to_le_bytes());
        for word in [section.flags, section.address, section.offset, section.size] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(section.link.to_le_bytes());
        bytes.extend(section.info.to_le_bytes());
        bytes.extend(section.align.to_le_bytes());
        bytes.extend(section.entry_size.to_le_bytes());
    }
    let machine = match arch {
        Arch::X86_64 => elf::EM_X86_64,
        Arch::Aarch64 => elf::EM_AARCH64,
        Arch::Riscv64 => elf::EM_RISCV,
    };
    let mut header = Vec::with_capacity(HEADER_SIZE as usize);
    header.extend(b"\x7fELF");
    header.extend([elf::ELFCLASS64.0, elf::ELFDATA2LSB.0, elf::EV_CURRENT.0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.extend(elf::ET_EXEC.0.to_le_bytes());
    header.extend(machine.0.to_le_bytes());
    header.extend(u32::from(elf::EV_CURRENT.0).to_le_bytes());
    // Entry point, program headers.
    header.extend([0; 16]);
    header.extend(headers.to_le_bytes());
    header.extend([0; 4]);
    // Sizes of this header, of a program header, their number; the same of section headers, and where their names are.
    let count = sections.len() as u16;
    for word in [HEADER_SIZE as u16, 0, 0, SECTION_HEADER_SIZE, count, count - 1] {
        header.extend(word.to_le_bytes());
    }
    bytes[..HEADER_SIZE as usize].copy_from_slice(&header);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Object, ObjectSection, ObjectSymbol};

    fn example() -> Vec<u8> {
        let symbol = |name: &str, address, is_local| Symbol {
            name: name.into(),
            address: ExecutorAddr(address),
            size: 8,
            is_function: true,
            is_local,
        };
        let file = Symfile {
            code: vec![AddrRange::new(ExecutorAddr(0x7000), 0x100), AddrRange::new(ExecutorAddr(0x1000), 0x20)],
            data: vec![AddrRange::new(ExecutorAddr(0x9000), 0x10)],
            unwind: Some((ExecutorAddr(0x8000), vec![1, 2, 3, 4])),
            symbols: vec![symbol("global", 0x7010, false), symbol("local", 0x1000, true), symbol("lost", 0x10, true)],
        };
        file.write(Arch::X86_64, &DebugInfo::default())
    }

    #[test]
    fn symbols_have_the_addresses_of_the_process() {
        let bytes = example();
        let file = object::File::parse(&bytes[..]).unwrap();
        let symbols: Vec<_> = file.symbols().map(|s| (s.name().unwrap().to_string(), s.address())).collect();
        assert_eq!(symbols, [("local".into(), 0x1000), ("global".into(), 0x7010)]);
        assert!(file.symbols().all(|s| s.section_index().is_some()));
    }

    #[test]
    fn the_number_of_sections_is_limited() {
        let far: Vec<_> = (0..2000).map(|n| AddrRange::new(ExecutorAddr(n * 0x1000), 1)).collect();
        let found = merged(&far);
        assert!(
            found.len() <= MOST_RANGES && found[0].start.0 == 0 && found.last().unwrap().end.0 == 1999 * 0x1000 + 1
        );
    }

    #[test]
    fn sections_are_where_the_memory_is() {
        let bytes = example();
        let file = object::File::parse(&bytes[..]).unwrap();
        let text: Vec<_> =
            file.sections().filter(|s| s.name() == Ok(".text")).map(|s| (s.address(), s.size())).collect();
        assert_eq!(text, [(0x1000, 0x20), (0x7000, 0x100)]);
        let unwind = file.section_by_name(".eh_frame").unwrap();
        assert_eq!((unwind.address(), unwind.data().unwrap()), (0x8000, &[1, 2, 3, 4][..]));
    }
}
