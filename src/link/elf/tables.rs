//! The tables of an ELF file, copied without the rest of it.

use crate::link::file_view::{FileView, Piece};
use object::LittleEndian as LE;
use object::elf;
use object::pod;
use object::read::elf::{FileHeader, SectionHeader};
use std::ops::Range;

type Header = elf::FileHeader64<LE>;
type Section = elf::SectionHeader64<LE>;

/// How many bytes are read at first: the file's header, and some groups, which compilers put behind it. All, if there are not more.
const START: usize = 1024;

/// Between two tables: up to so many bytes cost less than another request.
const GAP: usize = 2048;

/// Copies of the tables of one file; used again for others, one after another.
#[derive(Debug, Default)]
pub struct TableCopies {
    bytes: Vec<u8>,
    /// How many of those there are.
    length: usize,
    pieces: Vec<Piece>,
    /// The tables: which section, and where in the file.
    tables: Vec<(usize, Range<usize>)>,
}

/// Copies what is at an offset of the file; says whether it could.
pub type ReadAt<'a> = &'a dyn Fn(&mut [u8], usize) -> bool;

impl TableCopies {
    /// Copies what [`super::read`] looks at of an ELF file of `length` bytes, and its first relocations, of code if there are any: about as many as
    /// `relocations`. In the copies, the offsets of tables of symbols, strings and groups are those in the copies; all others are those in the file.
    ///
    /// `false` if something is in the way, for instance a damaged file: that has to be looked at itself.
    pub fn read(&mut self, length: usize, relocations: usize, read_at: ReadAt<'_>) -> bool {
        self.length = 0;
        self.pieces.clear();
        self.tables.clear();
        self.copy_tables(length, relocations, read_at).is_some()
    }

    /// `file`, whose tables have been read, to be looked at through the copies.
    pub fn view(&self, file: &'static [u8]) -> FileView<'_> {
        FileView::through(&self.bytes[..self.length], &self.pieces, file)
    }

    fn copy_tables(&mut self, length: usize, relocations: usize, read_at: ReadAt<'_>) -> Option<()> {
        self.copy(0..START.min(length), read_at)?;
        super::read::target_of(&self.bytes[..self.length])?;
        if length <= START {
            return Some(());
        }
        let (header, _) = pod::from_bytes_mut::<Header>(&mut self.bytes).ok()?;
        // A file of more sections than the header can count says how many it has in the first one.
        let count = Some(usize::from(header.e_shnum(LE))).filter(|&count| count > 0)?;
        if usize::from(header.e_shentsize(LE)) != size_of::<Section>() {
            return None;
        }
        let names = usize::from(header.e_shstrndx.get(LE).0);
        let start = usize::try_from(header.e_shoff(LE)).ok()?;
        let headers = start..start.checked_add(count * size_of::<Section>()).filter(|&end| end <= length)?;
        header.e_shoff.set(LE, START as u64);
        self.copy(headers, read_at)?;
        let (sections, _) = pod::slice_from_bytes::<Section>(&self.bytes[START..], count).ok()?;
        // What is used as a table has to be nothing else.
        let strings =
            sections.iter().filter(|section| section.sh_type(LE) == elf::SHT_SYMTAB).map(|s| s.sh_link(LE) as usize);
        let are_strings =
            |index: usize| sections.get(index).is_some_and(|section| section.sh_type(LE) == elf::SHT_STRTAB);
        if !strings.chain([names]).all(are_strings) {
            return None;
        }
        self.tables.extend(sections.iter().enumerate().filter_map(|(index, section)| Some((index, table(section)?))));
        let mut ranges: Vec<Range<usize>> =
            self.tables.iter().map(|(_, range)| range.clone()).filter(|range| range.end > START).collect();
        ranges.extend(first_relocations(sections, relocations));
        for range in joined(ranges) {
            self.copy(range.start..range.end.min(length), read_at)?;
        }
        let (sections, _) = pod::slice_from_bytes_mut::<Section>(&mut self.bytes[START..], count).ok()?;
        for (index, range) in self.tables.drain(..) {
            let is_in = |piece: &&Piece| piece.range.start <= range.start && range.end <= piece.range.end;
            // What is in the first bytes is where it was.
            let piece = self.pieces.iter().find(is_in)?;
            sections[index].sh_offset.set(LE, (piece.copy + range.start - piece.range.start) as u64);
        }
        // Names are looked for most often.
        self.pieces.rotate_left(2);
        Some(())
    }

    /// Adds a copy of `range` of the file.
    fn copy(&mut self, range: Range<usize>, read_at: ReadAt<'_>) -> Option<()> {
        let (copy, end) = (self.length, self.length + range.len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.length = end;
        let read = read_at(&mut self.bytes[copy..end], range.start);
        self.pieces.push(Piece { range, copy });
        read.then_some(())
    }
}

/// Where in the file the table is whose header is `section`, if it is a table of symbols, strings or groups and not empty.
fn table(section: &Section) -> Option<Range<usize>> {
    let is_table =
        matches!(section.sh_type(LE), elf::SHT_SYMTAB | elf::SHT_STRTAB | elf::SHT_SYMTAB_SHNDX | elf::SHT_GROUP);
    is_table.then(|| range(section)).flatten()
}

/// Where in the file the content of `section` is, if it is not empty. What leaves all addresses leaves the file as well.
fn range(section: &Section) -> Option<Range<usize>> {
    let start = usize::try_from(section.sh_offset(LE)).ok()?;
    let end = start.saturating_add(usize::try_from(section.sh_size(LE)).ok()?);
    (end > start).then_some(start..end)
}

/// Where `count` relocations are from the first ones of code on, or of anything if there is no code: tables follow each other.
fn first_relocations(sections: &[Section], count: usize) -> Option<Range<usize>> {
    let mut tables = sections.iter().filter(|section| section.sh_type(LE) == elf::SHT_RELA);
    let applies_to = |table: &Section| sections.get(table.sh_info(LE) as usize);
    let is_of_code =
        |table: &&Section| applies_to(table).is_some_and(|to| to.sh_flags(LE).0 & elf::SHF_EXECINSTR.0 != 0);
    let first = tables.clone().find(is_of_code).or_else(|| tables.next())?;
    let start = range(first)?.start;
    Some(start..start.saturating_add(count * size_of::<elf::Rela64<LE>>()))
}

/// The `ranges` in their order, neighbours joined.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let is_near = next.start <= last.end.saturating_add(GAP);
        if is_near {
            last.end = last.end.max(next.end);
        }
        is_near
    });
    ranges
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
