//! Reading an ELF relocatable file: headers, symbols, groups.

use super::edges::Elf;
use super::names;
use super::numbering::Numbering;
use crate::base::{Arch, Format, MemProt, Target};
use crate::link::error::{LinkError, Result};
use crate::link::file_view::FileView;
use crate::link::graph::{Linkage, Scope};
use crate::link::intermediate_code;
use crate::link::object_file::{
    ObjectFile, ObjectPlace, ObjectSection, ObjectSymbol, SectionGroup, SectionKind, SymbolKind,
};
use crate::link::packed::{ObjectSections, ObjectSymbols};
use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{FileHeader, SectionHeader, SectionTable, Sym, SymbolTable};
use object::read::{SectionIndex, SymbolIndex};

type Header = elf::FileHeader64<LE>;
type Data = &'static [u8];

/// Greatest alignment accepted: beyond it no memory manager could place a section anyway.
const MAX_ALIGN: u64 = 1 << 30;

/// Greatest size accepted: what the address space of a process holds.
const MAX_SIZE: u64 = 1 << 47;

/// Common symbols of the medium and large code models of x86-64 (psABI 4.2).
const SHN_X86_64_LCOMMON: u16 = 0xff02;

/// Reads the relocatable file `view`, called `name` in messages.
///
/// Errors: [`crate::link::LinkErrorKind::Unsuitable`] if it is ELF but of another class, byte order, type or machine;
/// [`crate::link::LinkErrorKind::Malformed`] if its tables contradict themselves or leave the file.
pub fn read(name: &str, view: FileView<'_>) -> Result<ObjectFile> {
    let data = view.bytes();
    let ident = data.get(..20).ok_or_else(|| LinkError::malformed(name, "ELF header", "the file ends inside it"))?;
    if ident[4] != elf::ELFCLASS64.0 {
        return Err(LinkError::unsuitable(name, "is a 32-bit ELF file; only 64-bit ones can be linked"));
    }
    if ident[5] != elf::ELFDATA2LSB.0 {
        return Err(LinkError::unsuitable(name, "is a big-endian ELF file; only little-endian ones can be linked"));
    }
    let malformed = |place: &str, what: &dyn std::fmt::Display| LinkError::malformed(name, place, what);
    let header = Header::parse(data).map_err(|e| malformed("ELF header", &e))?;
    let target = Target::new(machine(name, header)?, Format::Elf);
    let sections = header.sections(LE, data).map_err(|e| malformed("section header table", &e))?;
    let symbols = sections.symbols(LE, data, elf::SHT_SYMTAB).map_err(|e| malformed("symbol table", &e))?;
    let numbering = Numbering::of(&sections);
    let reader = Reader { name, view, table: &sections, symbol_table: symbols, numbering: &numbering };
    let mut file = ObjectFile {
        name: name.to_string(),
        target,
        sections: reader.sections()?,
        symbols: ObjectSymbols::with_capacity(view.file(), 0),
        groups: Vec::new(),
        group_members: Vec::new(),
        format: Box::new(Elf::read(name, view.file(), &sections, &numbering, target.arch)?),
    };
    file.symbols = reader.symbols(&mut file.sections)?;
    (file.groups, file.group_members) = reader.groups(&file.sections)?;
    Ok(file)
}

/// What the ELF file `data` is for, from its header; `None` if it is none for a known 64-bit little-endian machine.
pub fn target_of(data: &[u8]) -> Option<Target> {
    let ident = data.get(..20).filter(|d| d.starts_with(b"\x7fELF"))?;
    if ident[4] != elf::ELFCLASS64.0 || ident[5] != elf::ELFDATA2LSB.0 {
        return None;
    }
    let arch = arch_of(elf::Machine(u16::from_le_bytes([ident[18], ident[19]])))?;
    Some(Target::new(arch, Format::Elf))
}

fn arch_of(machine: elf::Machine) -> Option<Arch> {
    match machine {
        elf::EM_X86_64 => Some(Arch::X86_64),
        elf::EM_AARCH64 => Some(Arch::Aarch64),
        elf::EM_RISCV => Some(Arch::Riscv64),
        _ => None,
    }
}

fn machine(name: &str, header: &Header) -> Result<Arch> {
    let file_type = header.e_type(LE);
    if file_type != elf::ET_REL {
        let what = match file_type {
            elf::ET_DYN => {
                "is a shared library or position-independent executable, not a relocatable object; load a library with -l or -preload"
            }
            elf::ET_EXEC => "is an executable, not a relocatable object; give the objects it was linked from",
            elf::ET_CORE => "is a core dump, not a relocatable object",
            _ => "is an ELF file of unknown type, not a relocatable object",
        };
        return Err(LinkError::unsuitable(name, what));
    }
    let machine = header.e_machine(LE);
    arch_of(machine).ok_or_else(|| {
        LinkError::unsuitable(name, format_args!("is for ELF machine {}: Architecture not supported", machine.0))
    })
}

struct Reader<'a> {
    name: &'a str,
    view: FileView<'a>,
    table: &'a SectionTable<'a, Header, &'a [u8]>,
    symbol_table: SymbolTable<'a, Header, &'a [u8]>,
    numbering: &'a Numbering,
}

impl<'a> Reader<'a> {
    fn malformed(&self, place: impl std::fmt::Display, what: impl std::fmt::Display) -> LinkError {
        LinkError::malformed(self.name, place, what)
    }

    fn sections(&self) -> Result<ObjectSections> {
        let mut sections = ObjectSections::with_capacity(self.view.file(), self.numbering.number.len());
        sections.push(unloaded(b""));
        for &number in &self.numbering.number[1..] {
            let index = SectionIndex(number as usize);
            let header = self.table.section(index).map_err(|e| self.malformed(format_args!("section {number}"), e))?;
            sections.push(self.section(index.0, header)?);
        }
        Ok(sections)
    }

    fn section(&self, index: usize, header: &'a elf::SectionHeader64<LE>) -> Result<ObjectSection> {
        let place = || format!("section {index}");
        let name = self.table.section_name(LE, header).map_err(|e| self.malformed(place(), e))?;
        let (sh_type, flags) = (header.sh_type(LE), header.sh_flags(LE).0);
        let has = |flag: elf::SectionFlags| flags & flag.0 != 0;
        let kind = section_kind(name, sh_type, flags);
        if kind == SectionKind::Unloaded {
            return Ok(unloaded(self.view.keep(name)));
        }
        let place = || format!("section {index} ({})", String::from_utf8_lossy(name));
        let align = header.sh_addralign(LE).max(1);
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(
                self.malformed(place(), format_args!("alignment {align:#x} is no power of two up to {MAX_ALIGN:#x}"))
            );
        }
        let (writable, executable) = (has(elf::SHF_WRITE), has(elf::SHF_EXECINSTR));
        if writable && executable {
            return Err(self.malformed(
                place(),
                "it asks for memory that is writable and executable, which is never given; split code and data into two sections",
            ));
        }
        let zero_fill = sh_type == elf::SHT_NOBITS;
        let size = header.sh_size(LE);
        let content = if zero_fill {
            &[][..]
        } else {
            header.data(LE, self.view.file()).map_err(|e| self.malformed(place(), e))?
        };
        if size > MAX_SIZE {
            return Err(self.malformed(place(), format_args!("size {size:#x} exceeds any address space")));
        }
        Ok(ObjectSection {
            name: self.view.keep(name),
            kind,
            prot: match (executable, writable && !names::is_relro(name)) {
                (true, _) => MemProt::ReadExec,
                (false, true) => MemProt::ReadWrite,
                (false, false) if zero_fill => MemProt::ReadWrite,
                (false, false) => MemProt::Read,
            },
            content,
            size,
            align,
            align_offset: 0,
            linked_to: match header.sh_link(LE) {
                to if to != 0 && has(elf::SHF_LINK_ORDER) => {
                    Some(self.numbering.index_of(to as usize).ok_or_else(|| {
                        self.malformed(format_args!("section {index}"), "it is linked to a section that does not exist")
                    })?)
                }
                _ => None,
            },
        })
    }

    fn symbols(&self, sections: &mut ObjectSections) -> Result<ObjectSymbols> {
        let mut symbols = ObjectSymbols::with_capacity(self.view.file(), self.symbol_table.len().max(1));
        for (index, sym) in self.symbol_table.symbols().iter().enumerate() {
            symbols.push(self.symbol(index, sym, sections)?);
        }
        if symbols.is_empty() {
            symbols.push(null_symbol());
        }
        Ok(symbols)
    }

    fn symbol(&self, index: usize, sym: &'a elf::Sym64<LE>, sections: &mut ObjectSections) -> Result<ObjectSymbol> {
        if index == 0 || sym.st_type() == elf::STT_FILE {
            return Ok(null_symbol());
        }
        let place = || format!("symbol {index}");
        let name = self.symbol_table.symbol_name(LE, sym).map_err(|e| self.malformed(place(), e))?;
        let size = sym.st_size(LE);
        let value = sym.st_value(LE);
        let shndx = sym.st_shndx(LE);
        let where_ = match shndx {
            elf::SHN_UNDEF => ObjectPlace::Undefined,
            elf::SHN_ABS => ObjectPlace::Absolute,
            elf::SHN_COMMON if name == intermediate_code::GNU_SLIM => {
                return Err(intermediate_code::error(self.name));
            }
            s if s == elf::SHN_COMMON || s.0 == SHN_X86_64_LCOMMON => {
                if !value.max(1).is_power_of_two() || value > MAX_ALIGN || size > MAX_SIZE {
                    return Err(self.malformed(
                        format_args!("symbol {index} ({})", String::from_utf8_lossy(name)),
                        format_args!("common symbol of {size:#x} bytes aligned to {value:#x}"),
                    ));
                }
                let kind = if sym.st_type() == elf::STT_TLS { SectionKind::ThreadLocal } else { SectionKind::Common };
                sections.push(common_section(kind, size, value.max(1)));
                ObjectPlace::Common(sections.len() as u32 - 1)
            }
            _ => {
                let section = self
                    .symbol_table
                    .symbol_section(LE, sym, SymbolIndex(index))
                    .map_err(|e| self.malformed(place(), e))?
                    .unwrap_or(SectionIndex(usize::MAX));
                let section = self.numbering.index_of(section.0).ok_or_else(|| {
                    self.malformed(
                        format_args!("symbol {index} ({})", String::from_utf8_lossy(name)),
                        format_args!("it is in section {:#x}, which does not exist", shndx.0),
                    )
                })?;
                ObjectPlace::Section(section)
            }
        };
        let bind = sym.st_bind();
        let hidden = [elf::STV_HIDDEN, elf::STV_INTERNAL].contains(&sym.st_visibility());
        Ok(ObjectSymbol {
            name: self.view.keep(name),
            place: where_,
            value: if matches!(where_, ObjectPlace::Common(_)) { 0 } else { value },
            size,
            kind: match sym.st_type() {
                elf::STT_FUNC => SymbolKind::Function,
                elf::STT_GNU_IFUNC => SymbolKind::IndirectFunction,
                elf::STT_TLS => SymbolKind::ThreadLocal,
                _ => SymbolKind::Data,
            },
            linkage: if bind == elf::STB_WEAK || bind == elf::STB_GNU_UNIQUE { Linkage::Weak } else { Linkage::Strong },
            scope: match bind {
                elf::STB_LOCAL => Scope::Local,
                _ if hidden => Scope::Hidden,
                _ => Scope::Default,
            },
        })
    }

    fn groups(&self, sections: &ObjectSections) -> Result<(Vec<SectionGroup>, Vec<u32>)> {
        let count = self.table.iter().filter(|header| header.sh_type(LE) == elf::SHT_GROUP).count();
        let (mut groups, mut members) = (Vec::with_capacity(count), Vec::new());
        let mut is_member = vec![false; self.table.len()];
        for (index, header) in self.table.iter().enumerate() {
            let place = || format!("section {index}");
            let Some((flags, sections_of_group)) =
                header.group(LE, self.view.bytes()).map_err(|e| self.malformed(place(), e))?
            else {
                continue;
            };
            if flags.0 & elf::GRP_COMDAT.0 == 0 {
                continue;
            }
            let first = members.len() as u32;
            for member in sections_of_group {
                let member = member.get(LE);
                let known = is_member.get_mut(member as usize).ok_or_else(|| {
                    self.malformed(place(), format_args!("section {member} of the group does not exist"))
                })?;
                if std::mem::replace(known, true) {
                    return Err(self.malformed(place(), format_args!("section {member} is already in another group")));
                }
                // Relocations go with the section that they apply to.
                let index = self.numbering.index_of(member as usize);
                members.extend(index.filter(|&index| index != Numbering::TABLE));
            }
            groups.push(SectionGroup {
                signature: self.signature(header, sections).map_err(|e| self.malformed(place(), e))?,
                symbol: Some(header.sh_info(LE)),
                members: first..members.len() as u32,
            });
        }
        for (index, section) in sections.iter().enumerate() {
            let is_grouped = || is_member[self.numbering.number[index] as usize];
            if section.kind != SectionKind::Unloaded
                && self.view.look_at(section.name).starts_with(b".gnu.linkonce.")
                && !is_grouped()
            {
                let first = members.len() as u32;
                members.push(index as u32);
                groups.push(SectionGroup { signature: section.name, symbol: None, members: first..first + 1 });
            }
        }
        Ok((groups, members))
    }

    /// The name of a group's signature symbol; for a section symbol, the section's.
    fn signature(&self, header: &elf::SectionHeader64<LE>, sections: &ObjectSections) -> object::Result<Data> {
        let index = SymbolIndex(header.sh_info(LE) as usize);
        let symbol = self.symbol_table.symbol(index)?;
        if symbol.st_type() == elf::STT_SECTION
            && let Some(section) = self.symbol_table.symbol_section(LE, symbol, index)?
            && let Some(section) = self.numbering.index_of(section.0).and_then(|i| sections.get(i as usize))
        {
            return Ok(section.name);
        }
        let name = self.symbol_table.symbol_name(LE, symbol)?;
        // A local name is nowhere else, and about to be looked at.
        let copy_it = self.view.is_copy() && symbol.st_bind() == elf::STB_LOCAL;
        Ok(if copy_it { name.to_vec().leak() } else { self.view.keep(name) })
    }
}

fn null_symbol() -> ObjectSymbol {
    ObjectSymbol {
        name: b"",
        place: ObjectPlace::Absolute,
        value: 0,
        size: 0,
        kind: SymbolKind::Data,
        linkage: Linkage::Strong,
        scope: Scope::Local,
    }
}

fn unloaded(name: Data) -> ObjectSection {
    ObjectSection {
        name,
        kind: SectionKind::Unloaded,
        prot: MemProt::Read,
        content: &[],
        size: 0,
        align: 1,
        align_offset: 0,
        linked_to: None,
    }
}

fn common_section(kind: SectionKind, size: u64, align: u64) -> ObjectSection {
    ObjectSection {
        name: b".common",
        kind,
        prot: MemProt::ReadWrite,
        content: &[],
        size,
        align,
        align_offset: 0,
        linked_to: None,
    }
}

fn section_kind(name: &[u8], sh_type: elf::SectionType, flags: u64) -> SectionKind {
    if flags & elf::SHF_ALLOC.0 == 0 || flags & elf::SHF_EXCLUDE.0 != 0 {
        return SectionKind::Unloaded;
    }
    // Notes about the object as input of a linker (IBT, SHSTK, BTI properties): the linked memory has no place for them.
    if sh_type == elf::SHT_NOTE && name.starts_with(b".note.gnu.property") {
        return SectionKind::Unloaded;
    }
    if flags & elf::SHF_TLS.0 != 0 {
        return SectionKind::ThreadLocal;
    }
    if name == b".eh_frame" {
        return SectionKind::Unwind;
    }
    names::initializer_kind(name).unwrap_or(SectionKind::Loaded)
}
