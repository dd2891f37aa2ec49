//! Relocations of a Mach-O file, read as edges when a section is linked.

use super::decode::Reader;
use super::read::Tables;
use super::relocation::{self, MachOArch, Translation};
use super::sections::FileSection;
use super::split::{Piece, Split};
use super::{compact_unwind, eh_frame, names};
use crate::base::{Arch, MemProt};
use crate::link::arch;
use crate::link::edge::{EdgeClass, EdgeKind, EdgeKindInfo};
use crate::link::error::{LinkError, Result};
use crate::link::file_view::FileView;
use crate::link::object_file::{CallFrames, ObjectEdge, ObjectFile, ObjectFormat, ObjectPlace, SectionKind};
use object::LittleEndian as LE;
use object::macho::{self, Relocation};
use object::read::macho::Section;
use std::sync::OnceLock;

/// What stays of the file format after reading: where the relocations are, and how sections were cut up.
#[derive(Debug)]
pub(super) struct MachO {
    sections: Vec<FileSection>,
    relocations: Vec<Relocations>,
    split: Split,
    /// The nameless symbol of [`ObjectFile::sections`] 0; the others follow.
    section_symbols: u32,
    arch: &'static dyn MachOArch,
    kinds: &'static [EdgeKindInfo],
    /// The kind of a whole address.
    pointer: EdgeKind,
}

/// Size of a pointer in bytes.
const POINTER_SIZE: u64 = 8;

fn text(name: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(name)
}

/// The relocation entries of one section of the file.
struct Relocations {
    entries: &'static [Relocation<LE>],
    /// The numbers of entries that are not the second of a pair, ascending by address; made when it is first needed, since a
    /// file has them in any order.
    order: OnceLock<Vec<u32>>,
}

impl std::fmt::Debug for Relocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} relocations", self.entries.len())
    }
}

impl MachO {
    /// Finds the relocations of the file called `name`, whose sections are `sections`.
    ///
    /// Errors: [`crate::link::LinkErrorKind::Malformed`] for tables that leave the file, [`crate::link::LinkErrorKind::Unsuitable`] if nothing is known of `arch`.
    pub(super) fn new(
        file: &super::read::File,
        arch: Arch,
        tables: &Tables,
        sections: Vec<FileSection>,
        split: Split,
    ) -> Result<MachO> {
        let unknown =
            || LinkError::unsuitable(file.name, format_args!("is for {}: Architecture not supported", arch.name()));
        let architecture = arch::of(arch).ok_or_else(unknown)?;
        let mut relocations = Vec::with_capacity(sections.len());
        for (header, section) in tables.sections.iter().zip(&sections) {
            let place = || format!("section {}", String::from_utf8_lossy(section.name));
            let entries = match section.kind {
                SectionKind::Unloaded => &[],
                _ => header.relocations(LE, file.data).map_err(|e| file.malformed(place(), e))?,
            };
            relocations.push(Relocations { entries, order: OnceLock::new() });
        }
        Ok(MachO {
            sections,
            relocations,
            split,
            section_symbols: tables.symbols.len() as u32,
            arch: relocation::of(arch).ok_or_else(unknown)?,
            kinds: architecture.edge_kinds(),
            pointer: architecture.pointer(),
        })
    }
}

impl Relocations {
    /// The numbers of the entries that begin a relocation, ascending by address.
    fn order(&self, arch: &dyn MachOArch) -> &[u32] {
        self.order.get_or_init(|| {
            let mut order = Vec::with_capacity(self.entries.len());
            let mut index = 0;
            while let Some(entry) = self.entries.get(index) {
                order.push(index as u32);
                let is_first =
                    matches!(arch.translate(&entry.info(LE), 0), Translation::Difference { .. } | Translation::Addend);
                index += if is_first { 2 } else { 1 };
            }
            order.sort_by_key(|&index| self.entries[index as usize].info(LE).r_address);
            order
        })
    }
}

impl MachO {
    /// The architecture's relocation types.
    pub(super) fn arch(&self) -> &'static dyn MachOArch {
        self.arch
    }

    /// Section `index` of the file, from 0.
    pub(super) fn section(&self, index: usize) -> Option<&FileSection> {
        self.sections.get(index)
    }

    /// See [`Split::piece_at`].
    pub(super) fn piece_at(&self, section: &FileSection, offset: i64) -> (u32, i64) {
        self.split.piece_at(section, offset)
    }

    /// How passes treat edges of `kind`.
    pub(super) fn class(&self, kind: EdgeKind) -> EdgeClass {
        self.kinds[usize::from(kind.0)].class
    }

    /// The kind of a pointer of `size` bytes that counts from its own place; `None` if there is none.
    pub(super) fn pc_relative(&self, size: usize) -> Option<EdgeKind> {
        self.arch.pc_relative(size)
    }

    /// The nameless symbol for the start of section `index` of the file.
    pub(super) fn section_symbol(&self, index: u32) -> u32 {
        self.section_symbols + index
    }

    /// The address in the file that section `index` starts at; it is no common symbol's.
    pub(super) fn address_of(&self, index: u32) -> u64 {
        let Piece { section, start, .. } = self.split.pieces[index as usize];
        self.sections[section as usize].address.wrapping_add(start)
    }

    /// The section that `address` of the file is in, as the symbol for its start and the bytes behind that.
    pub(super) fn place_of(&self, address: u64) -> Option<(u32, i64)> {
        let is_in = |section: &&FileSection| {
            section.kind != SectionKind::Unloaded
                && section.offset_of(address).is_some_and(|offset| offset < section.size)
        };
        let section = self.sections.iter().find(is_in)?;
        let (piece, offset) = self.split.piece_at(section, (address - section.address) as i64);
        Some((self.section_symbol(piece), offset))
    }

    /// The edges of `piece` of `section`, a row of pointers to symbols that the indirect symbol table names.
    fn indirect_edges(
        &self,
        file: &ObjectFile,
        section: &FileSection,
        piece: Piece,
        edges: &mut Vec<ObjectEdge>,
    ) -> Result<()> {
        let (first, count) = (piece.start / POINTER_SIZE, piece.size / POINTER_SIZE);
        for (number, symbol) in section.indirect.iter().enumerate().skip(first as usize).take(count as usize) {
            let symbol = symbol.get(LE).0;
            let offset = number as u64 * POINTER_SIZE - piece.start;
            if symbol & (macho::INDIRECT_SYMBOL_LOCAL.0 | macho::INDIRECT_SYMBOL_ABS.0) != 0 {
                let what = "an entry of the indirect symbol table stands for a local pointer, as only linkers write it; \
                            give the files that this one was linked from";
                return Err(LinkError::malformed(&file.name, format_args!("section {}", text(section.name)), what));
            }
            if symbol >= self.section_symbols {
                let what = format_args!("entry {number} is a pointer to symbol {symbol}, which does not exist");
                return Err(LinkError::malformed(&file.name, format_args!("section {}", text(section.name)), what));
            }
            edges.push(ObjectEdge { offset: offset as u32, kind: self.pointer, symbol, addend: 0, in_module: false });
        }
        Ok(())
    }

    /// Section and offset of what `edge` of `file` points to, if it is in a section of the file.
    pub(super) fn defined_place(&self, file: &ObjectFile, edge: &ObjectEdge) -> Option<(u32, i64)> {
        let symbol = file.symbols.at(edge.symbol as usize);
        match symbol.place {
            ObjectPlace::Section(section) => Some((section, edge.addend.wrapping_add_unsigned(symbol.value))),
            _ => None,
        }
    }

    /// What `edge` of `file` points to: this file's own definition of it, whichever one the program uses.
    pub(super) fn local_target(&self, file: &ObjectFile, edge: &ObjectEdge) -> (u32, i64) {
        match self.defined_place(file, edge) {
            Some((section, offset)) => (self.section_symbol(section), offset),
            None => (edge.symbol, edge.addend),
        }
    }
}

impl ObjectFormat for MachO {
    fn may_strip(&self, section: u32) -> bool {
        !self.split.must_stay(section)
    }

    fn edges(&self, file: &ObjectFile, section: u32, edges: &mut Vec<ObjectEdge>) -> Result<()> {
        // Sections made for common symbols have none.
        let Some(&piece) = self.split.pieces.get(section as usize) else {
            return Ok(());
        };
        let header = &self.sections[piece.section as usize];
        if !header.indirect.is_empty() {
            return self.indirect_edges(file, header, piece, edges);
        }
        let relocations = &self.relocations[piece.section as usize];
        if relocations.entries.is_empty() {
            return Ok(());
        }
        let reader = Reader { macho: self, file, section: header, piece, entries: relocations.entries };
        let order = relocations.order(self.arch);
        let address = |index: u32| u64::from(relocations.entries[index as usize].info(LE).r_address);
        let first = order.partition_point(|&index| address(index) < piece.start);
        let is_last = piece.start + piece.size == reader.section.size;
        // What lies behind the section is refused with its last piece.
        let own = order[first..].iter().take_while(|&&index| is_last || address(index) < piece.start + piece.size);
        let before = edges.len();
        for &index in own {
            edges.extend(reader.edge(index)?);
        }
        if reader.section.typ == macho::S_INIT_FUNC_OFFSETS {
            // What others see is a row of pointers in the place of the offsets.
            for edge in &mut edges[before..] {
                *edge = ObjectEdge { offset: edge.offset.saturating_mul(2), kind: self.pointer, ..*edge };
            }
        }
        Ok(())
    }

    fn call_frames(&self, file: &ObjectFile, section: u32) -> Result<CallFrames> {
        if file.sections.at(section as usize).name == names::COMPACT_UNWIND {
            compact_unwind::call_frames(self, file, section)
        } else {
            eh_frame::call_frames(self, file, section)
        }
    }

    /// Of pointers only: other edges depend on where they are.
    fn has_edge(
        &self,
        _: &ObjectFile,
        _: FileView<'_>,
        budget: &mut usize,
        wanted: &mut dyn FnMut(EdgeKind, bool) -> bool,
    ) -> bool {
        let mut is_wanted = |relocation: &Relocation<LE>| match self.arch.translate(&relocation.info(LE), 0) {
            Translation::Pointer(kind) => wanted(kind, false),
            _ => false,
        };
        let is_first = |relocation: &Relocation<LE>| {
            matches!(self.arch.translate(&relocation.info(LE), 0), Translation::Difference { .. })
        };
        let sections = |code: bool| {
            let sections = self.sections.iter().zip(&self.relocations);
            sections.filter(move |(section, _)| (section.prot == MemProt::ReadExec) == code)
        };
        for (_, relocations) in sections(true).chain(sections(false)) {
            let entries = &relocations.entries[..relocations.entries.len().min(*budget)];
            *budget -= entries.len();
            let before = std::iter::once(None).chain(entries.iter().map(Some));
            if entries.iter().zip(before).any(|(entry, before)| is_wanted(entry) && !before.is_some_and(is_first)) {
                return true;
            }
        }
        false
    }
}
