//! Call frame records: DWARF's `.eh_frame` (LSB Core 5.0, 10.6.1), split record by record.
//!
//! An `.eh_frame` section is a row of records: a 4-byte length, a 4-byte id, contents. A common information entry (CIE) has
//! id 0; a frame description entry (FDE) has as id the distance back to its CIE, then the address of the code it describes,
//! always a relocation in an object file. A frame is linked exactly when the section with its code is; its CIE comes with it,
//! once per graph. What a frame refers to in turn (the language-specific data area, the personality) is linked with it too.
//!
//! Formats that describe frames in another way, or leave relocations out, bring theirs to this form ([`ObjectFormat::call_frames`]).
//!
//! [`ObjectFormat::call_frames`]: super::object_file::ObjectFormat::call_frames

use super::error::{LinkError, Result};
use super::object_file::{CallFrames, ObjectEdge, ObjectFile, ObjectPlace, SectionKind};
use rustc_hash::FxHashMap;

/// The unwind sections of one file, indexed by the code they describe.
#[derive(Debug, Default)]
pub struct UnwindTables {
    /// One for each unwind section.
    sections: Vec<CallFrames>,
    /// Ascending by code section.
    frames: Vec<UnwindFrame>,
    /// For each section how many frames describe code of sections before it, and behind the last how many there are.
    before: Vec<u32>,
}

/// One frame description entry and the common entry it builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnwindFrame {
    /// The section whose code it describes.
    pub code_section: u32,
    /// Which of the file's unwind sections it is in: an index into the tables, not a section index.
    table: u32,
    record: Record,
    cie: Record,
}

/// Offset and length in bytes of a record in its section, length field included, and the first of the section's relocations that are not
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    offset: u32,
    size: u32,
    first_edge: u32,
}

impl UnwindTables {
    /// Reads the unwind sections of `file` with their relocations.
    ///
    /// Errors: [`crate::link::LinkErrorKind::Malformed`] with section and offset of the damaged record.
    pub fn read(file: &ObjectFile) -> Result<UnwindTables> {
        let mut tables = UnwindTables::default();
        for (index, section) in file.sections.iter().enumerate() {
            if section.kind == SectionKind::Unwind {
                tables.add_section(file, index as u32)?;
            }
        }
        tables.frames.sort_by_key(|f| f.code_section);
        tables.count(file.sections.len());
        Ok(tables)
    }

    /// The frames that describe code of section `code_section`.
    pub fn frames_of(&self, code_section: u32) -> &[UnwindFrame] {
        match self.before.get(code_section as usize..) {
            Some([start, end, ..]) => &self.frames[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// The bytes of `frame`.
    pub fn record(&self, frame: &UnwindFrame) -> &[u8] {
        let Record { offset, size, .. } = frame.record;
        self.sections[frame.table as usize].content.get(offset as usize..(offset + size) as usize).unwrap_or_default()
    }

    /// Counts the frames of each of `sections` sections.
    fn count(&mut self, sections: usize) {
        self.before = vec![0; sections + 1];
        for frame in &self.frames {
            self.before[frame.code_section as usize + 1] += 1;
        }
        for section in 0..sections {
            self.before[section + 1] += self.before[section];
        }
    }

    fn add_section(&mut self, file: &ObjectFile, index: u32) -> Result<()> {
        let section = file.sections.at(index as usize);
        let records = file.format.call_frames(file, index)?;
        let content = &records.content;
        let error = |offset: usize, what: &str| {
            let name = String::from_utf8_lossy(section.name);
            LinkError::malformed(&file.name, format_args!("section {name}, offset {offset:#x}"), what)
        };
        if content.len() > u32::MAX as usize {
            return Err(error(0, "unwind section of more than 4 GiB"));
        }
        let word = |at: usize| content.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let table = self.sections.len() as u32;
        let mut cies: FxHashMap<u32, Record> = FxHashMap::default();
        let mut edges = 0;
        let mut at = 0;
        while at < content.len() {
            let length = word(at).ok_or_else(|| error(at, "the section ends inside an unwind record"))?;
            if length == 0 {
                // A terminator: what follows would never be seen by an unwinder.
                break;
            }
            if length == u32::MAX {
                return Err(error(
                    at,
                    "unwind records in 64-bit DWARF format are not supported; compile without -gdwarf64",
                ));
            }
            let size = u64::from(length) + 4;
            // Hand-written tables have records of any length; unwinders read them unaligned.
            if length < 8 || at as u64 + size > content.len() as u64 {
                return Err(error(at, "the length of the unwind record does not fit the section"));
            }
            edges += records.edges[edges..].iter().take_while(|edge| (edge.offset as usize) < at).count();
            let record = Record { offset: at as u32, size: size as u32, first_edge: edges as u32 };
            let id = word(at + 4).unwrap_or(0);
            if id == 0 {
                cies.insert(record.offset, record);
            } else {
                let cie = (record.offset + 4).checked_sub(id).and_then(|at| cies.get(&at));
                let cie = *cie.ok_or_else(|| {
                    let address = (at as u64 + 4).wrapping_sub(id.into());
                    let what = format_args!("No CIE found at address {address:#x} of the section");
                    LinkError::call_frame(&file.name, section.name, at, what)
                })?;
                if let Some(code_section) = code_section(file, &records.edges[edges..], record.offset + 8) {
                    self.frames.push(UnwindFrame { code_section, table, record, cie });
                }
            }
            at += size as usize;
        }
        self.sections.push(records);
        Ok(())
    }
}

/// The section of the symbol that the relocation at `offset` refers to, which is one of the first of `edges`; `None` if there is no such
/// relocation, as in the frames that `ld -r` leaves of discarded code.
fn code_section(file: &ObjectFile, edges: &[ObjectEdge], offset: u32) -> Option<u32> {
    let edge = edges.iter().find(|e| e.offset >= offset).filter(|e| e.offset == offset)?;
    match file.symbols.at(edge.symbol as usize).place {
        ObjectPlace::Section(section) => Some(section),
        _ => None,
    }
}

/// The unwind records of one graph, as they are collected.
#[derive(Debug, Default)]
pub struct UnwindBuilder {
    /// The records, one behind another.
    pub bytes: Vec<u8>,
    /// Their relocations, ascending by offset in `bytes`.
    pub edges: Vec<ObjectEdge>,
    /// The common entry used last: its table and offset, and where it went. Mostly there is no other.
    cie: Option<((u32, u32), u32)>,
    /// Where the others went.
    other_cies: FxHashMap<(u32, u32), u32>,
}

/// Bytes and relocations that a function's records mostly need at most.
const USUAL_RECORDS: (usize, usize) = (128, 4);

impl UnwindBuilder {
    /// Forgets all records.
    pub fn clear(&mut self) {
        let UnwindBuilder { bytes, edges, cie, other_cies } = self;
        bytes.clear();
        edges.clear();
        *cie = None;
        other_cies.clear();
    }

    /// Appends `frame`, and its common entry if it is not there yet.
    ///
    /// `frame` must come from `tables`.
    pub fn add(&mut self, tables: &UnwindTables, frame: &UnwindFrame) {
        let section = &tables.sections[frame.table as usize];
        let key = (frame.table, frame.cie.offset);
        let cie = match self.cie {
            Some((last, at)) if last == key => at,
            _ => self.other_cie(section, frame.cie, key),
        };
        let at = self.copy(section, frame.record);
        let id = (at + 4 - cie).to_le_bytes();
        self.bytes[at as usize + 4..at as usize + 8].copy_from_slice(&id);
    }

    /// Where the common entry `cie`, which `key` stands for, is or goes; it is the last one used then.
    fn other_cie(&mut self, section: &CallFrames, cie: Record, key: (u32, u32)) -> u32 {
        if self.bytes.is_empty() {
            let (bytes, edges) = USUAL_RECORDS;
            self.bytes.reserve(bytes);
            self.edges.reserve(edges);
        }
        let known = self.other_cies.get(&key).copied();
        let at = known.unwrap_or_else(|| self.copy(section, cie));
        if let Some((last, last_at)) = self.cie.replace((key, at)) {
            self.other_cies.insert(last, last_at);
        }
        at
    }

    fn copy(&mut self, section: &CallFrames, record: Record) -> u32 {
        let at = self.bytes.len() as u32;
        let end = record.offset + record.size;
        self.bytes.extend_from_slice(&section.content[record.offset as usize..end as usize]);
        let odd = record.size % 4;
        if odd != 0 {
            // Records of all graphs of a batch stand in a row, and a gap would read as their end: a record of odd length is
            // filled up with zeroes, which are `DW_CFA_nop`.
            let padded = record.size - odd + 4;
            self.bytes.resize(at as usize + padded as usize, 0);
            self.bytes[at as usize..at as usize + 4].copy_from_slice(&(padded - 4).to_le_bytes());
        }
        for edge in section.edges[record.first_edge as usize..].iter().take_while(|e| e.offset < end) {
            self.edges.push(ObjectEdge { offset: edge.offset - record.offset + at, ..*edge });
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record of `length` bytes behind its length field, as a builder takes it over.
    fn copied(length: u32) -> Vec<u8> {
        let mut content = length.to_le_bytes().to_vec();
        content.resize(length as usize + 4, 7);
        let section = CallFrames { content: content.into(), edges: Vec::new() };
        let mut builder = UnwindBuilder::default();
        builder.copy(&section, Record { offset: 0, size: length + 4, first_edge: 0 });
        builder.bytes
    }

    #[test]
    fn records_are_filled_up_to_whole_words() {
        for length in 8..20u32 {
            let bytes = copied(length);
            let expected = length.next_multiple_of(4);
            assert_eq!(bytes.len() as u32, expected + 4, "{length}");
            assert_eq!(bytes[..4], expected.to_le_bytes(), "{length}");
            assert!(bytes[4..4 + length as usize].iter().all(|&b| b == 7), "{length}");
            assert!(bytes[4 + length as usize..].iter().all(|&b| b == 0), "{length}");
        }
    }
}
