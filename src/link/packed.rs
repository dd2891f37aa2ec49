//! Tables of symbols and sections in a fraction of the memory of their rows.
//!
//! A big program has hundreds of thousands of each, most of which nobody looks at twice: what they take is page faults while a file is read,
//! and waiting for memory when it is linked. Nearly all names and contents are in the file, none of which is far from its start, and nearly
//! all values are small; so a row is five numbers of 32 bits. The parts of a row that do not fit, an address of 64 bits, the name of
//! a section that is made and not read, are in a whole row beside the table.
//!
//! What a row says is put together when it is asked for. Every part of it is found without the others, so that what the caller does
//! not look at costs nothing: nothing here panics but for a row that does not exist.

use super::graph::{Linkage, Scope};
use super::object_file::{ObjectPlace, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use crate::base::MemProt;
use std::fmt;

type Data = &'static [u8];

/// The symbols of a file.
pub type ObjectSymbols = PackedTable<PackedSymbol>;

/// The sections of a file.
pub type ObjectSections = PackedTable<PackedSection>;

/// What rows of a table are packed into.
pub trait Pack: Copy {
    /// What is packed.
    type Row: Copy;

    /// `row`, which borrows from `data` or from elsewhere; it is added to `beside` if not all of it fits.
    fn pack(row: Self::Row, data: Data, beside: &mut Vec<Self::Row>) -> Self;

    /// The row that was packed, with the same `data` and `beside`.
    fn unpack(self, data: Data, beside: &[Self::Row]) -> Self::Row;
}

/// Rows of a file's table. Borrows the mapped file.
#[derive(Clone)]
pub struct PackedTable<P: Pack> {
    data: Data,
    rows: Vec<P>,
    /// The rows that do not fit.
    beside: Vec<P::Row>,
}

impl<P: Pack> PackedTable<P> {
    /// An empty table with room for `rows` rows of the file `data`.
    pub fn with_capacity(data: Data, rows: usize) -> PackedTable<P> {
        PackedTable { data, rows: Vec::with_capacity(rows), beside: Vec::new() }
    }

    /// The table of `rows` of the file `data`.
    pub fn of(data: Data, rows: impl IntoIterator<Item = P::Row>) -> PackedTable<P> {
        let rows = rows.into_iter();
        let mut table = PackedTable::with_capacity(data, rows.size_hint().0);
        rows.for_each(|row| table.push(row));
        table
    }

    /// The file whose table it is.
    pub fn file(&self) -> Data {
        self.data
    }

    /// The number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Row `index`, which must exist.
    #[inline(always)]
    pub fn at(&self, index: usize) -> P::Row {
        self.rows[index].unpack(self.data, &self.beside)
    }

    /// Row `index`, if it exists.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<P::Row> {
        Some(self.rows.get(index)?.unpack(self.data, &self.beside))
    }

    /// All rows in their order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = P::Row> + ExactSizeIterator + Clone + '_ {
        let PackedTable { data, rows, beside } = self;
        rows.iter().map(
            #[inline(always)]
            move |&row| row.unpack(data, beside),
        )
    }

    /// Adds `row` behind the others.
    #[inline]
    pub fn push(&mut self, row: P::Row) {
        self.rows.push(P::pack(row, self.data, &mut self.beside));
    }

    /// Replaces row `index`, which must exist. For the few rows that are changed after reading: what is beside the table for the former one stays.
    pub fn set(&mut self, index: usize, row: P::Row) {
        self.rows[index] = P::pack(row, self.data, &mut self.beside);
    }
}

impl<P: Pack<Row: fmt::Debug>> fmt::Debug for PackedTable<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Where `part` begins in `data`; `None` if it is not there, or not in the first 4 GiB. What is empty is everywhere.
#[inline]
pub(super) fn start_in(part: Data, data: Data) -> Option<u32> {
    if part.is_empty() {
        return Some(0);
    }
    let start = (part.as_ptr() as usize).checked_sub(data.as_ptr() as usize)?;
    if start.checked_add(part.len())? > data.len() { None } else { u32::try_from(start).ok() }
}

/// The `length` bytes from `start` on.
#[inline(always)]
pub(super) fn part_of(data: Data, start: u32, length: usize) -> Data {
    let start = start as usize;
    data.get(start..start + length).unwrap_or_default()
}

/// A symbol: 20 bytes.
#[derive(Clone, Copy, Debug)]
pub struct PackedSymbol {
    /// Where the name begins in the file, in bytes.
    name: u32,
    /// From the highest bit down: 23 bits for the length of the name, [`SYMBOL_BESIDE`], one bit for the linkage, two for the scope, two for
    /// the kind, three for the place.
    tags: u32,
    /// The value, or the number of the row beside the table that has name, value and size.
    value: u32,
    size: u32,
    /// The number in the place.
    index: u32,
}

const SYMBOL_BESIDE: u32 = 1 << 8;

impl Pack for PackedSymbol {
    type Row = ObjectSymbol;

    #[inline]
    fn pack(symbol: ObjectSymbol, data: Data, beside: &mut Vec<ObjectSymbol>) -> PackedSymbol {
        // In the order of the enumerations, which makes finding them again no work.
        let (place, index) = match symbol.place {
            ObjectPlace::Undefined => (0, 0),
            ObjectPlace::Section(index) => (1, index),
            ObjectPlace::Absolute => (2, 0),
            ObjectPlace::Common(index) => (3, index),
            ObjectPlace::Alias(index) => (4, index),
        };
        let tags = place | (symbol.kind as u32) << 3 | (symbol.scope as u32) << 5 | (symbol.linkage as u32) << 7;
        let fitting = || {
            let length = u32::try_from(symbol.name.len()).ok().filter(|&length| length < 1 << 23)?;
            let (name, tags) = (start_in(symbol.name, data)?, tags | length << 9);
            let (value, size) = (u32::try_from(symbol.value).ok()?, u32::try_from(symbol.size).ok()?);
            Some(PackedSymbol { name, tags, value, size, index })
        };
        fitting().unwrap_or_else(|| {
            beside.push(symbol);
            let value = beside.len() as u32 - 1;
            PackedSymbol { name: 0, tags: tags | SYMBOL_BESIDE, value, size: 0, index }
        })
    }

    #[inline(always)]
    fn unpack(self, data: Data, beside: &[ObjectSymbol]) -> ObjectSymbol {
        let PackedSymbol { name, tags, value, size, index } = self;
        let beside = if tags & SYMBOL_BESIDE != 0 { beside.get(value as usize) } else { None };
        ObjectSymbol {
            name: match beside {
                Some(symbol) => symbol.name,
                None => part_of(data, name, (tags >> 9) as usize),
            },
            place: match tags & 7 {
                0 => ObjectPlace::Undefined,
                1 => ObjectPlace::Section(index),
                2 => ObjectPlace::Absolute,
                3 => ObjectPlace::Common(index),
                _ => ObjectPlace::Alias(index),
            },
            value: beside.map_or(value.into(), |symbol| symbol.value),
            size: beside.map_or(size.into(), |symbol| symbol.size),
            kind: match tags >> 3 & 3 {
                0 => SymbolKind::Function,
                1 => SymbolKind::IndirectFunction,
                2 => SymbolKind::ThreadLocal,
                _ => SymbolKind::Data,
            },
            linkage: match tags >> 7 & 1 {
                0 => Linkage::Strong,
                _ => Linkage::Weak,
            },
            scope: match tags >> 5 & 3 {
                0 => Scope::Default,
                1 => Scope::Hidden,
                _ => Scope::Local,
            },
        }
    }
}

/// A section: 20 bytes.
#[derive(Clone, Copy, Debug)]
pub struct PackedSection {
    /// Where the name begins in the file, in bytes.
    name: u32,
    /// From the highest bit down: 16 bits for the length of the name, six for the binary logarithm of the alignment, [`HAS_CONTENT`],
    /// [`SECTION_BESIDE`], two bits for the protection, three for the kind.
    tags: u32,
    /// Where the content begins in the file, in bytes, or the number of the row beside the table that has everything but protection, alignment
    /// and what the address leaves modulo that.
    content: u32,
    size: u32,
    align_offset: u32,
}

const SECTION_BESIDE: u32 = 1 << 5;
const HAS_CONTENT: u32 = 1 << 6;

impl Pack for PackedSection {
    type Row = ObjectSection;

    #[inline]
    fn pack(section: ObjectSection, data: Data, beside: &mut Vec<ObjectSection>) -> PackedSection {
        let kind = match section.kind {
            SectionKind::Unloaded => Some(0),
            SectionKind::Loaded => Some(1),
            SectionKind::Common => Some(2),
            SectionKind::Unwind => Some(3),
            SectionKind::ThreadLocal => Some(4),
            SectionKind::Initializers(_)
            | SectionKind::Finalizers(_)
            | SectionKind::InitializerCode
            | SectionKind::FinalizerCode => None,
        };
        let ObjectSection { name, content, size, align_offset, .. } = section;
        let tags = (section.prot.index() as u32) << 3 | section.align.trailing_zeros() << 7;
        let is_plain = section.linked_to.is_none() && (content.is_empty() || content.len() as u64 == size);
        let fitting = || {
            let length = u32::from(u16::try_from(name.len()).ok()?);
            let has_content = if content.is_empty() { 0 } else { HAS_CONTENT };
            let tags = tags | length << 16 | has_content | kind.filter(|_| is_plain)?;
            let (name, content) = (start_in(name, data)?, start_in(content, data)?);
            Some(PackedSection { name, tags, content, size: u32::try_from(size).ok()?, align_offset })
        };
        fitting().unwrap_or_else(|| {
            beside.push(section);
            let content = beside.len() as u32 - 1;
            PackedSection { name: 0, tags: tags | SECTION_BESIDE, content, size: 0, align_offset }
        })
    }

    #[inline(always)]
    fn unpack(self, data: Data, beside: &[ObjectSection]) -> ObjectSection {
        let PackedSection { name, tags, content, size, align_offset } = self;
        let beside = if tags & SECTION_BESIDE != 0 { beside.get(content as usize) } else { None };
        ObjectSection {
            name: match beside {
                Some(section) => section.name,
                None => part_of(data, name, (tags >> 16) as usize),
            },
            kind: match (beside, tags & 7) {
                (Some(section), _) => section.kind,
                (None, 0) => SectionKind::Unloaded,
                (None, 1) => SectionKind::Loaded,
                (None, 2) => SectionKind::Common,
                (None, 3) => SectionKind::Unwind,
                (None, _) => SectionKind::ThreadLocal,
            },
            prot: match tags >> 3 & 3 {
                0 => MemProt::Read,
                1 => MemProt::ReadExec,
                _ => MemProt::ReadWrite,
            },
            content: match beside {
                Some(section) => section.content,
                None if tags & HAS_CONTENT == 0 => &[],
                None => part_of(data, content, size as usize),
            },
            size: beside.map_or(size.into(), |section| section.size),
            align: 1 << (tags >> 7 & 63),
            align_offset,
            linked_to: beside.and_then(|section| section.linked_to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::object_file::InitializerOrder;

    static FILE: [u8; 256] = [7; 256];
    static ELSEWHERE: [u8; 8] = [1; 8];

    fn symbols() -> Vec<ObjectSymbol> {
        use ObjectPlace::*;
        let names: [Data; 5] = [b"", &FILE[..1], &FILE[100..], &FILE, &ELSEWHERE];
        let places = [Undefined, Section(0), Section(u32::MAX), Absolute, Common(3), Alias(u32::MAX - 1)];
        let kinds = [SymbolKind::Function, SymbolKind::IndirectFunction, SymbolKind::ThreadLocal, SymbolKind::Data];
        let numbers = [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX];
        let mut symbols = Vec::new();
        for (name, place) in names.into_iter().flat_map(|name| places.map(|place| (name, place))) {
            for (kind, linkage) in kinds.into_iter().flat_map(|k| [(k, Linkage::Strong), (k, Linkage::Weak)]) {
                for scope in [Scope::Default, Scope::Hidden, Scope::Local] {
                    for (value, size) in numbers.into_iter().flat_map(|value| numbers.map(|size| (value, size))) {
                        symbols.push(ObjectSymbol { name, place, value, size, kind, linkage, scope });
                    }
                }
            }
        }
        symbols
    }

    fn sections() -> Vec<ObjectSection> {
        let order = InitializerOrder { phase: 2, priority: InitializerOrder::DEFAULT_PRIORITY, backwards: true };
        let kinds = [
            SectionKind::Unloaded,
            SectionKind::Loaded,
            SectionKind::Common,
            SectionKind::Unwind,
            SectionKind::ThreadLocal,
            SectionKind::Initializers(order),
            SectionKind::Finalizers(InitializerOrder { phase: 0, priority: 3, backwards: false }),
            SectionKind::InitializerCode,
            SectionKind::FinalizerCode,
        ];
        let names: [Data; 4] = [b"", &FILE[250..], &FILE, b".common"];
        // Zero-filled ones of any size, those of the file, one that is longer than its content, those that are not in the file.
        let contents: [(Data, u64); 8] = [
            (b"", 0),
            (b"", 12),
            (b"", 1 << 40),
            (&FILE, 256),
            (&FILE[255..], 1),
            (&FILE[..8], 16),
            (&ELSEWHERE, 8),
            (&FILE[..0], 3),
        ];
        let aligns = [(1, 0), (2, 1), (1 << 30, (1 << 30) - 1), (1 << 63, u32::MAX)];
        let mut sections = Vec::new();
        for (name, kind) in names.into_iter().flat_map(|name| kinds.map(|kind| (name, kind))) {
            for (prot, linked_to) in MemProt::ALL.into_iter().flat_map(|prot| [(prot, None), (prot, Some(u32::MAX))]) {
                for (content, size) in contents {
                    for (align, align_offset) in aligns {
                        let section = ObjectSection { name, kind, prot, content, size, align, align_offset, linked_to };
                        sections.push(section);
                    }
                }
            }
        }
        sections
    }

    /// The table of `rows`, in which they are, and which has `beside` of them beside it.
    fn holds<P: Pack<Row: PartialEq + fmt::Debug>>(rows: Vec<P::Row>, beside: impl Fn(&P::Row) -> bool) {
        let table = PackedTable::<P>::of(&FILE, rows.iter().copied());
        assert!(table.iter().eq(rows.iter().copied()));
        assert_eq!(table.beside.len(), rows.iter().filter(|row| beside(row)).count());
        assert_eq!(table.get(rows.len()), None);
        // Each row takes the place of its opposite: what is packed that of what is not, and the other way round.
        let mut turned = table.clone();
        (0..rows.len()).for_each(|index| turned.set(index, rows[rows.len() - 1 - index]));
        assert!(turned.iter().rev().eq(rows.iter().copied()));
    }

    #[test]
    fn symbols_are_what_they_were() {
        let is_great = |number: u64| number > u64::from(u32::MAX);
        holds::<PackedSymbol>(symbols(), |s| s.name == ELSEWHERE || is_great(s.value) || is_great(s.size));
    }

    #[test]
    fn sections_are_what_they_were() {
        holds::<PackedSection>(sections(), |s| {
            s.kind.is_special() && s.kind != SectionKind::ThreadLocal
                || s.linked_to.is_some()
                || s.name == b".common"
                || s.content == ELSEWHERE
                || s.size > u64::from(u32::MAX)
                || !s.content.is_empty() && s.content.len() as u64 != s.size
        });
    }

    #[test]
    fn rows_are_small() {
        assert_eq!((size_of::<PackedSymbol>(), size_of::<PackedSection>()), (20, 20));
    }
}
