//! One relocation of a Mach-O file, decoded into an edge.

use super::edges::MachO;
use super::relocation::Translation;
use super::sections::FileSection;
use super::split::Piece;
use crate::link::edge::EdgeKind;
use crate::link::error::{LinkError, LinkErrorKind, Result};
use crate::link::object_file::{ObjectEdge, ObjectFile, ObjectPlace, SectionKind, SymbolKind};
use object::LittleEndian as LE;
use object::macho::{self, Relocation, RelocationInfo};

/// How long the displacements of instructions are, in bytes.
const DISPLACEMENT_SIZE: i64 = 4;

/// Reads the relocations of one piece.
pub(super) struct Reader<'a> {
    pub macho: &'a MachO,
    pub file: &'a ObjectFile,
    pub section: &'a FileSection,
    pub piece: Piece,
    /// Those of the whole section.
    pub entries: &'static [Relocation<LE>],
}

/// What an edge goes to: a symbol of the file, and bytes behind it.
type Place = (u32, i64);

impl Reader<'_> {
    fn error(&self, info: &RelocationInfo, what: &str) -> LinkError {
        let name =
            self.macho.arch().name(info.r_type.0).map_or_else(|| format!("type {}", info.r_type.0), str::to_string);
        let kind = LinkErrorKind::Relocation {
            file: self.file.name.clone(),
            section: String::from_utf8_lossy(self.section.name).into_owned(),
            offset: u64::from(info.r_address),
            what: format!("{name} {what}"),
        };
        kind.into()
    }

    /// The edge of the relocation that begins with entry `index`; `None` if there is nothing to do.
    ///
    /// Errors: [`LinkErrorKind::Relocation`].
    pub fn edge(&self, index: u32) -> Result<Option<ObjectEdge>> {
        let entry = &self.entries[index as usize];
        let info = entry.info(LE);
        if info.r_address & macho::R_SCATTERED != 0 {
            return Err(self.error(&info, "is a scattered relocation, which this architecture does not use"));
        }
        let place = u64::from(info.r_address);
        let word = self.word(&info)?;
        let value = sign_extend(word, info.r_length);
        let edge = |kind, (symbol, addend): Place| {
            Ok(Some(ObjectEdge { offset: (place - self.piece.start) as u32, kind, symbol, addend, in_module: false }))
        };
        match self.macho.arch().translate(&info, word) {
            Translation::Pointer(kind) => {
                // Section 0 stands for no section: the pointer is absolute.
                if !info.r_extern && info.r_symbolnum == macho::R_ABS {
                    return Ok(None);
                }
                let target = self.pointer_target(&info, word, value)?;
                edge(
                    if self.is_thread_local_offset(target.0) { self.macho.arch().thread_local_offset() } else { kind },
                    target,
                )
            }
            Translation::Displacement { kind, end } => {
                let end = i64::from(end);
                let (symbol, offset) = if info.r_extern {
                    // What stands in the place is less by the bytes of the instruction behind it.
                    self.inside(self.symbol(&info)?, value.wrapping_add(end - DISPLACEMENT_SIZE))
                } else {
                    let from = self.section.address.wrapping_add(place).wrapping_add_signed(end);
                    self.place_in_section(&info, from.wrapping_add_signed(value))?
                };
                edge(kind, (symbol, offset.wrapping_sub(end)))
            }
            Translation::Symbol(kind, bias) => edge(kind, (self.symbol(&info)?, value.wrapping_add(bias))),
            Translation::Instruction(kind) => edge(kind, (self.symbol(&info)?, 0)),
            Translation::Addend => {
                let next = self.second(&info, index)?;
                let Translation::Instruction(kind) = self.macho.arch().translate(&next, self.word(&next)?) else {
                    return Err(self.error(&info, "stands before a relocation that takes no addend"));
                };
                edge(kind, self.inside(self.symbol(&next)?, sign_extend_24(info.r_symbolnum)))
            }
            Translation::Difference { delta, negative } => {
                let next = self.second(&info, index)?;
                let target = match self.macho.arch().translate(&next, word) {
                    Translation::Pointer(_) if next.r_length == info.r_length => {
                        self.pointer_target(&next, word, value)?
                    }
                    _ => {
                        return Err(self.error(&info, "stands before a relocation that nothing can be subtracted from"));
                    }
                };
                if self.section.typ == macho::S_INIT_FUNC_OFFSETS {
                    // Counted from the start of an image, of which there is none: the function is what matters.
                    return edge(delta, target);
                }
                let (kind, target) = self.difference(&info, (delta, negative), target)?;
                edge(kind, target)
            }
            Translation::Refused(why) => Err(self.error(&info, why)),
        }
    }

    /// The second entry of the pair that begins with entry `index`.
    fn second(&self, first: &RelocationInfo, index: u32) -> Result<RelocationInfo> {
        let next = self.entries.get(index as usize + 1).map(|entry| entry.info(LE));
        next.filter(|next| next.r_address == first.r_address)
            .ok_or_else(|| self.error(first, "is the first of a pair, whose second is missing"))
    }

    /// What stands in the place of `info`, which must lie in the piece.
    fn word(&self, info: &RelocationInfo) -> Result<u64> {
        let outside = || {
            let what = if self.section.content.is_empty() {
                "lies in a section without content".to_string()
            } else {
                let (start, end) = (self.piece.start, self.piece.start + self.piece.size);
                format!("does not lie in one piece of the section: this one has the bytes {start:#x} to {end:#x}")
            };
            self.error(info, &what)
        };
        let (start, size) = (u64::from(info.r_address), 1u64 << info.r_length);
        let end =
            start.checked_add(size).filter(|&end| end <= self.piece.start + self.piece.size).ok_or_else(outside)?;
        if start < self.piece.start || start - self.piece.start > u64::from(u32::MAX) {
            return Err(outside());
        }
        let bytes = self.section.content.get(start as usize..end as usize).ok_or_else(outside)?;
        Ok(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
    }

    /// The symbol that `info` names.
    fn symbol(&self, info: &RelocationInfo) -> Result<u32> {
        if !info.r_extern {
            return Err(self.error(info, "names a section, but needs a symbol"));
        }
        if info.r_symbolnum >= self.macho.section_symbol(0) {
            let what = format!("refers to symbol {}, which does not exist", info.r_symbolnum);
            return Err(self.error(info, &what));
        }
        Ok(info.r_symbolnum)
    }

    /// The target of a pointer: what stands in its place is `word`, or `value` with its sign extended.
    fn pointer_target(&self, info: &RelocationInfo, word: u64, value: i64) -> Result<Place> {
        if info.r_extern { Ok(self.inside(self.symbol(info)?, value)) } else { self.place_in_section(info, word) }
    }

    /// The place `offset` bytes behind `symbol`. The inside of a function of this file belongs to its body: the address of a label, not
    /// of something that may be reached through an entry point.
    fn inside(&self, symbol: u32, offset: i64) -> Place {
        let target = self.file.symbols.at(symbol as usize);
        match target.place {
            ObjectPlace::Section(section) if offset != 0 && target.kind == SymbolKind::Function => {
                (self.macho.section_symbol(section), offset.wrapping_add_unsigned(target.value))
            }
            _ => (symbol, offset),
        }
    }

    /// The place of `address` of the file, in the section that `info` names.
    fn place_in_section(&self, info: &RelocationInfo, address: u64) -> Result<Place> {
        let section = (info.r_symbolnum as usize).checked_sub(1).and_then(|index| self.macho.section(index));
        let section = section.ok_or_else(|| {
            let what = format!("refers to section {}, which does not exist", info.r_symbolnum);
            self.error(info, &what)
        })?;
        let (piece, offset) = self.macho.piece_at(section, address.wrapping_sub(section.address) as i64);
        Ok((self.macho.section_symbol(piece), offset))
    }

    /// The kind and target of an edge for `target` minus the symbol of `info`: one of the two must be in the piece, so that the
    /// other alone is to be found out.
    fn difference(
        &self,
        info: &RelocationInfo,
        (delta, negative): (EdgeKind, EdgeKind),
        (target, addend): Place,
    ) -> Result<(EdgeKind, Place)> {
        let subtrahend = self.symbol(info)?;
        let place = (u64::from(info.r_address) - self.piece.start) as i64;
        let in_piece = |symbol: u32| {
            let symbol = self.file.symbols.at(symbol as usize);
            let own = symbol.place == ObjectPlace::Section(self.own_piece());
            own.then_some(symbol.value as i64)
        };
        if let Some(offset) = in_piece(subtrahend) {
            return Ok((delta, (target, addend.wrapping_add(place).wrapping_sub(offset))));
        }
        if let Some(offset) = in_piece(target) {
            return Ok((negative, (subtrahend, addend.wrapping_add(offset).wrapping_sub(place))));
        }
        Err(self
            .error(info, "subtracts two symbols that are both in other pieces of the program than the place itself"))
    }

    /// The piece as an index into [`ObjectFile::sections`].
    fn own_piece(&self) -> u32 {
        self.macho.piece_at(self.section, self.piece.start as i64).0
    }

    /// Whether a pointer in this section to `symbol` is that of a thread-local variable's descriptor to its initial value.
    fn is_thread_local_offset(&self, symbol: u32) -> bool {
        let is_thread_local = |section: u32| self.file.sections.at(section as usize).kind == SectionKind::ThreadLocal;
        self.section.typ == macho::S_THREAD_LOCAL_VARIABLES
            && matches!(self.file.symbols.at(symbol as usize).place, ObjectPlace::Section(s) if is_thread_local(s))
    }
}

fn sign_extend(word: u64, length_log: u8) -> i64 {
    let unused = 64 - (8u32 << length_log);
    (word << unused) as i64 >> unused
}

fn sign_extend_24(value: u32) -> i64 {
    i64::from((value << 8) as i32 >> 8)
}
