//! Every relocation type: in which forms it means something, what it computes, and how far it reaches.

use super::of;
use crate::base::Arch::{self, Aarch64, X86_64};
use crate::link::arch::{self, Fixup, FixupError};
use crate::link::macho::testing::*;

/// One form of a relocation type that has a meaning: type, counted from the place, length, extern; what stands in the place; the kind of its edge;
/// the addend if that is 0 in the source.
struct Row(Arch, &'static str, u8, bool, u8, u64, &'static str, i64, Range);

/// What the value may be.
#[derive(Clone, Copy, Debug)]
enum Range {
    /// Whatever there is.
    Any,
    /// `T + A` from the first to the last number, both included, in steps of the third.
    Target(i64, i64, i64),
    /// `T - P + A`.
    Delta(i64, i64, i64),
    /// `Page(T + A) - Page(P)`.
    Page(i64, i64, i64),
}

const S32: Range = Range::Delta(-(1 << 31), (1 << 31) - 1, 1);
const ADRP: u64 = 0x9000_0000;
const ADD: u64 = 0x9100_0000;
const LDRB: u64 = 0x3940_0000;
const LDRH: u64 = 0x7940_0000;
const LDRW: u64 = 0xb940_0000;
const LDRX: u64 = 0xf940_0000;
const LDRQ: u64 = 0x3dc0_0000;
const BL: u64 = 0x9400_0000;
const PAGES: Range = Range::Page(-(1 << 32), (1 << 32) - 0x1000, 0x1000);
const NEAR: Range = Range::Delta(-(1 << 27), (1 << 27) - 4, 4);

const ROWS: &[Row] = &[
    Row(X86_64, "X86_64_RELOC_UNSIGNED", 0, false, 3, 0, "Pointer64", 0, Range::Any),
    Row(X86_64, "X86_64_RELOC_UNSIGNED", 0, false, 2, 0, "Pointer32", 0, Range::Target(0, (1 << 32) - 1, 1)),
    Row(X86_64, "X86_64_RELOC_UNSIGNED", 0, false, 1, 0, "Pointer16", 0, Range::Target(-(1 << 15), (1 << 16) - 1, 1)),
    Row(X86_64, "X86_64_RELOC_UNSIGNED", 0, false, 0, 0, "Pointer8", 0, Range::Target(-(1 << 7), (1 << 8) - 1, 1)),
    Row(X86_64, "X86_64_RELOC_SIGNED", 1, true, 2, 0, "Delta32", -4, S32),
    Row(X86_64, "X86_64_RELOC_BRANCH", 2, true, 2, 0, "BranchPCRel32", -4, S32),
    Row(X86_64, "X86_64_RELOC_GOT_LOAD", 3, true, 2, 0, "RequestGOTAndTransformToPCRel32GOTLoadREXRelaxable", -4, S32),
    Row(X86_64, "X86_64_RELOC_GOT", 4, true, 2, 0, "RequestGOTAndTransformToDelta32", -4, S32),
    Row(X86_64, "X86_64_RELOC_SIGNED_1", 6, true, 2, 0xffff_ffff, "Delta32", -5, S32),
    Row(X86_64, "X86_64_RELOC_SIGNED_2", 7, true, 2, 0xffff_fffe, "Delta32", -6, S32),
    Row(X86_64, "X86_64_RELOC_SIGNED_4", 8, true, 2, 0xffff_fffc, "Delta32", -8, S32),
    Row(X86_64, "X86_64_RELOC_TLV", 9, true, 2, 0, "RequestGOTAndTransformToPCRel32GOTLoadREXRelaxable", -4, S32),
    Row(Aarch64, "ARM64_RELOC_UNSIGNED", 0, false, 3, 0, "Pointer64", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_UNSIGNED", 0, false, 2, 0, "Pointer32", 0, Range::Target(-(1 << 31), (1 << 32) - 1, 1)),
    Row(Aarch64, "ARM64_RELOC_UNSIGNED", 0, false, 1, 0, "Pointer16", 0, Range::Target(-(1 << 15), (1 << 16) - 1, 1)),
    Row(Aarch64, "ARM64_RELOC_BRANCH26", 2, true, 2, BL, "Branch26PCRel", 0, NEAR),
    Row(Aarch64, "ARM64_RELOC_PAGE21", 3, true, 2, ADRP, "Page21", 0, PAGES),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, ADD, "PageOffset12", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, LDRB, "PageOffset12LDST8", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, LDRH, "PageOffset12LDST16", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, LDRW, "PageOffset12LDST32", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, LDRX, "PageOffset12LDST64", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_PAGEOFF12", 4, false, 2, LDRQ, "PageOffset12LDST128", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_GOT_LOAD_PAGE21", 5, true, 2, ADRP, "RequestGOTAndTransformToPage21", 0, PAGES),
    Row(
        Aarch64,
        "ARM64_RELOC_GOT_LOAD_PAGEOFF12",
        6,
        false,
        2,
        LDRX,
        "RequestGOTAndTransformToPageOffset12",
        0,
        Range::Any,
    ),
    Row(Aarch64, "ARM64_RELOC_POINTER_TO_GOT", 7, true, 2, 0, "RequestGOTAndTransformToDelta32", 0, S32),
    Row(Aarch64, "ARM64_RELOC_POINTER_TO_GOT", 7, false, 3, 0, "RequestGOTAndTransformToPointer64", 0, Range::Any),
    Row(Aarch64, "ARM64_RELOC_TLVP_LOAD_PAGE21", 8, true, 2, ADRP, "RequestGOTAndTransformToPage21", 0, PAGES),
    Row(
        Aarch64,
        "ARM64_RELOC_TLVP_LOAD_PAGEOFF12",
        9,
        false,
        2,
        LDRX,
        "RequestGOTAndTransformToPageOffset12",
        0,
        Range::Any,
    ),
];

/// The types that come in front of others, with the lengths they may have.
const FIRSTS: &[(Arch, &str, u8, &[u8])] = &[
    (X86_64, "X86_64_RELOC_SUBTRACTOR", 5, &[2, 3]),
    (Aarch64, "ARM64_RELOC_SUBTRACTOR", 1, &[2, 3]),
    (Aarch64, "ARM64_RELOC_ADDEND", 10, &[2]),
];

/// A file with `word` in a section of `arch` at offset 0, relocated as `row` says, against an undefined symbol.
fn file(row: &Row) -> TestFile {
    let Row(arch, _, r_type, pcrel, length, word, ..) = *row;
    let mut section = text(&[&word.to_le_bytes()[..], &[0; 8]].concat());
    section.relocations.push(relocation(0, r_type, pcrel, length, true, 0));
    TestFile::new(arch, vec![section], vec![TestSymbol("_target", EXT, 0, 0, 0)])
}

#[test]
fn every_type_has_its_edge_and_addend() {
    for row in ROWS {
        let Row(arch, name, r_type, .., kind, addend, _) = *row;
        let read = file(row).read();
        let edges = edges(&read, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(edges.len(), 1, "{name}");
        assert_eq!((kind_name(arch, &edges[0]), edges[0].addend, edges[0].symbol), (kind, addend, 0), "{name}");
        assert_eq!(of(arch).unwrap().name(r_type), Some(name));
    }
}

#[test]
fn every_other_form_is_refused_with_the_name_of_the_type() {
    for arch in [X86_64, Aarch64] {
        for r_type in 0..16u8 {
            for (pcrel, length) in (0..4).flat_map(|length| [(false, length), (true, length)]) {
                let known = |row: &&Row| row.0 == arch && (row.2, row.3, row.4) == (r_type, pcrel, length);
                let first = |row: &&(Arch, &str, u8, &[u8])| {
                    row.0 == arch && row.2 == r_type && !pcrel && row.3.contains(&length)
                };
                if ROWS.iter().any(|row| known(&row)) || FIRSTS.iter().any(|row| first(&row)) {
                    continue;
                }
                let row = Row(arch, "", r_type, pcrel, length, 0, "", 0, Range::Any);
                let message = edges(&file(&row).read(), 0).expect_err("refused").to_string();
                let name = of(arch).unwrap().name(r_type).map_or(format!("type {r_type}"), str::to_string);
                assert!(message.starts_with("In file.o, section __TEXT,__text, offset 0x0: "), "{message}");
                assert!(message.contains(&format!("{name} ")), "{message}");
            }
        }
    }
}

/// The value that was written over `word` with a kind for `range`, taken out of its field again.
fn written(row: &Row, bytes: &[u8]) -> i64 {
    let Row(arch, _, _, _, length, _, _, _, range) = *row;
    let size = 1usize << length;
    let value = bytes[..size].iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
    let unused = 64 - 8 * size as u32;
    match (arch, range) {
        (Aarch64, Range::Delta(_, last, 4)) if last < 1 << 28 => i64::from((value as i32) << 6 >> 6) * 4,
        (Aarch64, Range::Page(..)) => {
            let immediate = (value >> 5 & 0x7_ffff) << 2 | value >> 29 & 3;
            ((immediate << 43) as i64 >> 43) * 0x1000
        }
        _ => (value << unused) as i64 >> unused,
    }
}

/// Applies the edge of `row` so that its formula has the value `value`.
fn apply(row: &Row, value: i64) -> Result<Vec<u8>, FixupError> {
    let Row(arch, .., addend, range) = *row;
    let architecture = arch::of(arch).unwrap();
    let place = 0x7000_0000_0000u64;
    let base = match range {
        Range::Any | Range::Target(..) => 0,
        Range::Delta(..) | Range::Page(..) => place,
    };
    let read = file(row).read();
    let edge = edges(&read, 0).expect("it is an edge")[0];
    let mut bytes = read.sections.at(0).content.to_vec();
    let target = base.wrapping_add_signed(value).wrapping_sub(addend as u64);
    let kind = match architecture.edge_kinds()[usize::from(edge.kind.0)].class {
        crate::link::EdgeClass::Got { plain } => plain,
        _ => edge.kind,
    };
    let fixup = Fixup { kind, offset: 0, address: place, target, addend: edge.addend, got: 0, size: 0 };
    architecture.apply(&fixup, &mut bytes).map(|()| bytes)
}

#[test]
fn values_at_both_limits_are_written_and_those_beyond_refused() {
    for row in ROWS {
        let (first, last, step) = match row.8 {
            Range::Any => continue,
            Range::Target(first, last, step) | Range::Delta(first, last, step) | Range::Page(first, last, step) => {
                (first, last, step)
            }
        };
        let bits = 8u32 << row.4;
        for value in [first, first + step, 0, step, last - step, last] {
            let bytes = apply(row, value).unwrap_or_else(|error| panic!("{} {value:#x}: {error}", row.1));
            let unused = if bits < 64 && last > 1 << (bits - 1) { 64 - bits } else { 0 };
            assert_eq!(written(row, &bytes) << unused, value << unused, "{} {value:#x}", row.1);
        }
        for value in [first - step, last + step] {
            let refused = matches!(apply(row, value), Err(FixupError::OutOfRange { .. }));
            assert!(refused, "{} {value:#x}", row.1);
        }
    }
}

#[test]
fn low_twelve_bits_are_written_in_units_of_the_access() {
    for row in ROWS.iter().filter(|row| row.6.contains("PageOffset12")) {
        let size: i64 = match row.5 {
            ADD | LDRB => 1,
            LDRH => 2,
            LDRW => 4,
            LDRX => 8,
            _ => 16,
        };
        for value in [0, size, 0xfff & -size, 0x1_2345_6000 + size] {
            let bytes = apply(row, value).unwrap_or_else(|error| panic!("{} {value:#x}: {error}", row.1));
            let word = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            assert_eq!(i64::from(word >> 10 & 0xfff) * size, value & 0xfff, "{} {value:#x}", row.1);
        }
        if size > 1 {
            assert!(matches!(apply(row, size / 2), Err(FixupError::Misaligned { .. })), "{}", row.1);
        }
    }
}

#[test]
fn instructions_with_addends_of_their_own_are_refused() {
    for row in ROWS.iter().filter(|row| row.0 == Aarch64 && [BL, ADRP, ADD, LDRX].contains(&row.5)) {
        let field = if row.5 == BL {
            1
        } else if row.5 == ADRP {
            1 << 29
        } else {
            1 << 10
        };
        let row = Row(row.0, row.1, row.2, row.3, row.4, row.5 | field, row.6, row.7, row.8);
        let message = edges(&file(&row).read(), 0).expect_err("refused").to_string();
        assert!(message.contains("ARM64_RELOC_ADDEND"), "{message}");
    }
}

#[test]
fn page_offsets_are_for_additions_and_accesses_only() {
    let row = Row(Aarch64, "", 4, false, 2, BL, "", 0, Range::Any);
    let message = edges(&file(&row).read(), 0).expect_err("refused").to_string();
    assert!(message.contains("neither ADD nor LDR/STR"), "{message}");
}

#[test]
fn an_architecture_that_can_only_be_named_has_no_types() {
    assert!(of(Arch::Riscv64).is_none());
}
