//! Cutting sections into the pieces that are linked by themselves.

use super::read::{Data, File, Tables};
use super::sections::{Division, FileSection};
use crate::link::error::Result;
use crate::link::object_file::ObjectSection;
use crate::link::packed::ObjectSections;
use object::LittleEndian as LE;
use object::macho;
use object::read::macho::Nlist;

/// The pieces of all sections of a file, in their order.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// For each piece, which is an [`ObjectSection`] of the same index.
    pub pieces: Vec<Piece>,
    /// Section (from 0) and offset of every symbol that is in a section, ascending, each place once.
    places: Vec<(u32, u64)>,
    /// The pieces that are linked even if nothing refers to them, ascending: those with a symbol that says so, and all of sections
    /// that do.
    kept: Vec<u32>,
}

/// One piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Index into the file's sections, from 0.
    pub section: u32,
    /// Its start, in bytes from the section's.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl Split {
    /// Cuts up `sections`, whose pieces are entered there; with `subsections` also within sections.
    ///
    /// Errors: [`crate::link::LinkErrorKind::Malformed`] for symbols outside of the sections that they name.
    pub fn new(file: &File, tables: &Tables, sections: &mut [FileSection], subsections: bool) -> Result<Split> {
        let (mut cuts, mut kept) = (Vec::new(), Vec::new());
        let mut split = Split::default();
        for (index, symbol) in tables.symbols.iter().enumerate() {
            let n_type = symbol.n_type();
            if n_type.is_stab() || n_type.typ() != macho::N_SECT {
                continue;
            }
            let malformed = |what: std::fmt::Arguments<'_>| file.malformed(format_args!("symbol {index}"), what);
            let number = symbol.n_sect();
            let section = usize::from(number).checked_sub(1).and_then(|index| Some((index, sections.get(index)?)));
            let Some((section, header)) = section else {
                return Err(malformed(format_args!("it is in section {number}, which does not exist")));
            };
            let value = symbol.n_value(LE);
            if header.size == 0 && header.kind == crate::link::object_file::SectionKind::Unloaded {
                continue;
            }
            let Some(offset) = header.offset_of(value) else {
                return Err(malformed(format_args!(
                    "its address {value:#x} is outside of section {number}, which it is in"
                )));
            };
            split.places.push((section as u32, offset));
            let n_desc = symbol.n_desc(LE).0;
            if n_desc & macho::N_NO_DEAD_STRIP.0 != 0 {
                kept.push((section, offset));
            }
            if n_desc & macho::N_ALT_ENTRY.0 == 0 && header.division != Division::Whole {
                cuts.push((section as u32, offset));
            }
        }
        split.places.sort_unstable();
        split.places.dedup();
        cuts.sort_unstable();
        cuts.dedup();
        let mut rest = &cuts[..];
        for (index, section) in sections.iter_mut().enumerate() {
            let (own, others) = rest.split_at(rest.partition_point(|&(s, _)| s == index as u32));
            rest = others;
            let first = split.pieces.len() as u32;
            split.add(index as u32, section, if subsections { own } else { &[] }, subsections);
            section.pieces = first..split.pieces.len() as u32;
            if section.stays {
                split.kept.extend(section.pieces.clone());
            }
        }
        let with_symbols = kept.into_iter().map(|(section, at)| split.piece_at(&sections[section], at as i64).0);
        let with_symbols: Vec<u32> = with_symbols.collect();
        split.kept.extend(with_symbols);
        split.kept.sort_unstable();
        Ok(split)
    }

    /// Whether piece `piece` is linked even if nothing refers to it.
    pub fn must_stay(&self, piece: u32) -> bool {
        self.kept.binary_search(&piece).is_ok()
    }

    /// Adds the pieces of `section`, which is cut at `cuts`, and, if `literals`, between its literals.
    fn add(&mut self, index: u32, section: &FileSection, cuts: &[(u32, u64)], literals: bool) {
        let mut start = 0;
        let mut end_at = |end: u64| {
            if end > start && end < section.size {
                self.pieces.push(Piece { section: index, start, size: end - start });
                start = end;
            }
        };
        let mut cuts = cuts.iter().map(|&(_, offset)| offset).peekable();
        let mut literal_end = |end: u64| {
            while let Some(cut) = cuts.next_if(|&cut| cut <= end) {
                end_at(cut);
            }
            end_at(end);
        };
        match section.division {
            Division::Strings if literals => {
                let zeros = section.content.iter().enumerate().filter(|&(_, &byte)| byte == 0);
                zeros.for_each(|(at, _)| literal_end(at as u64 + 1));
            }
            Division::Literals(size) if literals => {
                (1..section.content.len() as u64 / size).for_each(|number| literal_end(number * size));
            }
            _ => {}
        }
        literal_end(section.size);
        self.pieces.push(Piece { section: index, start, size: section.size - start });
    }

    /// The sections of the file as others see them.
    pub fn sections(&self, data: Data, sections: &[FileSection]) -> ObjectSections {
        let section = |piece: &Piece| {
            let section = &sections[piece.section as usize];
            if section.typ == macho::S_INIT_FUNC_OFFSETS {
                return function_pointers(section);
            }
            let range = piece.start as usize..(piece.start + piece.size) as usize;
            ObjectSection {
                name: section.name,
                kind: section.kind,
                prot: section.prot,
                content: section.content.get(range).unwrap_or(&[]),
                size: piece.size,
                align: section.align,
                align_offset: ((section.address.wrapping_add(piece.start)) & (section.align - 1)) as u32,
                linked_to: None,
            }
        };
        ObjectSections::of(data, self.pieces.iter().map(section))
    }

    /// The piece that `offset` of `section` is in and where in it; what is beyond the section counts from
    /// its first or last piece.
    pub fn piece_at(&self, section: &FileSection, offset: i64) -> (u32, i64) {
        let pieces = &self.pieces[section.pieces.start as usize..section.pieces.end as usize];
        let behind = pieces.partition_point(|piece| piece.start as i64 <= offset);
        let index = behind.saturating_sub(1);
        let start = pieces.get(index).map_or(0, |piece| piece.start as i64);
        (section.pieces.start + index as u32, offset.wrapping_sub(start))
    }

    /// How far it is from offset `offset` of section `section` to the next symbol or the end of the piece.
    pub fn distance_to_next(&self, section: u32, offset: u64, piece_end: u64) -> u64 {
        let next = self.places.partition_point(|&place| place <= (section, offset));
        let next = self.places.get(next).filter(|&&(s, _)| s == section).map_or(piece_end, |&(_, at)| at);
        next.min(piece_end).saturating_sub(offset)
    }
}

/// What `section`, a row of 32-bit offsets of initializers, is to others: a row of pointers to them.
fn function_pointers(section: &FileSection) -> ObjectSection {
    let size = section.size.saturating_mul(2);
    ObjectSection {
        name: section.name,
        kind: section.kind,
        prot: section.prot,
        // As long as the mapped file, which could not be borrowed from.
        content: vec![0; section.content.len() * 2].leak(),
        size,
        align: 8,
        align_offset: 0,
        linked_to: None,
    }
}
