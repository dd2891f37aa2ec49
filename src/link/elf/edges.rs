//! Relocations of an ELF file, read as edges when a section is linked.

use super::debug;
use super::relocation::{self, ElfArch, Translation};
use crate::base::{Arch, MemProt};
use crate::link::arch;
use crate::link::edge::{EdgeKind, EdgeKindInfo};
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{DebugSection, ObjectEdge, ObjectFile, ObjectFormat, ObjectPlace, SectionKind};
use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{SectionHeader, SectionTable};
use std::fmt::Display;

type Header = elf::FileHeader64<LE>;
type Rela = elf::Rela64<LE>;
type Data = &'static [u8];

/// What stays of the file format after reading: where the relocations are.
pub(super) struct Elf {
    relocations: Vec<Relocations>,
    pub(super) data: Data,
    arch: &'static dyn ElfArch,
    kinds: &'static [EdgeKindInfo],
    executable_stack: bool,
}

/// The relocation entries of one section. More than one table for a section is rare (`ld -r` makes none).
#[derive(Default)]
struct Relocations {
    entries: &'static [Rela],
    more: Vec<&'static [Rela]>,
    /// Its relocations are in a form without explicit addends (SHT_REL) or compressed (SHT_CREL).
    unreadable: bool,
}

impl std::fmt::Debug for Relocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} relocations", self.entries.len() + self.more.iter().map(|m| m.len()).sum::<usize>())
    }
}

impl std::fmt::Debug for Elf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elf").field("relocations", &self.relocations).finish_non_exhaustive()
    }
}

impl Elf {
    /// Finds the relocations of the file `data`, called `name` in messages, whose sections are `table`.
    ///
    /// Errors: [`LinkError::Malformed`] for tables that leave the file, [`LinkError::Unsuitable`] if nothing is known of `arch`.
    pub(super) fn read(name: &str, data: Data, table: &SectionTable<'static, Header, Data>, arch: Arch) -> Result<Elf> {
        let unknown =
            || LinkError::unsuitable(name, format_args!("is for {}: Architecture not supported", arch.name()));
        Ok(Elf {
            relocations: relocations(name, data, table)?,
            data,
            arch: relocation::of(arch).ok_or_else(unknown)?,
            kinds: arch::of(arch).ok_or_else(unknown)?.edge_kinds(),
            executable_stack: table.iter().any(|header| is_stack_note(table, header)),
        })
    }
}

/// Whether `header` is that of the empty section by which compilers say that code will be put onto the stack.
fn is_stack_note(table: &SectionTable<'static, Header, Data>, header: &elf::SectionHeader64<LE>) -> bool {
    let flags = header.sh_flags(LE).0;
    flags & elf::SHF_EXECINSTR.0 != 0
        && flags & elf::SHF_ALLOC.0 == 0
        && table.section_name(LE, header).is_ok_and(|name| name == b".note.GNU-stack")
}

/// The relocation entries of each section of `table`, by index.
fn relocations(name: &str, data: Data, table: &SectionTable<'static, Header, Data>) -> Result<Vec<Relocations>> {
    let malformed = |index, what: &dyn Display| LinkError::malformed(name, format_args!("section {index}"), what);
    let mut relocations: Vec<Relocations> = Vec::new();
    relocations.resize_with(table.len(), Relocations::default);
    for (index, header) in table.iter().enumerate() {
        let kind = header.sh_type(LE);
        if ![elf::SHT_RELA, elf::SHT_REL, elf::SHT_CREL].contains(&kind) {
            continue;
        }
        let applies_to = header.sh_info(LE) as usize;
        let Some(target) = relocations.get_mut(applies_to) else {
            let what = format_args!("its relocations apply to section {applies_to}, which does not exist");
            return Err(malformed(index, &what));
        };
        match header.rela(LE, data).map_err(|e| malformed(index, &e))? {
            Some((entries, _)) if target.entries.is_empty() => target.entries = entries,
            Some((entries, _)) => target.more.push(entries),
            None => target.unreadable = true,
        }
    }
    Ok(relocations)
}

impl ObjectFormat for Elf {
    fn may_strip(&self) -> bool {
        true
    }

    fn wants_executable_stack(&self) -> bool {
        self.executable_stack
    }

    fn edges(&self, file: &ObjectFile, section: u32, edges: &mut Vec<ObjectEdge>) -> Result<()> {
        let length = file.sections[section as usize].content.len() as u64;
        self.edges_within(file, section, length, edges)
    }

    fn operating_system(&self) -> &'static str {
        match elf::OsAbi(self.data.get(7).copied().unwrap_or(0)) {
            elf::ELFOSABI_NETBSD => "netbsd",
            elf::ELFOSABI_LINUX => "linux",
            elf::ELFOSABI_SOLARIS => "solaris",
            elf::ELFOSABI_FREEBSD => "freebsd",
            elf::ELFOSABI_OPENBSD => "openbsd",
            _ => "",
        }
    }

    fn debug_sections(&self, file: &ObjectFile) -> Result<Vec<DebugSection>> {
        debug::sections(self, file)
    }

    fn has_edge(&self, file: &ObjectFile, budget: &mut usize, wanted: &mut dyn FnMut(EdgeKind, bool) -> bool) -> bool {
        let stays = |section: usize, symbol: u64| {
            let symbol = file.symbols.get(symbol as usize);
            symbol.is_some_and(|s| !s.is_global() && s.place == ObjectPlace::Section(section as u32))
        };
        let tables = |code: bool| {
            let sections = file.sections.iter().zip(&self.relocations).enumerate();
            sections.filter(move |(_, (s, _))| s.kind != SectionKind::Unloaded && (s.prot == MemProt::ReadExec) == code)
        };
        for (section, (_, relocations)) in tables(true).chain(tables(false)) {
            let entries = &relocations.entries[..relocations.entries.len().min(*budget)];
            *budget -= entries.len();
            let mut is_wanted = |rela: &Rela| {
                let info = rela.r_info.get(LE);
                match self.arch.translate(info as u32) {
                    Translation::Edge(kind) => wanted(kind, stays(section, info >> 32)),
                    _ => false,
                }
            };
            if entries.iter().any(&mut is_wanted) {
                return true;
            }
        }
        false
    }
}

impl Elf {
    /// The relocations of `section`, whose content has `length` bytes, as edges.
    pub(super) fn edges_within(
        &self,
        file: &ObjectFile,
        section: u32,
        length: u64,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<()> {
        // Sections made for common symbols have none.
        let Some(relocations) = self.relocations.get(section as usize) else {
            return Ok(());
        };
        let header = &file.sections[section as usize];
        let error = |offset: u64, what: String| LinkError::Relocation {
            file: file.name.clone(),
            section: String::from_utf8_lossy(header.name).into_owned(),
            offset,
            what,
        };
        if relocations.unreadable {
            return Err(error(
                0,
                "its relocations are SHT_REL or SHT_CREL, which this architecture's psABI does not use; compile without --crel".into(),
            ));
        }
        let first = edges.len();
        let in_code = header.prot == MemProt::ReadExec;
        edges.reserve(relocations.entries.len());
        for rela in relocations.entries.iter().chain(relocations.more.iter().copied().flatten()) {
            let offset = rela.r_offset.get(LE);
            let info = rela.r_info.get(LE);
            let (symbol, r_type) = ((info >> 32) as u32, info as u32);
            let name = || self.arch.name(r_type).map_or_else(|| format!("type {r_type}"), str::to_string);
            let (kind, in_module) = match self.arch.translate(r_type) {
                Translation::Edge(kind) => (kind, false),
                Translation::ByPlace { code, data } => (if in_code { code } else { data }, false),
                Translation::InModule(kind) => (kind, true),
                Translation::Nothing => continue,
                Translation::Unsupported => {
                    return Err(error(
                        offset,
                        format!(
                            "relocation {} has no meaning in a relocatable file; compile again for static linking",
                            name()
                        ),
                    ));
                }
            };
            let width = u64::from(self.kinds[usize::from(kind.0)].width);
            if offset.checked_add(width).is_none_or(|end| end > length) || offset > u64::from(u32::MAX) {
                return Err(error(offset, format!("{} lies outside the section's {length:#x} bytes", name())));
            }
            if symbol as usize >= file.symbols.len() {
                return Err(error(offset, format!("{} refers to symbol {symbol}, which does not exist", name())));
            }
            edges.push(ObjectEdge { offset: offset as u32, kind, symbol, addend: rela.r_addend.get(LE), in_module });
        }
        if !edges[first..].is_sorted_by_key(|e| e.offset) {
            edges[first..].sort_by_key(|e| e.offset);
        }
        Ok(())
    }
}
