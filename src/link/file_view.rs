//! A file as the readers of its tables look at it.
//!
//! Who looks at the symbols of a big program's files brings most pages of those files into memory, few of which are looked at again if little is linked.
//! So tables can be read from copies, which need not last: what is kept of a file refers to the file itself.

use std::ops::Range;

/// The bytes of a file, and where to look at them: there, or in a copy of some parts.
#[derive(Clone, Copy, Debug)]
pub struct FileView<'a> {
    file: &'static [u8],
    bytes: &'a [u8],
    /// The piece that most names are in: where it begins, here and there, and its size. The file itself is one.
    first: Place,
    /// None if `bytes` are those of the file.
    pieces: &'a [Piece],
}

/// Where a piece is.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: usize,
    copy: usize,
    size: usize,
}

/// A part of a file that has been copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it is in the file, in bytes.
    pub range: Range<usize>,
    /// Where its copy begins, in bytes.
    pub copy: usize,
}

impl Piece {
    fn place(&self) -> Place {
        Place { file: self.range.start, copy: self.copy, size: self.range.len() }
    }
}

impl FileView<'static> {
    /// `file` itself.
    pub fn of(file: &'static [u8]) -> FileView<'static> {
        FileView { file, bytes: file, first: Place { file: 0, copy: 0, size: file.len() }, pieces: &[] }
    }
}

impl<'a> FileView<'a> {
    /// `file`, of which `pieces`, one or more, are in `copies`.
    pub fn through(copies: &'a [u8], pieces: &'a [Piece], file: &'static [u8]) -> FileView<'a> {
        let first = pieces.first().map_or(Place { file: 0, copy: 0, size: 0 }, Piece::place);
        FileView { file, bytes: copies, first, pieces }
    }

    /// What to look at.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What to keep.
    pub fn file(&self) -> &'static [u8] {
        self.file
    }

    /// Whether the two are not the same.
    pub fn is_copy(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// What to keep of `part` of what is looked at. Nothing if that is in no piece.
    #[inline]
    pub fn keep(&self, part: &'a [u8]) -> &'static [u8] {
        let start = offset_in(self.bytes, part);
        let found = |place: Place| within(start.wrapping_sub(place.copy), part.len(), place.size);
        let in_file = |place: Place| place.file + start.wrapping_sub(place.copy);
        let start = match found(self.first) {
            true => in_file(self.first),
            false => self.pieces.iter().map(Piece::place).find(|&place| found(place)).map_or(usize::MAX, in_file),
        };
        part_of(self.file, start, part.len()).unwrap_or_default()
    }

    /// Where to look at `part` of what is kept: there, if it is in no piece.
    #[inline]
    pub fn look_at(&self, part: &'static [u8]) -> &'a [u8] {
        let at = offset_in(self.file, part).wrapping_sub(self.first.file);
        if within(at, part.len(), self.first.size) {
            return part_of(self.bytes, self.first.copy + at, part.len()).unwrap_or(part);
        }
        let begin = self.begin_of(part);
        if begin.len() == part.len() { begin } else { part }
    }

    /// So much of the begin of `part` of what is kept as there is to look at.
    pub fn begin_of(&self, part: &'static [u8]) -> &'a [u8] {
        if !self.is_copy() {
            return part;
        }
        let start = offset_in(self.file, part);
        let found = self.pieces.iter().find(|piece| piece.range.contains(&start));
        let copy = |piece: &Piece| {
            let length = part.len().min(piece.range.end - start);
            part_of(self.bytes, piece.copy + (start - piece.range.start), length)
        };
        found.and_then(copy).unwrap_or_default()
    }
}

/// Where `part` begins in `bytes`; beyond their end if it is not in there.
#[inline]
fn offset_in(bytes: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize)
}

/// Whether `length` bytes from `start` on are within `size`.
#[inline]
fn within(start: usize, length: usize, size: usize) -> bool {
    start <= size && length <= size - start
}

/// The `length` bytes of `bytes` from `start` on.
#[inline]
fn part_of(bytes: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    bytes.get(start..)?.get(..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILE: [u8; 64] = [7; 64];

    #[test]
    fn what_is_looked_at_in_the_file_is_what_is_kept() {
        let view = FileView::of(&FILE);
        for (start, end) in (0..=64).flat_map(|end| (0..=end).map(move |start| (start, end))) {
            let part = &FILE[start..end];
            assert!(std::ptr::eq(view.keep(part), part) && std::ptr::eq(view.look_at(part), part));
        }
    }

    #[test]
    fn every_part_of_a_piece_leads_to_the_file_and_back() {
        let copies = [7; 40];
        let pieces = [Piece { range: 4..14, copy: 25 }, Piece { range: 40..64, copy: 1 }];
        let view = FileView::through(&copies, &pieces, &FILE);
        for (start, end) in (0..=64).flat_map(|end| (0..end).map(move |start| (start, end))) {
            let part = &FILE[start..end];
            let copy = view.look_at(part);
            match pieces.iter().find(|piece| piece.range.start <= start && end <= piece.range.end) {
                Some(piece) => {
                    let place = piece.copy + start - piece.range.start;
                    assert!(std::ptr::eq(copy, &copies[place..place + end - start]), "{start}..{end}");
                    assert!(std::ptr::eq(view.keep(copy), part), "{start}..{end}");
                }
                None => assert!(std::ptr::eq(copy, part), "{start}..{end}"),
            }
        }
    }

    #[test]
    fn of_what_is_in_no_piece_nothing_is_kept() {
        let copies = [7; 40];
        let pieces = [Piece { range: 4..14, copy: 25 }];
        let view = FileView::through(&copies, &pieces, &FILE);
        for part in [&copies[20..26], &copies[24..30], &copies[34..36], &copies[39..]] {
            assert_eq!(view.keep(part), b"");
        }
    }
}
