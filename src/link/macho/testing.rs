//! Relocatable files for tests, put together byte by byte.

use crate::base::Arch;
use crate::link::object_file::{ObjectEdge, ObjectFile};
use object::LittleEndian as LE;
use object::macho::RelocationInfo;

/// A section: its two names, its flags, its bytes, its relocations.
#[derive(Clone)]
pub(super) struct TestSection {
    pub segment: &'static str,
    pub name: &'static str,
    pub flags: u32,
    pub content: Vec<u8>,
    /// Its size, if it is zero-filled.
    pub zero_fill: u64,
    pub align_log: u32,
    pub relocations: Vec<RelocationInfo>,
    /// For rows of pointers: where their entries begin in the indirect symbol table.
    pub indirect: u32,
}

/// A symbol: name, type, section from 1, description, value.
#[derive(Clone, Copy)]
pub(super) struct TestSymbol(pub &'static str, pub u8, pub u8, pub u16, pub u64);

/// A file to be.
#[derive(Clone)]
pub(super) struct TestFile {
    pub arch: Arch,
    pub subtype: u32,
    pub file_type: u32,
    pub subsections: bool,
    pub sections: Vec<TestSection>,
    pub symbols: Vec<TestSymbol>,
    pub indirect: Vec<u32>,
    /// Ranges of data among instructions: address and length.
    pub data_in_code: Vec<(u32, u16)>,
}

/// `N_EXT`.
pub(super) const EXT: u8 = 1;
/// `N_SECT`.
pub(super) const SECT: u8 = 0xe;

/// A section with instructions, and one with data.
pub(super) fn text(content: &[u8]) -> TestSection {
    TestSection {
        segment: "__TEXT",
        name: "__text",
        flags: 0x8000_0400,
        content: content.to_vec(),
        zero_fill: 0,
        align_log: 4,
        relocations: Vec::new(),
        indirect: 0,
    }
}

pub(super) fn data(content: &[u8]) -> TestSection {
    TestSection { segment: "__DATA", name: "__data", flags: 0, align_log: 3, ..text(content) }
}

/// A relocation.
pub(super) fn relocation(
    r_address: u32,
    r_type: u8,
    r_pcrel: bool,
    r_length: u8,
    r_extern: bool,
    r_symbolnum: u32,
) -> RelocationInfo {
    let r_type = object::macho::RelocationType(r_type);
    RelocationInfo { r_address, r_symbolnum, r_pcrel, r_length, r_extern, r_type }
}

impl TestFile {
    /// A file with subsections.
    pub fn new(arch: Arch, sections: Vec<TestSection>, symbols: Vec<TestSymbol>) -> TestFile {
        TestFile {
            arch,
            subtype: if arch == Arch::X86_64 { 3 } else { 0 },
            file_type: 1,
            subsections: true,
            sections,
            symbols,
            indirect: Vec::new(),
            data_in_code: Vec::new(),
        }
    }

    /// Addresses of the sections in the file.
    pub fn addresses(&self) -> Vec<u64> {
        let mut at = 0u64;
        let place = |section: &TestSection| {
            let start = at.next_multiple_of(1 << section.align_log);
            at = start + (section.content.len() as u64).max(section.zero_fill);
            start
        };
        self.sections.iter().map(place).collect()
    }

    /// Its bytes, as if mapped.
    pub fn bytes(&self) -> &'static [u8] {
        let commands = 72 + 80 * self.sections.len() + 24 + 80 + 16;
        let mut body = Vec::new();
        let start = (32 + commands) as u32;
        let mut words: Vec<u32> = vec![0xfeed_facf];
        let cpu = if self.arch == Arch::X86_64 { 0x0100_0007 } else { 0x0100_000c };
        let flags = if self.subsections { 0x2000 } else { 0 };
        words.extend([cpu, self.subtype, self.file_type, 4, commands as u32, flags, 0]);
        let mut out: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let put = |out: &mut Vec<u8>, words: &[u32]| out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        put(&mut out, &[0x19, (72 + 80 * self.sections.len()) as u32]);
        out.extend([0; 56]);
        put(&mut out, &[self.sections.len() as u32, 0]);
        for (section, address) in self.sections.iter().zip(self.addresses()) {
            let offset = start + body.len() as u32;
            body.extend(&section.content);
            let relocations = start + body.len() as u32;
            for relocation in &section.relocations {
                let raw = relocation.relocation(LE);
                put(&mut body, &[raw.r_word0.get(LE), raw.r_word1.get(LE)]);
            }
            for name in [section.name, section.segment] {
                out.extend(name.as_bytes());
                out.resize(out.len() + 16 - name.len(), 0);
            }
            out.extend(address.to_le_bytes());
            out.extend((section.content.len() as u64).max(section.zero_fill).to_le_bytes());
            let count = section.relocations.len() as u32;
            put(&mut out, &[offset, section.align_log, relocations, count, section.flags, section.indirect, 0, 0]);
        }
        let symbols = start + body.len() as u32;
        let mut strings = vec![0u8];
        for TestSymbol(name, n_type, section, desc, value) in &self.symbols {
            put(&mut body, &[strings.len() as u32]);
            body.extend([*n_type, *section]);
            body.extend(desc.to_le_bytes());
            body.extend(value.to_le_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        let string_table = start + body.len() as u32;
        body.extend(&strings);
        put(&mut out, &[2, 24, symbols, self.symbols.len() as u32, string_table, strings.len() as u32]);
        let indirect = start + body.len() as u32;
        put(&mut body, &self.indirect);
        put(&mut out, &[0xb, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, indirect, self.indirect.len() as u32, 0, 0, 0, 0]);
        let data_in_code = start + body.len() as u32;
        for (offset, length) in &self.data_in_code {
            body.extend(offset.to_le_bytes());
            body.extend(length.to_le_bytes());
            body.extend([1, 0]);
        }
        put(&mut out, &[0x29, 16, data_in_code, 8 * self.data_in_code.len() as u32]);
        out.extend(body);
        out.leak()
    }

    /// The file read.
    pub fn read(&self) -> ObjectFile {
        super::read("file.o", self.bytes()).expect("the file is well-formed")
    }
}

/// The edges of section `section` of `file`.
pub(super) fn edges(file: &ObjectFile, section: u32) -> crate::link::Result<Vec<ObjectEdge>> {
    let mut edges = Vec::new();
    file.edges(section, &mut edges)?;
    Ok(edges)
}

/// The name of an edge's kind.
pub(super) fn kind_name(arch: Arch, edge: &ObjectEdge) -> &'static str {
    let architecture = crate::link::arch::of(arch).expect("the architecture is known");
    architecture.edge_kinds()[usize::from(edge.kind.0)].name
}
