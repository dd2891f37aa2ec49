//! `ar` archives: members, their names, and the index that says which member defines a symbol.
//!
//! Understood: the common format with GNU names (`//` table, `/123`), BSD names (`#1/12`) and short names; GNU's thin
//! archives, whose members are files of their own; the symbol indexes `/` and `/SYM64/` (GNU, big-endian) and `__.SYMDEF`,
//! `__.SYMDEF_64`, plain or `SORTED` (BSD, little-endian).
//!
//! `goblin` reads the member headers. Its whole-archive parser is deliberately not used: it refuses thin archives, does not
//! know the 64-bit indexes, keeps one of several members of the same name, loses the order of the index, and puts every
//! symbol name into a tree when the archive is opened. Opening one here costs a walk over the headers and over the
//! index; no member is touched.

use super::error::{LinkError, Result};
use super::packed::{self, Pack, PackedTable};
use goblin::archive::{MAGIC, Member as HeaderFields, SIZEOF_HEADER, SIZEOF_MAGIC};
use memchr::memchr;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a thin archive begins with.
const THIN_MAGIC: &[u8; SIZEOF_MAGIC] = b"!<thin>\n";

/// The longest member name looked for in the name table, in bytes: that of the longest path Linux opens.
const LONGEST_NAME: usize = 4096;

/// How often the bytes of a BSD index's names may be used on average; well-formed ones use each at most once.
const BSD_NAME_SHARING: usize = 64;

/// An archive, opened: what is in it and which member defines which symbol. Borrows the mapped file.
pub struct Archive {
    /// The name it was opened with.
    pub name: String,
    /// Its members in the order of the file.
    pub members: Vec<Member>,
    /// Empty if it has none.
    index: Index,
    has_index: bool,
    thin: bool,
}

/// One line of the symbol index: a linker-level name and the member that defines it, as index into [`Archive::members`].
pub type IndexEntry = (&'static [u8], u32);

type Index = PackedTable<PackedEntry>;

/// Copies a part of an archive, as it was given, to a place that is as long; `false` if it cannot, and the archive is looked at where it is. Any thread calls it.
pub type CopyPart<'a> = dyn Fn(&'static [u8], &mut [u8]) -> bool + Send + Sync + 'a;

/// A line of the symbol index: where its name is in the archive, how long it is, and the member. One whose name is far from the start has
/// the number of the row beside the table as its member.
#[derive(Clone, Copy)]
struct PackedEntry {
    name: u32,
    length: u32,
    member: u32,
}

/// In [`PackedEntry::length`]: the line is beside the table.
const BESIDE: u32 = u32::MAX;

impl Pack for PackedEntry {
    type Row = IndexEntry;

    fn pack((name, member): IndexEntry, data: &'static [u8], beside: &mut Vec<IndexEntry>) -> PackedEntry {
        let length = u32::try_from(name.len()).ok().filter(|&length| length != BESIDE);
        match (packed::start_in(name, data), length) {
            (Some(start), Some(length)) => PackedEntry { name: start, length, member },
            _ => {
                beside.push((name, member));
                PackedEntry { name: 0, length: BESIDE, member: beside.len() as u32 - 1 }
            }
        }
    }

    fn unpack(self, data: &'static [u8], beside: &[IndexEntry]) -> IndexEntry {
        match self.length {
            BESIDE => beside.get(self.member as usize).copied().unwrap_or_default(),
            length => (packed::part_of(data, self.name, length as usize), self.member),
        }
    }
}

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, without the marks of the archive format; a path in a thin archive. Not necessarily unique.
    pub name: &'static [u8],
    /// Where its header starts in the archive, in bytes.
    pub header_offset: u64,
    /// Its bytes, or where to find them.
    pub content: MemberContent,
    /// Its place among the members, symbol indexes and name tables not counted, from 0.
    pub index: u32,
}

/// Where the bytes of a member are.
#[derive(Clone, PartialEq, Eq)]
pub enum MemberContent {
    /// In the archive.
    Inline(&'static [u8]),
    /// In the file of this path: the directory of the archive's own path and the name the thin archive gives, joined.
    Thin(PathBuf),
}

impl MemberContent {
    /// The bytes, if they are in the archive.
    pub fn inline(&self) -> Option<&'static [u8]> {
        match self {
            MemberContent::Inline(data) => Some(data),
            MemberContent::Thin(_) => None,
        }
    }
}

impl Archive {
    /// Whether `data` begins as an archive does, thin ones included.
    pub fn is_archive(data: &[u8]) -> bool {
        data.starts_with(MAGIC) || data.starts_with(THIN_MAGIC)
    }

    /// Opens the archive `data`, called `name` in messages; `name` is also the path members of thin archives are relative to.
    ///
    /// Errors: [`crate::link::LinkErrorKind::Unsuitable`] if it is no archive, [`crate::link::LinkErrorKind::Malformed`] with the offset of what is damaged.
    pub fn parse(name: &str, data: &'static [u8]) -> Result<Archive> {
        Archive::parse_with(name, data, &|_, _| false)
    }

    /// The same. The headers, which are all over the archive, are copied with `copy_part` rather than looked at, if it can.
    pub fn parse_with(name: &str, data: &'static [u8], copy_part: &CopyPart<'_>) -> Result<Archive> {
        if !Archive::is_archive(data) {
            return Err(LinkError::unsuitable(name, "does not contain an archive"));
        }
        let mut reader = Reader {
            archive: name,
            data,
            copy_part,
            thin: data.starts_with(THIN_MAGIC),
            long_names: None,
            index: None,
            members: Vec::new(),
        };
        reader.read_members()?;
        let index = match reader.index {
            Some(table) => reader.read_index(table)?,
            None => Index::with_capacity(data, 0),
        };
        let has_index = reader.index.is_some();
        Ok(Archive { name: name.to_string(), thin: reader.thin, members: reader.members, index, has_index })
    }

    /// Whether its members are files of their own.
    pub fn is_thin(&self) -> bool {
        self.thin
    }

    /// Whether it has a symbol index, be it an empty one. Without one, only the members' own symbol tables tell what they define.
    pub fn has_index(&self) -> bool {
        self.has_index
    }

    /// Frees the symbol index, once what it lists is known elsewhere.
    pub fn forget_symbols(&mut self) {
        self.index = Index::with_capacity(&[], 0);
    }

    /// The symbol index in the order of the file; empty if there is none, or it is forgotten.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = IndexEntry> + use<'_> {
        self.index.iter()
    }
}

/// How messages and `-show-linked-files` name a member: `lib.a[3](member.o)`.
pub fn display_name(archive: &str, member: &Member) -> String {
    format!("{archive}[{}]({})", member.index, String::from_utf8_lossy(member.name))
}

/// The shape of a symbol index: whose it is and how wide its numbers are.
#[derive(Clone, Copy)]
enum IndexKind {
    /// Count, that many header offsets, that many NUL-terminated names; numbers are big-endian.
    Gnu { width: usize },
    /// Size of a table of (name offset, header offset), the table, size of the names, the names; little-endian.
    Bsd { width: usize },
}

/// A symbol index that was found: its shape, where its content starts in the archive, its content.
#[derive(Clone, Copy)]
struct IndexTable {
    kind: IndexKind,
    offset: usize,
    data: &'static [u8],
}

/// One header, and what belongs to it.
struct RawMember<'a> {
    /// The name field, or the BSD name behind the header; blanks and NULs at the end removed.
    name: &'a [u8],
    /// Whether `name` is the 16-byte field, in which GNU's marks have a meaning.
    short: bool,
    header: usize,
    start: usize,
    end: usize,
}

/// The state of a walk over an archive.
struct Reader<'a> {
    archive: &'a str,
    data: &'static [u8],
    copy_part: &'a CopyPart<'a>,
    thin: bool,
    long_names: Option<&'static [u8]>,
    index: Option<IndexTable>,
    members: Vec<Member>,
}

impl Reader<'_> {
    fn malformed(&self, what_is_there: &str, offset: usize, what: impl fmt::Display) -> LinkError {
        LinkError::malformed(self.archive, format_args!("{what_is_there} at offset {offset:#x}"), what)
    }

    fn bad_header(&self, offset: usize, what: impl fmt::Display) -> LinkError {
        self.malformed("archive header", offset, what)
    }

    fn read_members(&mut self) -> Result<()> {
        let mut offset = SIZEOF_MAGIC;
        while offset < self.data.len() {
            let header = self.header(offset)?;
            let raw = self.read_header(&header, offset)?;
            let inline = self.read_member(&raw)?;
            let end = if inline { raw.end } else { raw.start };
            if end > self.data.len() {
                return Err(self.bad_header(
                    offset,
                    format_args!("the member's {} bytes go past the end of the archive", raw.end - raw.start),
                ));
            }
            offset = end + (end & 1);
        }
        Ok(())
    }

    /// The bytes of the header at `offset`.
    fn header(&self, offset: usize) -> Result<[u8; SIZEOF_HEADER]> {
        let Some(header) = self.data.get(offset..).and_then(|rest| rest.first_chunk()) else {
            return Err(self.bad_header(offset, "it is cut off; the archive is truncated"));
        };
        let mut copy = [0; SIZEOF_HEADER];
        Ok(if (self.copy_part)(header, &mut copy) { copy } else { *header })
    }

    /// Reads the `header` at `offset`; the member may still go past the end of the file.
    fn read_header<'h>(&self, header: &'h [u8; SIZEOF_HEADER], offset: usize) -> Result<RawMember<'h>> {
        let header_end = offset + SIZEOF_HEADER;
        if !header.ends_with(b"`\n") {
            return Err(self.bad_header(offset, "its end mark is missing"));
        }
        let is_behind = header.starts_with(b"#1/");
        let fields = if is_behind {
            HeaderFields::parse(self.data, &mut { offset })
        } else {
            HeaderFields::parse(header, &mut 0)
        };
        let fields =
            fields.map_err(|error| self.bad_header(offset, format_args!("unreadable name or size: {error}")))?;
        // Whatever goblin makes of a name behind the header, this sum is what the size field says.
        let start = if is_behind { 0 } else { offset };
        let end = start + fields.offset as usize + fields.size();
        let field = fields.raw_name().trim_end_matches(' ');
        let Some(length) = field.strip_prefix("#1/") else {
            return Ok(RawMember { name: field.as_bytes(), short: true, header: offset, start: header_end, end });
        };
        let start = length.parse::<u32>().ok().and_then(|length| header_end.checked_add(length as usize));
        let name = start.filter(|start| *start <= end).and_then(|start| self.data.get(header_end..start));
        let (Some(start), Some(name)) = (start, name) else {
            return Err(
                self.bad_header(offset, format_args!("a name of length {length:?} does not fit into the member"))
            );
        };
        let padding = name.iter().rev().take_while(|byte| **byte == 0).count();
        Ok(RawMember { name: &name[..name.len() - padding], short: false, header: offset, start, end })
    }

    /// Files a member under what it is; returns whether its content follows its header.
    fn read_member(&mut self, raw: &RawMember<'_>) -> Result<bool> {
        if let Some(kind) = index_kind(raw) {
            // Import libraries for Windows have a second `/`, of another shape; the first one serves.
            if self.index.is_none() {
                self.index = self.data.get(raw.start..raw.end).map(|data| IndexTable { kind, offset: raw.start, data });
            }
            return Ok(true);
        }
        if raw.short && raw.name == b"//" {
            self.long_names = self.data.get(raw.start..raw.end);
            return Ok(true);
        }
        let name = self.member_name(raw)?;
        let content = if self.thin {
            MemberContent::Thin(self.thin_path(name))
        } else {
            MemberContent::Inline(self.data.get(raw.start..raw.end).unwrap_or_default())
        };
        let index = u32::try_from(self.members.len()).map_err(|_| self.bad_header(raw.header, "too many members"))?;
        self.members.push(Member { name, header_offset: raw.header as u64, content, index });
        Ok(!self.thin)
    }

    fn member_name(&self, raw: &RawMember<'_>) -> Result<&'static [u8]> {
        if !raw.short {
            return Ok(&self.data[raw.header + SIZEOF_HEADER..][..raw.name.len()]);
        }
        let Some(reference) = raw.name.strip_prefix(b"/") else {
            // The header need not be in memory when somebody asks for the name.
            return Ok(raw.name.strip_suffix(b"/").unwrap_or(raw.name).to_vec().leak());
        };
        let shown = String::from_utf8_lossy(reference);
        let tail = shown.parse::<usize>().ok().and_then(|at| self.long_names?.get(at..));
        let Some(tail) = tail else {
            return Err(
                self.bad_header(raw.header, format_args!("there is no long name at {shown:?} of the name table"))
            );
        };
        let Some(length) = tail.iter().take(LONGEST_NAME).position(|byte| *byte == b'\n') else {
            return Err(self.bad_header(raw.header, "its long name has no end"));
        };
        let name = &tail[..length];
        Ok(name.strip_suffix(b"/").unwrap_or(name))
    }

    fn thin_path(&self, name: &[u8]) -> PathBuf {
        let directory = Path::new(self.archive).parent().unwrap_or(Path::new(""));
        directory.join(OsStr::from_bytes(name))
    }

    fn read_index(&self, table: IndexTable) -> Result<Index> {
        match table.kind {
            IndexKind::Gnu { width } => self.read_gnu_index(table, width),
            IndexKind::Bsd { width } => self.read_bsd_index(table, width),
        }
    }

    fn read_gnu_index(&self, table: IndexTable, width: usize) -> Result<Index> {
        let number = |at: usize| Some(big_endian(table.data.get(at..at.checked_add(width)?)?));
        let count = number(0).and_then(|count| usize::try_from(count).ok());
        let names_at = count.and_then(|count| count.checked_add(1)?.checked_mul(width));
        let (Some(count), Some(mut names)) = (count, names_at.and_then(|at| table.data.get(at..))) else {
            return Err(self.malformed("symbol index", table.offset, "its number of entries does not fit into it"));
        };
        let mut entries = Index::with_capacity(self.data, count);
        let mut cursor = MemberCursor::new(&self.members);
        for entry in 1..=count {
            let place = table.offset + entry * width;
            let member = number(entry * width).and_then(|offset| cursor.find(offset));
            let Some(member) = member else {
                return Err(self.malformed("symbol index entry", place, "it points to no member's header"));
            };
            let Some(length) = memchr(0, names) else {
                return Err(self.malformed("symbol index entry", place, "its name has no end"));
            };
            let name = &names[..length];
            names = &names[name.len() + 1..];
            entries.push((name, member));
        }
        Ok(entries)
    }

    fn read_bsd_index(&self, table: IndexTable, width: usize) -> Result<Index> {
        let number = |at: usize| Some(little_endian(table.data.get(at..at.checked_add(width)?)?));
        let size = number(0).and_then(|size| usize::try_from(size).ok());
        let names_at = size.and_then(|size| size.checked_add(2 * width));
        let (Some(size), Some(names)) = (size, names_at.and_then(|at| table.data.get(at..))) else {
            return Err(self.malformed("symbol index", table.offset, "its table of entries does not fit into it"));
        };
        let mut entries = Index::with_capacity(self.data, size / (2 * width));
        // Names are reached by offsets, so a hostile index could make a small file take hours to read.
        let mut budget = names.len().saturating_mul(BSD_NAME_SHARING);
        let mut cursor = MemberCursor::new(&self.members);
        for at in (width..).step_by(2 * width).take(size / (2 * width)) {
            let place = table.offset + at;
            let Some(member) = number(at + width).and_then(|offset| cursor.find(offset)) else {
                return Err(self.malformed("symbol index entry", place, "it points to no member's header"));
            };
            let name = number(at).and_then(|at| usize::try_from(at).ok()).and_then(|at| names.get(at..));
            let Some(name) = name.and_then(|name| Some(&name[..memchr(0, name)?])) else {
                return Err(self.malformed(
                    "symbol index entry",
                    place,
                    "its name lies outside the index or has no end",
                ));
            };
            let Some(rest) = budget.checked_sub(name.len()) else {
                return Err(self.malformed("symbol index entry", place, "its name overlaps those of too many others"));
            };
            budget = rest;
            entries.push((name, member));
        }
        Ok(entries)
    }
}

/// Which symbol index a member is, if it is one.
fn index_kind(raw: &RawMember<'_>) -> Option<IndexKind> {
    match raw.name {
        b"/" if raw.short => Some(IndexKind::Gnu { width: 4 }),
        b"/SYM64/" if raw.short => Some(IndexKind::Gnu { width: 8 }),
        b"__.SYMDEF" | b"__.SYMDEF SORTED" => Some(IndexKind::Bsd { width: 4 }),
        b"__.SYMDEF_64" | b"__.SYMDEF_64 SORTED" => Some(IndexKind::Bsd { width: 8 }),
        _ => None,
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rfold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Finds members by the offset of their header. Indexes list a member's symbols together, so the last answer is tried first.
struct MemberCursor<'a> {
    members: &'a [Member],
    last: usize,
}

impl<'a> MemberCursor<'a> {
    fn new(members: &'a [Member]) -> MemberCursor<'a> {
        MemberCursor { members, last: 0 }
    }

    fn find(&mut self, header_offset: u64) -> Option<u32> {
        if self.members.get(self.last)?.header_offset != header_offset {
            self.last = self.members.binary_search_by_key(&header_offset, |member| member.header_offset).ok()?;
        }
        Some(self.members[self.last].index)
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({}, {} members, {} symbols)", self.name, self.members.len(), self.symbols().len())
    }
}

impl fmt::Debug for MemberContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemberContent::Inline(bytes) => write!(f, "Inline({} bytes)", bytes.len()),
            MemberContent::Thin(path) => write!(f, "Thin({})", path.display()),
        }
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
