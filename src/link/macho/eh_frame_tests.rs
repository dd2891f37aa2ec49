//! Call frame records with and without relocations.

use super::testing::*;
use crate::base::Arch::{self, Aarch64, X86_64};
use crate::link::object_file::{CallFrames, ObjectFile, ObjectPlace};
use crate::link::unwind::UnwindTables;

/// Where the section of records is in [`file`], and where in it the frame's record and its pointers are.
const EH_FRAME: u64 = 48;
const FRAME: usize = 32;
const CODE: usize = FRAME + 8;
const DATA: usize = FRAME + 25;

/// A file with a function at 16 to 32, its exception table at 32, and a record of each kind in `__eh_frame`, whose pointers are
/// filled in and count from their places.
fn file(arch: Arch, code: i64, data_pointer: i64) -> TestFile {
    let mut records = vec![28, 0, 0, 0, 0, 0, 0, 0, 1];
    records.extend(b"zPLR\0\x01\x78\x10\x07\x9b\x04\0\0\0\x10\x10");
    records.resize(32, 0);
    records.extend(36u32.to_le_bytes());
    records.extend((FRAME as u32 + 4).to_le_bytes());
    records.extend(code.to_le_bytes());
    records.extend(16u64.to_le_bytes());
    records.push(8);
    records.extend(data_pointer.to_le_bytes());
    records.resize(72, 0);
    let mut eh_frame = TestSection { segment: "__TEXT", name: "__eh_frame", flags: 0x6800_000b, ..data(&records) };
    // The personality, through the GOT.
    let (got, pcrel) = if arch == X86_64 { (4, true) } else { (7, true) };
    eh_frame.relocations.push(relocation(19, got, pcrel, 2, true, 0));
    let exceptions = TestSection { segment: "__TEXT", name: "__gcc_except_tab", ..data(&[0; 16]) };
    TestFile::new(
        arch,
        vec![text(&[0x90; 32]), exceptions, eh_frame],
        vec![TestSymbol("___gxx_personality_v0", EXT, 0, 0, 0), TestSymbol("_f", SECT | EXT, 1, 0x80, 16)],
    )
}

/// The distances that the assembler fills in.
fn filled(arch: Arch) -> TestFile {
    let distance = |to: u64, at: usize| to as i64 - (EH_FRAME as i64 + at as i64);
    file(arch, distance(16, CODE), distance(36, DATA))
}

/// Offset, kind and target of each edge of the records, which are in piece 3.
fn edges_of(arch: Arch, read: &ObjectFile) -> Vec<(usize, &'static str, String, i64)> {
    let CallFrames { edges, .. } = read.format.call_frames(read, 3).expect("the records are well-formed");
    let edge = |edge: &crate::link::object_file::ObjectEdge| {
        let place = match read.symbols.at(edge.symbol as usize).place {
            ObjectPlace::Section(section) => format!("piece {section}"),
            _ => "elsewhere".to_string(),
        };
        (edge.offset as usize, kind_name(arch, edge), place, edge.addend)
    };
    edges.iter().map(edge).collect()
}

#[test]
fn pointers_without_relocations_get_edges() {
    for arch in [X86_64, Aarch64] {
        let read = filled(arch).read();
        let expected = [
            (19, "RequestGOTAndTransformToDelta32", "elsewhere".to_string(), 0),
            (CODE, "Delta64", "piece 1".to_string(), 0),
            (DATA, "Delta64", "piece 2".to_string(), 4),
        ];
        assert_eq!(edges_of(arch, &read), expected);
        assert_eq!(UnwindTables::read(&read).unwrap().frames_of(1).len(), 1);
    }
}

#[test]
fn relocated_pointers_keep_their_edges_but_mean_this_files_code() {
    for arch in [X86_64, Aarch64] {
        let mut given = file(arch, -(CODE as i64), 0);
        // _f minus the section's start, which is the place minus its offset.
        given.symbols.push(TestSymbol("EH_frame", SECT, 3, 0, EH_FRAME));
        let minus = if arch == X86_64 { 5 } else { 1 };
        given.sections[2].relocations.push(relocation(CODE as u32, minus, false, 3, true, 2));
        given.sections[2].relocations.push(relocation(CODE as u32, 0, false, 3, true, 1));
        let found = edges_of(arch, &given.read());
        assert_eq!(found[1], (CODE, "Delta64", "piece 1".to_string(), 0));
        // Without language-specific data there is no third.
        assert_eq!(found.len(), 2);
    }
}

#[test]
fn relocated_distances_between_records_are_computed() {
    for arch in [X86_64, Aarch64] {
        let mut given = filled(arch);
        given.symbols.push(TestSymbol("EH_frame", SECT, 3, 0, EH_FRAME));
        let minus = if arch == X86_64 { 5 } else { 1 };
        // The frame's id minus the common entry: EH_frame - EH_frame + 36 in the place.
        given.sections[2].relocations.push(relocation(FRAME as u32 + 4, minus, false, 2, true, 2));
        given.sections[2].relocations.push(relocation(FRAME as u32 + 4, 0, false, 2, true, 2));
        let read = given.read();
        let records = read.format.call_frames(&read, 3).expect("the records are well-formed");
        assert_eq!(records.content[FRAME + 4..FRAME + 8], (FRAME as u32 + 4).to_le_bytes());
        assert!(records.edges.iter().all(|edge| edge.offset as usize != FRAME + 4));
        assert_eq!(UnwindTables::read(&read).unwrap().frames_of(1).len(), 1);
    }
}

#[test]
fn pointers_into_no_section_are_errors() {
    let read = file(X86_64, 1 << 40, 0).read();
    let error = read.format.call_frames(&read, 3).expect_err("refused").to_string();
    assert!(error.starts_with("No symbol or block covering address 0x"), "{error}");
    assert!(error.ends_with("section __TEXT,__eh_frame, offset 0x28)"), "{error}");
}

#[test]
fn records_of_any_bytes_are_walked_to_an_end() {
    let good = filled(X86_64);
    for at in 0..good.sections[2].content.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = good.clone();
            damaged.sections[2].content[at] ^= mask;
            // An error or not: no more is asked.
            let _ = UnwindTables::read(&damaged.read());
        }
    }
}
