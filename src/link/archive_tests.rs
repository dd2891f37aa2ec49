//! Archives of every flavour, built here by a small writer; then the same ones damaged.

use super::*;
use crate::link::LinkErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How an archive under test is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flavour {
    /// GNU names, index `/`.
    Gnu,
    /// GNU names, index `/SYM64/`.
    Gnu64,
    /// GNU names, no index.
    GnuNoIndex,
    /// GNU thin archive.
    Thin,
    /// BSD names, index `__.SYMDEF`.
    Bsd,
    /// BSD names, index `__.SYMDEF_64 SORTED`.
    Bsd64,
}

use Flavour::*;

const FLAVOURS: [Flavour; 6] = [Gnu, Gnu64, GnuNoIndex, Thin, Bsd, Bsd64];

/// The members of every archive under test: name, content, symbols.
const MEMBERS: [(&str, &[u8], &[&str]); 4] = [
    ("a.o", b"first", &["alpha", "beta"]),
    ("a_name_of_more_than_sixteen_bytes.o", b"", &[]),
    ("sub dir.o", b"four", &["gamma"]),
    ("a.o", b"same name", &["alpha"]),
];

fn header(name: &str, size: usize) -> Vec<u8> {
    format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).into_bytes()
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    if out.len() % 2 == 1 {
        out.push(b'\n');
    }
}

/// The symbol index of a BSD or GNU archive whose members' headers are at `offsets`.
fn index(flavour: Flavour, offsets: &[usize]) -> Vec<u8> {
    let symbols = || MEMBERS.iter().zip(offsets).flat_map(|(member, at)| member.2.iter().map(move |name| (*name, *at)));
    let names: Vec<u8> = symbols().flat_map(|(name, _)| [name.as_bytes(), &[0]].concat()).collect();
    let wide = matches!(flavour, Gnu64 | Bsd64);
    let big = |value: usize| {
        let bytes = (value as u64).to_be_bytes();
        bytes[if wide { 0 } else { 4 }..].to_vec()
    };
    let little = |value: usize| big(value).into_iter().rev().collect::<Vec<u8>>();
    let mut out = Vec::new();
    if matches!(flavour, Gnu | Gnu64 | Thin) {
        out.extend(big(symbols().count()));
        symbols().for_each(|(_, at)| out.extend(big(at)));
    } else {
        out.extend(little(symbols().count() * 2 * little(0).len()));
        let mut name_at = 0;
        for (name, at) in symbols() {
            out.extend(little(name_at));
            out.extend(little(at));
            name_at += name.len() + 1;
        }
        out.extend(little(names.len()));
    }
    out.extend(names);
    out
}

/// An archive of [`MEMBERS`], the index pointing to `offsets`; also where the members' headers really are.
fn write_with(flavour: Flavour, offsets: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let mut out = if flavour == Thin { b"!<thin>\n".to_vec() } else { b"!<arch>\n".to_vec() };
    let bsd = matches!(flavour, Bsd | Bsd64);
    let table = index(flavour, offsets);
    let index_name = match flavour {
        Gnu | Thin => Some("/"),
        Gnu64 => Some("/SYM64/"),
        GnuNoIndex => None,
        Bsd => Some("__.SYMDEF"),
        Bsd64 => Some("__.SYMDEF_64 SORTED"),
    };
    match index_name {
        Some(name) if name.len() > 16 => {
            out.extend(header(&format!("#1/{}", name.len() + 1), name.len() + 1 + table.len()));
            out.extend(name.as_bytes());
            out.push(0);
            put(&mut out, &table);
        }
        Some(name) => {
            out.extend(header(name, table.len()));
            put(&mut out, &table);
        }
        None => {}
    }
    let mut long_names = String::new();
    let mut fields = Vec::new();
    for (name, ..) in MEMBERS {
        if bsd {
            fields.push(if name.len() > 16 || name.contains(' ') {
                format!("#1/{}", name.len() + 1)
            } else {
                name.to_string()
            });
        } else if flavour == Thin || name.len() > 15 {
            fields.push(format!("/{}", long_names.len()));
            long_names += name;
            long_names += "/\n";
        } else {
            fields.push(format!("{name}/"));
        }
    }
    if !bsd {
        out.extend(header("//", long_names.len()));
        put(&mut out, long_names.as_bytes());
    }
    let mut real = Vec::new();
    for ((name, content, _), field) in MEMBERS.iter().zip(fields) {
        real.push(out.len());
        let name_length = if field.starts_with("#1/") { name.len() + 1 } else { 0 };
        out.extend(header(&field, content.len() + name_length));
        if name_length != 0 {
            out.extend(name.as_bytes());
            out.push(0);
        }
        if flavour != Thin {
            put(&mut out, content);
        }
    }
    (out, real)
}

fn write(flavour: Flavour) -> Vec<u8> {
    let (_, offsets) = write_with(flavour, &[0; MEMBERS.len()]);
    write_with(flavour, &offsets).0
}

fn parse(bytes: &[u8]) -> Result<Archive> {
    Archive::parse("dir/lib.a", bytes.to_vec().leak())
}

/// The place and the text of the error `bytes` give.
fn malformed(bytes: &[u8]) -> (String, String) {
    match parse(bytes).map_err(|error| error.kind().clone()) {
        Err(LinkErrorKind::Malformed { file, place, what }) => {
            assert_eq!(file, "dir/lib.a");
            (place, what)
        }
        other => panic!("expected a malformed archive, got {other:?}"),
    }
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).expect("pattern");
    bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn members_keep_their_order_names_and_numbers() {
    for flavour in FLAVOURS {
        let archive = parse(&write(flavour)).unwrap();
        let found: Vec<_> = archive.members.iter().map(|m| (m.index, str::from_utf8(m.name).unwrap())).collect();
        let expected: Vec<_> = (0..).zip(MEMBERS.map(|member| member.0)).collect();
        assert_eq!(found, expected, "{flavour:?}");
    }
}

#[test]
fn contents_are_in_the_archive_or_beside_it() {
    for flavour in FLAVOURS {
        let archive = parse(&write(flavour)).unwrap();
        assert_eq!(archive.is_thin(), flavour == Thin);
        for (member, (name, content, _)) in archive.members.iter().zip(MEMBERS) {
            let expected = if flavour == Thin {
                MemberContent::Thin(Path::new("dir").join(name))
            } else {
                MemberContent::Inline(content)
            };
            assert_eq!(member.content, expected, "{flavour:?}");
        }
    }
}

#[test]
fn the_index_lists_each_definition_in_file_order() {
    let expected = [("alpha", 0), ("beta", 0), ("gamma", 2), ("alpha", 3)];
    for flavour in FLAVOURS {
        let archive = parse(&write(flavour)).unwrap();
        let found: Vec<_> = archive.symbols().map(|(name, member)| (str::from_utf8(name).unwrap(), member)).collect();
        if flavour == GnuNoIndex {
            assert!(!archive.has_index() && found.is_empty());
        } else {
            assert!(archive.has_index());
            assert_eq!(found, expected, "{flavour:?}");
        }
    }
}

#[test]
fn headers_may_be_copied() {
    for flavour in FLAVOURS {
        let bytes: &'static [u8] = write(flavour).leak();
        let copies = AtomicUsize::new(0);
        let copied = Archive::parse_with("dir/lib.a", bytes, &|part, copy| {
            copies.fetch_add(1, Ordering::Relaxed);
            copy.copy_from_slice(part);
            true
        });
        let (copied, direct) = (copied.unwrap(), Archive::parse("dir/lib.a", bytes).unwrap());
        assert!(copies.into_inner() >= MEMBERS.len(), "{flavour:?}");
        assert_eq!(copied.members, direct.members, "{flavour:?}");
        assert!(copied.symbols().eq(direct.symbols()), "{flavour:?}");
    }
}

#[test]
fn an_index_can_be_forgotten() {
    let mut archive = parse(&write(Gnu)).unwrap();
    archive.forget_symbols();
    assert!(archive.has_index() && archive.symbols().len() == 0 && archive.members.len() == MEMBERS.len());
}

#[test]
fn an_archive_may_be_empty() {
    for magic in [&b"!<arch>\n"[..], b"!<thin>\n"] {
        let archive = parse(magic).unwrap();
        assert!(archive.members.is_empty() && !archive.has_index());
    }
}

#[test]
fn a_member_is_shown_as_llvm_jitlink_shows_it() {
    let archive = parse(&write(Gnu)).unwrap();
    assert_eq!(display_name("x/lib.a", &archive.members[2]), "x/lib.a[2](sub dir.o)");
}

#[test]
fn what_is_no_archive_is_refused_by_name() {
    for bytes in [&b""[..], b"!<arch>", b"\x7fELF", b"!<fat>\n\n"] {
        let error = parse(bytes).unwrap_err().to_string();
        assert_eq!(error, "dir/lib.a does not contain an archive");
    }
}

#[test]
fn a_missing_end_mark_is_found() {
    let mut bytes = write(Gnu);
    replace(&mut bytes, b"`\n", b"`!");
    assert_eq!(malformed(&bytes), ("archive header at offset 0x8".into(), "its end mark is missing".into()));
}

#[test]
fn a_size_that_is_no_number_is_found() {
    let mut bytes = write(GnuNoIndex);
    replace(&mut bytes, b"5         `\n", b"5x        `\n");
    let (place, what) = malformed(&bytes);
    assert!(place.starts_with("archive header at offset 0x"), "{place}");
    assert!(what.starts_with("unreadable name or size"), "{what}");
}

#[test]
fn a_size_past_the_end_is_found() {
    let mut bytes = write(GnuNoIndex);
    replace(&mut bytes, b"9         `\n", b"9999999999`\n");
    assert!(malformed(&bytes).1.contains("9999999999 bytes go past the end"));
}

#[test]
fn a_long_name_outside_the_name_table_is_found() {
    let mut bytes = write(Gnu);
    replace(&mut bytes, b"/0              ", b"/999            ");
    assert!(malformed(&bytes).1.contains("no long name at \"999\""));
}

#[test]
fn a_long_name_without_an_end_is_found() {
    let mut bytes = write(Gnu);
    replace(&mut bytes, b"bytes.o/\n", b"bytes.o/ ");
    assert!(malformed(&bytes).1.contains("has no end"));
}

#[test]
fn a_bsd_name_longer_than_its_member_is_found() {
    let mut bytes = write(Bsd);
    replace(&mut bytes, b"#1/36", b"#1/99");
    assert!(malformed(&bytes).1.contains("does not fit into the member"));
}

#[test]
fn an_index_entry_that_points_between_members_is_found() {
    for flavour in [Gnu, Gnu64, Thin, Bsd, Bsd64] {
        let mut offsets = write_with(flavour, &[0; MEMBERS.len()]).1;
        offsets[2] += 1;
        let (place, what) = malformed(&write_with(flavour, &offsets).0);
        assert!(place.starts_with("symbol index entry at offset 0x"), "{place}");
        assert_eq!(what, "it points to no member's header", "{flavour:?}");
    }
}

#[test]
fn an_index_that_claims_too_many_entries_is_found() {
    for flavour in [Gnu, Gnu64, Bsd, Bsd64] {
        let mut bytes = write(flavour);
        let data = match flavour {
            Bsd64 => 8 + SIZEOF_HEADER + "__.SYMDEF_64 SORTED".len() + 1,
            _ => 8 + SIZEOF_HEADER,
        };
        let width = if matches!(flavour, Gnu64 | Bsd64) { 8 } else { 4 };
        bytes[data..data + width].fill(0xff);
        let (place, what) = malformed(&bytes);
        assert_eq!(place, format!("symbol index at offset {data:#x}"));
        assert!(what.contains("does not fit"), "{what}");
    }
}

#[test]
fn bsd_names_that_share_their_bytes_without_end_are_refused() {
    let (entries, length) = (200u32, 1000u32);
    let mut table = (entries * 8).to_le_bytes().to_vec();
    let header_at = 8 + SIZEOF_HEADER as u32 + 8 + entries * 8 + length;
    for _ in 0..entries {
        table.extend(0u32.to_le_bytes());
        table.extend(header_at.to_le_bytes());
    }
    table.extend(length.to_le_bytes());
    table.resize(table.len() + length as usize - 1, b'x');
    table.push(0);
    let bytes = [b"!<arch>\n".to_vec(), header("__.SYMDEF", table.len()), table, header("a.o", 0)].concat();
    assert!(malformed(&bytes).1.contains("overlaps"));
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_archive() {
    for flavour in FLAVOURS {
        let bytes = write(flavour);
        let whole = parse(&bytes).unwrap().members.len();
        for length in 0..bytes.len() {
            if let Ok(archive) = parse(&bytes[..length]) {
                assert!(archive.members.len() <= whole, "{flavour:?} cut to {length}");
            }
        }
    }
}

#[test]
fn no_flipped_byte_makes_reading_panic_or_leave_the_file() {
    for flavour in FLAVOURS {
        let bytes = write(flavour);
        for at in 0..bytes.len() {
            for mask in [0x01, 0x10, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                if let Ok(archive) = parse(&damaged) {
                    let members = archive.members.len();
                    assert!(archive.symbols().all(|(_, member)| (member as usize) < members));
                }
            }
        }
    }
}

#[test]
fn opening_touches_no_member() {
    let members = 3000;
    let mut bytes = b"!<arch>\n".to_vec();
    let content = vec![0; 20_000];
    for number in 0..members {
        bytes.extend(header(&format!("{number}.o/"), content.len()));
        put(&mut bytes, &content);
    }
    let bytes = bytes.leak();
    let start = Instant::now();
    let archive = Archive::parse("big.a", bytes).unwrap();
    assert_eq!(archive.members.len(), members);
    assert!(start.elapsed() < Duration::from_millis(500), "took {:?}", start.elapsed());
}
