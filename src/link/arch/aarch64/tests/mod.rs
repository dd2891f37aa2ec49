//! Fixups, kind by kind.

mod relax;
mod rows;
mod thread_local;

use super::kinds::CONSTANTS;
use super::{Aarch64, kind};
use crate::link::arch::testing::{self, fixup_of_value};
use crate::link::arch::{Architecture, FixupError};
use crate::link::edge::EdgeKind;
use rows::words::*;
use rows::*;

/// The word after fixing up `word` with a computed value of `value`.
fn apply(kind: EdgeKind, word: u32, value: i64) -> Result<u32, FixupError> {
    let mut block = word.to_le_bytes();
    let result = Aarch64.apply(&fixup_of_value(kind, value), &mut block);
    let after = u32::from_le_bytes(block);
    match result {
        Ok(()) => Ok(after),
        Err(error) => {
            assert_eq!(after, word, "an error leaves the block alone");
            Err(error)
        }
    }
}

fn out_of_range(value: i64, (min, max): (i64, i64)) -> FixupError {
    FixupError::OutOfRange { value: value.into(), min: min.into(), max: max.into() }
}

#[test]
fn constants_are_indexes_of_the_table() {
    testing::check_table(&Aarch64, CONSTANTS);
}

#[test]
fn any_input_is_survived() {
    testing::check_any_input(&Aarch64);
}

#[test]
fn fields_outside_the_block_are_errors() {
    testing::check_outside_block(&Aarch64);
}

#[test]
fn every_kind_is_in_one_table_of_the_tests() {
    for &(kind, name) in CONSTANTS {
        let data = DATA.iter().filter(|row| row.0 == kind).count();
        let instructions = ROWS.iter().filter(|row| row.kind == kind).count();
        let rewritten = usize::from(thread_local::is_rewriting(kind));
        assert_eq!(data + instructions + rewritten, usize::from(kind != kind::KEEP_ALIVE), "{name}");
    }
}

#[test]
fn data_at_the_limits_is_written() {
    for &(kind, (min, max)) in DATA {
        let width = usize::from(Aarch64.edge_kinds()[usize::from(kind.0)].width);
        for value in [min, max, 0, -1, 1] {
            let mut block = [0xee; 10];
            Aarch64.apply(&fixup_of_value(kind, value), &mut block).unwrap();
            let (field, rest) = block.split_at(width);
            assert_eq!(field, &value.to_le_bytes()[..width], "{kind:?} {value:#x}");
            assert!(rest.iter().all(|&byte| byte == 0xee), "{kind:?}");
        }
    }
}

#[test]
fn data_past_the_limits_is_an_error() {
    for &(kind, limits) in DATA.iter().filter(|row| row.1 != ALL) {
        for value in [limits.0 - 1, limits.1 + 1, i64::MIN, i64::MAX] {
            let result = Aarch64.apply(&fixup_of_value(kind, value), &mut [0; 8]);
            assert_eq!(result, Err(out_of_range(value, limits)), "{kind:?} {value:#x}");
        }
    }
}

#[test]
fn instructions_hold_what_they_were_given() {
    for row in ROWS {
        for (&word, value) in row.words.iter().flat_map(|word| row.values().into_iter().map(move |v| (word, v))) {
            let after = apply(row.kind, word, value).unwrap();
            let read = decode(row.decode, after);
            assert_eq!(read & row.mask, value & row.mask, "{:?} {word:#x} {value:#x}", row.kind);
        }
    }
}

#[test]
fn earlier_contents_of_fields_do_not_matter() {
    for row in ROWS {
        for &word in row.words {
            for value in row.values() {
                let clean = apply(row.kind, word, value).unwrap();
                let again = match row.decode {
                    // An instruction that was rewritten is no load any more.
                    _ if row.kind == kind::RELAXED_ADD => apply(row.kind, word | 0xfff << 10, value),
                    _ => apply(row.kind, apply(row.kind, word, row.limits.1 & -row.align).unwrap(), value),
                };
                assert_eq!(again, Ok(clean), "{:?} {word:#x} {value:#x}", row.kind);
            }
        }
    }
}

#[test]
fn fields_are_all_that_changes() {
    for row in ROWS.iter().filter(|row| row.kind != kind::RELAXED_ADD) {
        let field = match row.decode {
            Decode::Words(low, width) => ((1 << width) - 1) << low,
            Decode::Adr(_) => 0x60ff_ffe0,
            Decode::Imm12(_) => 0x003f_fc00,
            Decode::Wide => 0x001f_ffe0,
            Decode::SignedWide => 0x401f_ffe0,
        };
        for &word in row.words {
            for value in row.values() {
                let after = apply(row.kind, word, value).unwrap();
                assert_eq!((after ^ word) & !field, 0, "{:?} {word:#x} {value:#x}", row.kind);
            }
        }
    }
}

#[test]
fn instructions_past_the_limits_are_errors() {
    for row in ROWS.iter().filter(|row| row.limits != ALL) {
        let (min, max) = row.limits;
        // Pages come as differences of pages, so values step from page to page.
        let step = row.align;
        for value in [min - step, (max & -step) + step, min - 1, max + 1] {
            if row.align == 0x1000 && value % 0x1000 != 0 {
                continue;
            }
            let result = apply(row.kind, row.words[0], value);
            assert_eq!(result, Err(out_of_range(value, row.limits)), "{:?} {value:#x}", row.kind);
        }
    }
}

#[test]
fn misaligned_values_are_errors() {
    let cannot = |row: &&Row| row.align > 1 && row.align < 0x1000;
    for row in ROWS.iter().filter(cannot) {
        for value in 1..row.align {
            let error = FixupError::Misaligned { value: value as u64, align: row.align as u64 };
            assert_eq!(apply(row.kind, row.words[0], value), Err(error), "{:?}", row.kind);
        }
    }
}

#[test]
fn other_instructions_are_errors_that_name_the_right_one() {
    for row in ROWS {
        for word in words::all().into_iter().filter(|word| !row.words.contains(word)) {
            let error = FixupError::WrongInstruction { expected: row.expected, found: word.into() };
            assert_eq!(apply(row.kind, word, 0), Err(error), "{:?} {word:#x}", row.kind);
        }
    }
}

#[test]
fn encodings_are_those_of_an_assembler() {
    let cases = [
        (kind::BRANCH26, BL, -4, 0x97ff_ffff),
        (kind::COND_BRANCH19, B_EQ, 0x1000, 0x5400_8000),
        (kind::COND_BRANCH19, CBNZ_W, -8, 0x35ff_ffc3),
        (kind::TEST_AND_BRANCH14, TBZ_40, 0x1000, 0xb640_8003),
        (kind::TEST_AND_BRANCH14, TBNZ_4, -4, 0x3727_ffe3),
        (kind::LDR_LITERAL19, LDRSW_LITERAL, 0x1000, 0x9800_8005),
        (kind::ADR_LITERAL21, ADR, 0xfffff, 0x707f_ffe5),
        (kind::PAGE21, ADRP, 0x1234_5000, 0xb009_1a25),
        (kind::PAGE_OFFSET12, ADD, 0x123, 0x9104_8cc5),
        (kind::PAGE_OFFSET12_LDST64, LDR, 8, 0xf940_04c5),
        (kind::MOVE_WIDE_SIGNED_G0, MOVZ[0], -1, 0x9280_0005),
    ];
    for (kind, word, value, encoding) in cases {
        assert_eq!(apply(kind, word, value), Ok(encoding), "{kind:?}");
    }
}

#[test]
fn relaxed_load_becomes_an_add_of_the_same_registers() {
    // ldr x5, [x6, #0x7ff8] -> add x5, x6, #0x123
    assert_eq!(apply(kind::RELAXED_ADD, LDR | 0xfff << 10, 0x7123), Ok(0x9104_8cc5));
}

#[test]
fn relative_kinds_do_not_notice_a_move() {
    // Data, bl, b.eq, tbz, adrp, add, ldrb, ldrh, ldr (32, 64 and 128 bits), ldr (literal), movz.
    let instructions = [
        0,
        0x9400_0000,
        0x5400_0000,
        0x3600_0000,
        0x9000_0000,
        0x9100_0000,
        0x3940_0000,
        0x7940_0000,
        0xb940_0000,
        0xf940_0000,
        0x3dc0_0000,
        0x5800_0000,
        0xd280_0000,
    ];
    let tried = super::super::testing::relative_kinds_are_those_that_do_not_notice_a_move(&Aarch64, &instructions);
    assert!(tried > 30, "{tried}");
}
