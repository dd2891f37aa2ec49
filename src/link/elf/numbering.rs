//! Which sections of an ELF file are sections to the linker.
//!
//! More than half of them are not, where each function has a section: tables of relocations, groups, symbols and strings (gABI,
//! chapter 4, `sh_type`). Nothing of those is linked, so nothing is kept for them.

use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{SectionHeader, SectionTable};

/// From the file's numbers of sections to indexes in [`crate::link::ObjectFile::sections`], and back.
pub(super) struct Numbering {
    /// For each section of the file its index; [`Numbering::TABLE`] for those that are tables.
    index: Vec<u32>,
    /// For each index the number in the file.
    pub number: Vec<u32>,
}

impl Numbering {
    /// The index of the placeholder: of files that are not damaged, no symbol is there.
    pub const TABLE: u32 = 0;

    /// Numbers the sections of `table`.
    pub fn of<'a>(table: &SectionTable<'a, elf::FileHeader64<LE>, &'a [u8]>) -> Numbering {
        let mut numbering = Numbering { index: Vec::with_capacity(table.len()), number: vec![0] };
        for (number, header) in table.iter().enumerate() {
            let is_table = matches!(
                header.sh_type(LE),
                elf::SHT_NULL
                    | elf::SHT_RELA
                    | elf::SHT_REL
                    | elf::SHT_CREL
                    | elf::SHT_GROUP
                    | elf::SHT_SYMTAB
                    | elf::SHT_SYMTAB_SHNDX
                    | elf::SHT_STRTAB
            );
            if is_table {
                numbering.index.push(Numbering::TABLE);
            } else {
                numbering.index.push(numbering.number.len() as u32);
                numbering.number.push(number as u32);
            }
        }
        numbering
    }

    /// The index of section `number` of the file; `None` if there is no such section.
    pub fn index_of(&self, number: usize) -> Option<u32> {
        self.index.get(number).copied()
    }
}
