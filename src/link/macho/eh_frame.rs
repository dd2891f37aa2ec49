//! `__TEXT,__eh_frame`: DWARF call frame records, of which the assembler has filled in some pointers.
//!
//! The records are those of other formats, but a pointer to code of the same file may lack a relocation: the distance between two
//! sections of a file is a constant until the file is linked piece by piece. Which pointers a record has, and how they are written, its
//! common information entry says (LSB Core 5.0, 10.6.1.1.1); every one without a relocation gets an edge here.
//!
//! A relocation may name a weak function that the program takes from another file. The record still describes this file's code,
//! so it refers to the place, not to the symbol.

use super::edges::MachO;
use crate::link::edge::EdgeClass;
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{CallFrames, ObjectEdge, ObjectFile, ObjectFormat};
use rustc_hash::FxHashMap;

/// `DW_EH_PE_omit`: there is no pointer.
const OMIT: u8 = 0xff;
/// `DW_EH_PE_pcrel`, and the bits it is one value of.
const PC_RELATIVE: u8 = 0x10;
const APPLICATION: u8 = 0x70;

/// How the pointers of the records of one common information entry are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Encodings {
    /// Addresses of code.
    code: u8,
    /// Language-specific data areas.
    data: u8,
    /// Whether frame description entries have augmentation data, with its length in front.
    sized: bool,
}

/// The call frame records of section `index` of `file`, which is an `__eh_frame`.
pub(super) fn call_frames(macho: &MachO, file: &ObjectFile, index: u32) -> Result<CallFrames> {
    let mut edges = Vec::new();
    macho.edges(file, index, &mut edges)?;
    for edge in &mut edges {
        if macho.class(edge.kind) == EdgeClass::Address {
            (edge.symbol, edge.addend) = macho.local_target(file, edge);
        }
    }
    let mut walk =
        Walk { macho, file, index, content: file.sections.at(index as usize).content, edges, added: Vec::new() };
    let ids = walk.records()?;
    let Walk { content, mut edges, added, .. } = walk;
    let mut frames = CallFrames { content: content.into(), edges: Vec::new() };
    for (offset, id) in ids {
        edges.retain(|edge| edge.offset != offset);
        frames.content.to_mut()[offset as usize..offset as usize + 4].copy_from_slice(&id.to_le_bytes());
    }
    frames.edges = edges;
    if !added.is_empty() {
        frames.edges.extend(added);
        frames.edges.sort_by_key(|edge| edge.offset);
    }
    Ok(frames)
}

struct Walk<'a> {
    macho: &'a MachO,
    file: &'a ObjectFile,
    index: u32,
    content: &'static [u8],
    /// Those of relocations, ascending by offset.
    edges: Vec<ObjectEdge>,
    /// Those of pointers without relocations.
    added: Vec<ObjectEdge>,
}

impl Walk<'_> {
    /// Visits all records; returns offset and value of the ids that relocations compute. Where records are damaged the walk ends: who
    /// takes them apart later reports that.
    fn records(&mut self) -> Result<Vec<(u32, u32)>> {
        let mut cies: FxHashMap<usize, Option<Encodings>> = FxHashMap::default();
        let mut ids = Vec::new();
        let mut at = 0;
        while let Some(length) = self.word(at) {
            let end = at.saturating_add(4).saturating_add(length as usize);
            if length < 8 || end > self.content.len() {
                break;
            }
            let mut id = self.word(at + 4).unwrap_or(0);
            let own = self.macho.section_symbol(self.index);
            if let Some(edge) = self.edge_at(at + 4).filter(|edge| edge.symbol == own) {
                // Both ends are in this section, so the distance is known.
                id = (edge.addend.wrapping_sub(at as i64 + 4)) as u32;
                ids.push((at as u32 + 4, id));
            }
            if id == 0 {
                let encodings = self.cie(at, end)?;
                cies.insert(at, encodings);
            } else if let Some(Some(encodings)) = (at + 4).checked_sub(id as usize).and_then(|cie| cies.get(&cie)) {
                self.fde(at, end, *encodings)?;
            }
            at = end;
        }
        Ok(ids)
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.content.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn edge_at(&self, at: usize) -> Option<&ObjectEdge> {
        let index = self.edges.partition_point(|edge| (edge.offset as usize) < at);
        self.edges.get(index).filter(|edge| edge.offset as usize == at)
    }

    /// What the common information entry at `at..end` says of the pointers of its records; `None` if it cannot be told.
    fn cie(&mut self, at: usize, end: usize) -> Result<Option<Encodings>> {
        let mut encodings = Encodings { code: 0, data: OMIT, sized: false };
        let mut cursor = Cursor { content: &self.content[..end], at: at + 8 };
        let mut personality = None;
        let mut parse = || {
            let version = cursor.byte()?;
            let augmentation = cursor.string()?;
            cursor.leb128()?;
            cursor.leb128()?;
            if version == 1 {
                cursor.byte()?;
            } else {
                cursor.leb128()?;
            }
            for &letter in augmentation {
                match letter {
                    b'z' => {
                        cursor.leb128()?;
                        encodings.sized = true;
                    }
                    b'R' => encodings.code = cursor.byte()?,
                    b'L' => encodings.data = cursor.byte()?,
                    b'P' => {
                        let encoding = cursor.byte()?;
                        personality = Some((cursor.at, encoding));
                        cursor.at = cursor.at.checked_add(pointer_size(encoding)?)?;
                    }
                    b'S' | b'B' => {}
                    _ => return None,
                }
            }
            Some(encodings)
        };
        let parsed = parse();
        if let Some((at, encoding)) = personality {
            self.pointer(at, end, encoding)?;
        }
        Ok(parsed)
    }

    /// Sees to the pointers of the frame description entry at `at..end`.
    fn fde(&mut self, at: usize, end: usize, encodings: Encodings) -> Result<()> {
        let Some(size) = pointer_size(encodings.code) else { return Ok(()) };
        self.pointer(at + 8, end, encodings.code)?;
        if encodings.data != OMIT && encodings.sized {
            let mut cursor = Cursor { content: &self.content[..end], at: at + 8 + 2 * size };
            if cursor.leb128().is_some_and(|length| length != 0) {
                self.pointer(cursor.at, end, encodings.data)?;
            }
        }
        Ok(())
    }

    /// Adds an edge for the pointer at `at`, written as `encoding` says, if it counts from its own place and has no relocation.
    fn pointer(&mut self, at: usize, end: usize, encoding: u8) -> Result<()> {
        let Some(size) = pointer_size(encoding) else { return Ok(()) };
        if encoding & APPLICATION != PC_RELATIVE || self.edge_at(at).is_some() {
            return Ok(());
        }
        let bytes = at.checked_add(size).filter(|&last| last <= end).and_then(|last| self.content.get(at..last));
        let Some(bytes) = bytes else { return Ok(()) };
        let value = match *bytes {
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => return Ok(()),
        };
        if value == 0 {
            // No language-specific data.
            return Ok(());
        }
        let address = self.macho.address_of(self.index).wrapping_add(at as u64).wrapping_add_signed(value);
        let (Some((symbol, addend)), Some(kind)) = (self.macho.place_of(address), self.macho.pc_relative(size)) else {
            let section = self.file.sections.at(self.index as usize).name;
            let what = format_args!("No symbol or block covering address {address:#x}");
            return Err(LinkError::call_frame(&self.file.name, section, at, what));
        };
        self.added.push(ObjectEdge { offset: at as u32, kind, symbol, addend, in_module: false });
        Ok(())
    }
}

/// How many bytes a pointer written as `encoding` says has; `None` if that is not fixed or not known.
fn pointer_size(encoding: u8) -> Option<usize> {
    match encoding & 0x0f {
        0x00 | 0x04 | 0x0c => Some(8),
        0x03 | 0x0b => Some(4),
        _ => None,
    }
}

/// A place in bytes that are read one after another; `None` at their end.
struct Cursor<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.content.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// The bytes up to a zero, which is skipped.
    fn string(&mut self) -> Option<&'a [u8]> {
        let rest = self.content.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == 0)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// The low 64 bits of a number in LEB128.
    fn leb128(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0u64, 0u32);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift = shift.saturating_add(7);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }
}
