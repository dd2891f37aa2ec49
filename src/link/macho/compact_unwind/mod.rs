//! `__LD,__compact_unwind`: one record of 32 bytes for each function (`<mach-o/compact_unwind_encoding.h>`).
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | the function's address |
//! | 8 | 4 | its length |
//! | 12 | 4 | the encoding: how the caller's registers are found, in the architecture's own words |
//! | 16 | 8 | its personality, or 0 |
//! | 24 | 8 | its language-specific data area, or 0 |
//!
//! An encoding holds at every call of the function, not in its prologue; that is all exceptions need. A function whose frame has no
//! encoding has one that says so, and a record in `__eh_frame`. Compilers leave those records out for all other
//! functions (arm64), or write both (x86-64).
//!
//! Unwinders of processes that are not Apple's know DWARF only, and those that are take it too, so each encoding becomes
//! a DWARF frame description entry, unless `__eh_frame` describes the function already: that is the more precise record.

pub mod aarch64;
#[cfg(test)]
mod tests;
pub mod x86_64;

use super::edges::MachO;
use super::eh_frame;
use crate::link::error::{LinkError, Result};
use crate::link::object_file::{CallFrames, ObjectEdge, ObjectFile, ObjectFormat, ObjectPlace, SectionKind};
use rustc_hash::FxHashMap;

/// Size of a record, and where its fields are.
const RECORD: usize = 32;
const LENGTH: usize = 8;
const ENCODING: usize = 12;
const PERSONALITY: u32 = 16;
const DATA: u32 = 24;

/// What JITLink's `__unwind_info` counts from, if a file defines it. Nothing counts from it here; but a file whose code cannot be
/// described that way is an error as it is there.
const BASE: &[u8] = b"__jitlink$libunwind_dso_base";
/// No code is above this in any process.
const HIGHEST_CODE: u64 = 1 << 56;

/// What an encoding says about a function's frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallFrame {
    /// Nothing: the function cannot be unwound.
    Unknown,
    /// `__eh_frame` describes it.
    InEhFrame,
    /// The rules for the caller's registers, as DWARF call frame instructions on top of the architecture's initial ones.
    Rules(Vec<u8>),
    /// The encoding cannot be used, and why.
    Invalid(&'static str),
}

/// What an architecture adds to a common information entry.
#[derive(Clone, Copy, Debug)]
pub struct CommonEntry {
    /// The DWARF number of the return address's register.
    pub return_address: u8,
    /// Call frame instructions in front of those of every frame.
    pub rules: &'static [u8],
}

/// Call frame instructions (DWARF 5, 6.4.2), with numbers below 64 for registers and below 128 for small offsets.
pub(super) mod cfa {
    /// `DW_CFA_def_cfa`: register, offset.
    pub const DEF_CFA: u8 = 0x0c;
    /// `DW_CFA_offset`, with the register in its low six bits: offset, divided by the data alignment.
    pub const OFFSET: u8 = 0x80;
    /// `DW_CFA_offset_extended`: register, offset, divided by the data alignment.
    pub const OFFSET_EXTENDED: u8 = 0x05;

    /// Appends `value` as unsigned LEB128.
    pub fn leb128(mut value: u64, rules: &mut Vec<u8>) {
        while value >= 0x80 {
            rules.push(value as u8 | 0x80);
            value >>= 7;
        }
        rules.push(value as u8);
    }

    /// Says that the frame's address is `register` plus `offset` bytes.
    pub fn define(register: u8, offset: u64, rules: &mut Vec<u8>) {
        rules.extend([DEF_CFA, register]);
        leb128(offset, rules);
    }

    /// Says that `register` is saved `words` words of 8 bytes below the frame's address.
    pub fn saved(register: u8, words: u64, rules: &mut Vec<u8>) {
        if register < 0x40 {
            rules.push(OFFSET | register);
        } else {
            rules.extend([OFFSET_EXTENDED, register]);
        }
        leb128(words, rules);
    }
}

/// The frames that section `index` of `file`, a `__compact_unwind`, describes and `__eh_frame` does not, as DWARF records.
pub(super) fn call_frames(macho: &MachO, file: &ObjectFile, index: u32) -> Result<CallFrames> {
    let mut edges = Vec::new();
    macho.edges(file, index, &mut edges)?;
    let content = file.sections.at(index as usize).content;
    let malformed = |record: usize, what: &str| {
        let section = String::from_utf8_lossy(file.sections.at(index as usize).name);
        LinkError::malformed(&file.name, format_args!("section {section}, offset {:#x}", record * RECORD), what)
    };
    if !content.len().is_multiple_of(RECORD) {
        return Err(malformed(content.len() / RECORD, "the section ends inside a record"));
    }
    if let Some(base) = file.symbols.iter().find(|symbol| symbol.name == BASE && symbol.place == ObjectPlace::Absolute)
        && base.value > HIGHEST_CODE
        && !content.is_empty()
    {
        let what = format_args!("delta to end of functions exceeds 32 bits: they count from {:#x}", base.value);
        return Err(LinkError::malformed(&file.name, "__TEXT,__unwind_info", what));
    }
    let described = described(macho, file)?;
    let mut writer = Writer { macho, frames: CallFrames::default(), common: FxHashMap::default() };
    let mut edges = edges.iter().peekable();
    for (number, record) in content.chunks_exact(RECORD).enumerate() {
        let start = (number * RECORD) as u32;
        let (mut function, mut personality, mut data) = (None, None, None);
        while let Some(edge) = edges.next_if(|edge| (edge.offset as usize) < (number + 1) * RECORD) {
            match edge.offset - start {
                0 => function = Some(edge),
                PERSONALITY => personality = Some(edge),
                DATA => data = Some(edge),
                _ => return Err(malformed(number, "a relocation is at no address of the record")),
            }
        }
        // Code that another linker has thrown away leaves a record without its address.
        let Some(function) = function else { continue };
        let place = macho.defined_place(file, function);
        let (section, offset) = place.ok_or_else(|| malformed(number, "the record's function is not in the file"))?;
        let word = |at: usize| record[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let code = usize::try_from(offset).ok().and_then(|at| file.sections.at(section as usize).content.get(at..));
        match macho.arch().call_frame(word(ENCODING), code.unwrap_or_default()) {
            _ if described.binary_search(&(section, offset)).is_ok() => {}
            CallFrame::Unknown | CallFrame::InEhFrame => {}
            CallFrame::Invalid(why) => return Err(malformed(number, why)),
            CallFrame::Rules(rules) => writer.frame(
                (macho.section_symbol(section), offset),
                word(LENGTH),
                &rules,
                personality,
                data.map(|edge| macho.local_target(file, edge)),
            ),
        }
    }
    Ok(writer.frames)
}

/// Section and offset of the code that `__eh_frame` describes, ascending.
fn described(macho: &MachO, file: &ObjectFile) -> Result<Vec<(u32, i64)>> {
    let mut places = Vec::new();
    for (index, section) in file.sections.iter().enumerate() {
        if section.kind == SectionKind::Unwind && section.name.ends_with(b",__eh_frame") {
            eh_frame::call_frames(macho, file, index as u32)?.edges.iter().for_each(|edge| {
                if let ObjectPlace::Section(section) = file.symbols.at(edge.symbol as usize).place {
                    places.push((section, edge.addend));
                }
            });
        }
    }
    places.sort_unstable();
    Ok(places)
}

/// Writes DWARF records.
struct Writer<'a> {
    macho: &'a MachO,
    frames: CallFrames,
    /// Where the common information entry for a personality is, with or without language-specific data.
    common: FxHashMap<(Option<(u32, i64)>, bool), usize>,
}

/// `DW_EH_PE_pcrel | DW_EH_PE_absptr`: 8 bytes that count from their place.
const POINTER: u8 = 0x10;
/// Data alignment of -8, in LEB128.
const DATA_ALIGN: u8 = 0x78;

impl Writer<'_> {
    /// The `CallFrames` content, writable.
    fn bytes(&mut self) -> &mut Vec<u8> {
        self.frames.content.to_mut()
    }

    /// Appends a pointer to `target`.
    fn pointer(&mut self, (symbol, addend): (u32, i64)) {
        let offset = self.bytes().len() as u32;
        if let Some(kind) = self.macho.pc_relative(8) {
            self.frames.edges.push(ObjectEdge { offset, kind, symbol, addend, in_module: false });
        }
        self.bytes().extend([0; 8]);
    }

    /// Fills the record that began at `start` up to whole words of 8 bytes, and writes its length.
    fn finish(&mut self, start: usize) {
        let bytes = self.bytes();
        let end = bytes.len().next_multiple_of(8);
        bytes.resize(end, 0);
        let length = (end - start - 4) as u32;
        bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// The common information entry for frames of `personality`, with language-specific data or without, written on first use.
    fn common(&mut self, personality: Option<(u32, i64)>, has_data: bool) -> usize {
        if let Some(&at) = self.common.get(&(personality, has_data)) {
            return at;
        }
        let CommonEntry { return_address, rules } = self.macho.arch().common_entry();
        let at = self.bytes().len();
        // Length, id 0, version 1, and the augmentation: what the bytes of its data are, in order.
        self.bytes().extend([0, 0, 0, 0, 0, 0, 0, 0, 1, b'z']);
        self.bytes().extend(personality.map(|_| b'P'));
        self.bytes().extend(has_data.then_some(b'L'));
        self.bytes().extend([b'R', 0, 1, DATA_ALIGN, return_address]);
        let size = if personality.is_some() { 9 } else { 0 } + u8::from(has_data) + 1;
        self.bytes().push(size);
        if let Some(personality) = personality {
            self.bytes().push(POINTER);
            self.pointer(personality);
        }
        self.bytes().extend(has_data.then_some(POINTER));
        self.bytes().push(POINTER);
        self.bytes().extend(rules);
        self.finish(at);
        self.common.insert((personality, has_data), at);
        at
    }

    /// Appends the record of a function of `length` bytes.
    fn frame(
        &mut self,
        function: (u32, i64),
        length: u32,
        rules: &[u8],
        personality: Option<&ObjectEdge>,
        data: Option<(u32, i64)>,
    ) {
        let common = self.common(personality.map(|edge| (edge.symbol, edge.addend)), data.is_some());
        let at = self.bytes().len();
        self.bytes().extend([0; 4]);
        let id = (at + 4 - common) as u32;
        self.bytes().extend(id.to_le_bytes());
        self.pointer(function);
        self.bytes().extend(u64::from(length).to_le_bytes());
        self.bytes().push(if data.is_some() { 8 } else { 0 });
        if let Some(data) = data {
            self.pointer(data);
        }
        self.bytes().extend(rules);
        self.finish(at);
    }
}
