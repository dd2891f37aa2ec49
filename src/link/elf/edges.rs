//! Relocations of an ELF file, read as edges when a section is linked.

use super::debug;
use super::numbering::Numbering;
use super::relocation::{self, ElfArch, Translation};
use crate::base::{Arch, MemProt};
use crate::link::arch;
use crate::link::edge::{EdgeKind, EdgeKindInfo};
use crate::link::error::{LinkError, LinkErrorKind, Result};
use crate::link::file_view::FileView;
use crate::link::object_file::{DebugSection, ObjectEdge, ObjectFile, ObjectFormat, ObjectPlace, SectionKind};
use object::LittleEndian as LE;
use object::elf;
use object::pod;
use object::read::elf::{FileHeader, SectionHeader, SectionTable};
use object::read::{ReadRef, SectionIndex};
use std::fmt::Display;

type Header = elf::FileHeader64<LE>;
type Rela = elf::Rela64<LE>;
type Data = &'static [u8];

/// What stays of the file format after reading: where the relocations are.
pub(super) struct Elf {
    /// Where the relocation entries of each section are, by index.
    relocations: Vec<Entries>,
    /// Tables that are not among those: further ones of sections that have more than one, which is rare (`ld -r` makes none), and what is
    /// beyond the first 4 GiB of a file.
    more: Vec<(u32, &'static [Rela])>,
    /// Sections whose relocations are in a form without explicit addends (SHT_REL) or compressed (SHT_CREL).
    unreadable: Vec<u32>,
    pub(super) data: Data,
    arch: &'static dyn ElfArch,
    kinds: &'static [EdgeKindInfo],
    executable_stack: bool,
}

/// A table of relocation entries: its offset in the file, in bytes, and their number; 0 if there is none.
#[derive(Clone, Copy, Default)]
struct Entries {
    start: u32,
    count: u32,
}

/// The type of an entry.
fn r_type(rela: &Rela) -> u32 {
    rela.r_info.get(LE) as u32
}

impl std::fmt::Debug for Elf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: Vec<u32> = self.relocations.iter().map(|entries| entries.count).collect();
        f.debug_struct("Elf").field("relocations", &count).finish_non_exhaustive()
    }
}

impl Elf {
    /// Finds the relocations of the file `data`, called `name` in messages, whose sections are `table`, looked at there or in a copy.
    ///
    /// Errors: [`LinkErrorKind::Malformed`] for tables that leave the file, [`LinkErrorKind::Unsuitable`] if nothing is known of `arch`.
    pub(super) fn read<'a>(
        name: &str,
        data: Data,
        table: &SectionTable<'a, Header, &'a [u8]>,
        numbering: &Numbering,
        arch: Arch,
    ) -> Result<Elf> {
        let unknown =
            || LinkError::unsuitable(name, format_args!("is for {}: Architecture not supported", arch.name()));
        let mut elf = Elf {
            relocations: vec![Entries::default(); numbering.number.len()],
            more: Vec::new(),
            unreadable: Vec::new(),
            data,
            arch: relocation::of(arch).ok_or_else(unknown)?,
            kinds: arch::of(arch).ok_or_else(unknown)?.edge_kinds(),
            executable_stack: table.iter().any(|header| is_stack_note(table, header)),
        };
        elf.find_relocations(name, table, numbering)?;
        Ok(elf)
    }

    /// Finds the relocation entries of each section of `table`.
    fn find_relocations<'a>(
        &mut self,
        name: &str,
        table: &SectionTable<'a, Header, &'a [u8]>,
        numbering: &Numbering,
    ) -> Result<()> {
        let malformed = |index, what: &dyn Display| LinkError::malformed(name, format_args!("section {index}"), what);
        for (index, header) in table.iter().enumerate() {
            let kind = header.sh_type(LE);
            if ![elf::SHT_RELA, elf::SHT_REL, elf::SHT_CREL].contains(&kind) {
                continue;
            }
            let applies_to = header.sh_info(LE);
            let Some(section) = numbering.index_of(applies_to as usize) else {
                let what = format_args!("its relocations apply to section {applies_to}, which does not exist");
                return Err(malformed(index, &what));
            };
            let Some((entries, _)) = header.rela(LE, self.data).map_err(|e| malformed(index, &e))? else {
                self.unreadable.push(section);
                continue;
            };
            let target = &mut self.relocations[section as usize];
            match (u32::try_from(header.sh_offset(LE)), u32::try_from(entries.len())) {
                (Ok(start), Ok(count)) if target.count == 0 => *target = Entries { start, count },
                _ => self.more.push((section, entries)),
            }
        }
        Ok(())
    }
}

/// Whether `header` is that of the empty section by which compilers say that code will be put onto the stack.
fn is_stack_note<'a>(table: &SectionTable<'a, Header, &'a [u8]>, header: &elf::SectionHeader64<LE>) -> bool {
    let flags = header.sh_flags(LE).0;
    flags & elf::SHF_EXECINSTR.0 != 0
        && flags & elf::SHF_ALLOC.0 == 0
        && table.section_name(LE, header).is_ok_and(|name| name == b".note.GNU-stack")
}

impl ObjectFormat for Elf {
    fn wants_executable_stack(&self) -> bool {
        self.executable_stack
    }

    fn tables(&self) -> Vec<&'static [u8]> {
        let table = Header::parse(self.data).and_then(|header| header.sections(LE, self.data));
        // What has been read is there.
        let Ok(table) = table else { return Vec::new() };
        let numbers = Numbering::of(&table).number;
        let is_table = |&(number, _): &(usize, _)| numbers.binary_search(&(number as u32)).is_err();
        let names =
            table.iter().enumerate().filter(is_table).filter_map(|(_, header)| table.section_name(LE, header).ok());
        names.filter(|name| !name.is_empty()).collect()
    }

    fn edges(&self, file: &ObjectFile, section: u32, edges: &mut Vec<ObjectEdge>) -> Result<()> {
        let length = file.sections.at(section as usize).content.len() as u64;
        self.edges_within(file, section, length, edges)
    }

    fn relocation_bytes(&self, section: u32) -> &'static [u8] {
        self.tables_of(section).next().map_or(&[], pod::bytes_of_slice)
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

    fn has_edge(
        &self,
        file: &ObjectFile,
        view: FileView<'_>,
        budget: &mut usize,
        wanted: &mut dyn FnMut(EdgeKind, bool) -> bool,
    ) -> bool {
        let stays = |section: usize, symbol: u64| {
            let symbol = file.symbols.get(symbol as usize);
            symbol.is_some_and(|s| !s.is_global() && s.place == ObjectPlace::Section(section as u32))
        };
        let sections = |code: bool| {
            let loaded = file.sections.iter().enumerate().filter(|(_, s)| s.kind != SectionKind::Unloaded);
            loaded.filter(move |(_, s)| (s.prot == MemProt::ReadExec) == code).map(|(section, _)| section)
        };
        let all = sections(true).chain(sections(false));
        for (section, relocations) in all.flat_map(|section| self.tables_of(section as u32).map(move |t| (section, t)))
        {
            let copy = view.begin_of(pod::bytes_of_slice(relocations));
            let count = (copy.len() / size_of::<Rela>()).min(*budget);
            let Ok((entries, _)) = pod::slice_from_bytes::<Rela>(copy, count) else { break };
            if entries.is_empty() && !relocations.is_empty() {
                break;
            }
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

/// The header of each section of the file whose section header table is `table`, in the order of [`ObjectFile::sections`].
pub(super) fn headers<'a>(
    table: &'a SectionTable<'static, Header, Data>,
) -> impl Iterator<Item = &'static elf::SectionHeader64<LE>> + 'a {
    // `section` refuses the null section, which is the placeholder's.
    let first = table.iter().next();
    let header = move |number: u32| table.section(SectionIndex(number as usize)).ok().or(first);
    Numbering::of(table).number.into_iter().filter_map(header)
}

impl Elf {
    /// The relocation entries of `section`, table by table.
    fn tables_of(&self, section: u32) -> impl Iterator<Item = &'static [Rela]> + '_ {
        // Sections made for common symbols have none. That the table is in the file has been seen when that was read.
        let Entries { start, count } = self.relocations.get(section as usize).copied().unwrap_or_default();
        let first = self.data.read_slice_at(start.into(), count as usize).unwrap_or_default();
        let more = self.more.iter().filter(move |(applies_to, _)| *applies_to == section);
        std::iter::once(first).chain(more.map(|&(_, entries)| entries))
    }

    /// The relocations of `section`, whose content has `length` bytes, as edges.
    pub(super) fn edges_within(
        &self,
        file: &ObjectFile,
        section: u32,
        length: u64,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<()> {
        let header = file.sections.at(section as usize);
        let error = |offset: u64, what: String| {
            let section = String::from_utf8_lossy(header.name).into_owned();
            LinkError::from(LinkErrorKind::Relocation { file: file.name.clone(), section, offset, what })
        };
        if self.unreadable.contains(&section) {
            return Err(error(
                0,
                "its relocations are SHT_REL or SHT_CREL, which this architecture's psABI does not use; compile without --crel".into(),
            ));
        }
        let symbols = file.symbols.len() as u64;
        let first = edges.len();
        let in_code = header.prot == MemProt::ReadExec;
        edges.reserve(self.tables_of(section).map(<[Rela]>::len).sum());
        let (mut last, mut sorted) = (0, true);
        // Run by run of one type: what it means is looked up once, and what a loop over a run has no exits for costs little.
        for run in self.tables_of(section).flat_map(|table| table.chunk_by(|a, b| r_type(a) == r_type(b))) {
            let r_type = r_type(&run[0]);
            let name = || self.arch.name(r_type).map_or_else(|| format!("type {r_type}"), str::to_string);
            let (kind, in_module) = match self.arch.translate(r_type) {
                Translation::Edge(kind) => (kind, false),
                Translation::ByPlace { code, data } => (if in_code { code } else { data }, false),
                Translation::InModule(kind) => (kind, true),
                Translation::Nothing => continue,
                Translation::Unsupported => {
                    let what = "has no meaning in a relocatable file; compile again for static linking";
                    return Err(error(run[0].r_offset.get(LE), format!("relocation {} {what}", name())));
                }
            };
            // What follows the last place that the field may have; 0 if it fits nowhere.
            let width = u64::from(self.kinds[usize::from(kind.0)].width);
            let places = (length + 1).saturating_sub(width).min(1 << 32);
            let outside = |rela: &Rela| rela.r_offset.get(LE) >= places;
            let unknown = |rela: &Rela| rela.r_info.get(LE) >> 32 >= symbols;
            let mut bad = false;
            edges.extend(run.iter().map(|rela| {
                let offset = rela.r_offset.get(LE);
                bad |= outside(rela) | unknown(rela);
                sorted &= last <= offset;
                last = offset;
                let symbol = (rela.r_info.get(LE) >> 32) as u32;
                ObjectEdge { offset: offset as u32, kind, symbol, addend: rela.r_addend.get(LE), in_module }
            }));
            if bad && let Some(rela) = run.iter().find(|rela| outside(rela)) {
                let what = format!("{} lies outside the section's {length:#x} bytes", name());
                return Err(error(rela.r_offset.get(LE), what));
            }
            if bad && let Some(rela) = run.iter().find(|rela| unknown(rela)) {
                let symbol = rela.r_info.get(LE) >> 32;
                let what = format!("{} refers to symbol {symbol}, which does not exist", name());
                return Err(error(rela.r_offset.get(LE), what));
            }
        }
        if !sorted {
            edges[first..].sort_by_key(|e| e.offset);
        }
        Ok(())
    }
}
