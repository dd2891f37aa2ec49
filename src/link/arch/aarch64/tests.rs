use super::kinds::CONSTANTS;
use super::{Aarch64, kind};
use crate::base::AddrRange;
use crate::link::arch::testing::{
    self, CODE, FAR, LINKED, NEAR, apply_all, fixup_of_value, graph, kinds,
};
use crate::link::arch::{Architecture, Fixup, FixupError, Reach};
use crate::link::edge::EdgeKind;
use crate::link::graph::{BlockId, LinkGraph, SymbolPlace};

/// Values of `bits` bits in two's complement.
const fn signed(bits: u32) -> (i64, i64) {
    (-1 << (bits - 1), (1 << (bits - 1)) - 1)
}

const fn unsigned(bits: u32) -> (i64, i64) {
    (0, (1 << bits) - 1)
}

const ALL: (i64, i64) = (i64::MIN, i64::MAX);

/// Plain data: what fits by AAELF64, table "Data relocations" and "GOT-relative data relocations".
const DATA: &[(EdgeKind, (i64, i64))] = &[
    (kind::POINTER64, ALL),
    (kind::POINTER32, (-0x8000_0000, 0xffff_ffff)),
    (kind::POINTER16, (-0x8000, 0xffff)),
    (kind::DELTA64, ALL),
    (kind::DELTA32, (-0x8000_0000, 0xffff_ffff)),
    (kind::DELTA32_SIGNED, signed(32)),
    (kind::DELTA16, (-0x8000, 0xffff)),
    (kind::NEG_DELTA64, ALL),
    (kind::NEG_DELTA32, signed(32)),
    (kind::DELTA64_FROM_GOT, ALL),
    (kind::DELTA32_FROM_GOT, signed(32)),
    (kind::REQUEST_GOT_DELTA32, signed(32)),
    (kind::FUNCTION_DELTA32, signed(32)),
    (kind::FUNCTION_DELTA32_VIA_STUB, signed(32)),
];

/// How a test reads a value back from an instruction, written down from the encoding tables of the Arm manual.
#[derive(Clone, Copy, Debug)]
enum Decode {
    /// A signed field of so many bits from bit `.0`, in units of 4 bytes.
    Words(u32, u32),
    /// immhi:immlo, shifted left by so much.
    Adr(u32),
    /// imm12, shifted left by so much.
    Imm12(u32),
    /// imm16 at its hw position.
    Wide,
    /// The value that `MOVZ` and `MOVN` leave in a register.
    SignedWide,
}

fn decode(how: Decode, word: u32) -> i64 {
    let wide = i64::from(word >> 5 & 0xffff) << (16 * (word >> 21 & 3));
    match how {
        Decode::Words(low, width) => {
            let top = 32 - low - width;
            i64::from(((word << top) as i32) >> (low + top)) * 4
        }
        Decode::Adr(shift) => {
            let high = i64::from((word << 8) as i32 >> 13);
            (high << 2 | i64::from(word >> 29 & 3)) << shift
        }
        Decode::Imm12(shift) => i64::from(word >> 10 & 0xfff) << shift,
        Decode::Wide => wide,
        Decode::SignedWide => match word >> 29 & 3 {
            0 => !wide,
            2 => wide,
            _ => panic!("{word:#x} is MOVK"),
        },
    }
}

/// Instructions the kinds are for, as an assembler makes them with empty fields.
mod words {
    pub const B: u32 = 0x1400_0000;
    pub const BL: u32 = 0x9400_0000;
    pub const B_EQ: u32 = 0x5400_0000;
    pub const BC_NE: u32 = 0x5400_0011;
    pub const CBZ: u32 = 0xb400_0003;
    pub const CBNZ_W: u32 = 0x3500_0003;
    pub const TBZ_40: u32 = 0xb640_0003;
    pub const TBNZ_4: u32 = 0x3720_0003;
    pub const LDR_LITERAL: u32 = 0x5800_0005;
    pub const LDR_LITERAL_W: u32 = 0x1800_0005;
    pub const LDR_LITERAL_Q: u32 = 0x9c00_0005;
    pub const LDRSW_LITERAL: u32 = 0x9800_0005;
    pub const ADR: u32 = 0x1000_0005;
    pub const ADRP: u32 = 0x9000_0005;
    pub const ADD: u32 = 0x9100_00c5;
    pub const ADD_W: u32 = 0x1100_00c5;
    pub const ADDS: u32 = 0xb100_00c5;
    pub const SUB: u32 = 0xd100_00c5;
    pub const ADD_LSL12: u32 = 0x9140_00c5;
    pub const LDRB: u32 = 0x3940_00c5;
    pub const STRB: u32 = 0x3900_00c5;
    pub const LDRSB: u32 = 0x3980_00c5;
    pub const LDR_B: u32 = 0x3d40_00c5;
    pub const LDRH: u32 = 0x7940_00c5;
    pub const STR_H: u32 = 0x7d00_00c5;
    pub const LDR_W: u32 = 0xb940_00c5;
    pub const LDRSW: u32 = 0xb980_00c5;
    pub const STR_S: u32 = 0xbd00_00c5;
    pub const LDR: u32 = 0xf940_00c5;
    pub const STR: u32 = 0xf900_00c5;
    pub const LDR_D: u32 = 0xfd40_00c5;
    pub const PRFM: u32 = 0xf980_00c0;
    pub const LDR_Q: u32 = 0x3dc0_00c5;
    pub const STR_Q: u32 = 0x3d80_00c5;
    pub const LDUR: u32 = 0xf840_00c5;
    pub const MOVZ: [u32; 4] = [0xd280_0005, 0xd2a0_0005, 0xd2c0_0005, 0xd2e0_0005];
    pub const MOVK: [u32; 4] = [0xf280_0005, 0xf2a0_0005, 0xf2c0_0005, 0xf2e0_0005];
    pub const MOVN: [u32; 4] = [0x9280_0005, 0x92a0_0005, 0x92c0_0005, 0x92e0_0005];
    pub const MOVZ_W: u32 = 0x5280_0005;
    pub const NOP: u32 = 0xd503_201f;

    /// Every one of them.
    pub fn all() -> Vec<u32> {
        let single = [
            B,
            BL,
            B_EQ,
            BC_NE,
            CBZ,
            CBNZ_W,
            TBZ_40,
            TBNZ_4,
            LDR_LITERAL,
            LDR_LITERAL_W,
            LDR_LITERAL_Q,
            LDRSW_LITERAL,
            ADR,
            ADRP,
            ADD,
            ADD_W,
            ADDS,
            SUB,
            ADD_LSL12,
            LDRB,
            STRB,
            LDRSB,
            LDR_B,
            LDRH,
            STR_H,
            LDR_W,
            LDRSW,
            STR_S,
            LDR,
            STR,
            LDR_D,
            PRFM,
            LDR_Q,
            STR_Q,
            LDUR,
            MOVZ_W,
            NOP,
        ];
        [&single[..], &MOVZ, &MOVK, &MOVN].concat()
    }
}
use words::*;

/// What an instruction kind does by AAELF64.
struct Row {
    kind: EdgeKind,
    /// The instructions it is for.
    words: &'static [u32],
    /// What the error says other instructions are not.
    expected: &'static str,
    /// What fits; values are tried at the limits, rounded inwards to `align`.
    limits: (i64, i64),
    /// What must divide the value.
    align: i64,
    /// The bits of the value that the field holds.
    mask: i64,
    decode: Decode,
}

const fn row(
    kind: EdgeKind,
    words: &'static [u32],
    expected: &'static str,
    limits: (i64, i64),
    align: i64,
    mask: i64,
    decode: Decode,
) -> Row {
    Row {
        kind,
        words,
        expected,
        limits,
        align,
        mask,
        decode,
    }
}

const UNSIGNED_WIDE: [&str; 4] = [
    "a MOVK/MOVZ (imm16, LSL #0) instruction",
    "a MOVK/MOVZ (imm16, LSL #16) instruction",
    "a MOVK/MOVZ (imm16, LSL #32) instruction",
    "a MOVK/MOVZ (imm16, LSL #48) instruction",
];
const SIGNED_WIDE: [&str; 4] = [
    "a MOVN/MOVZ (imm16, LSL #0) instruction",
    "a MOVN/MOVZ (imm16, LSL #16) instruction",
    "a MOVN/MOVZ (imm16, LSL #32) instruction",
    "a MOVN/MOVZ (imm16, LSL #48) instruction",
];
const ZK: [&[u32]; 4] = [
    &[MOVZ[0], MOVK[0], MOVZ_W],
    &[MOVZ[1], MOVK[1]],
    &[MOVZ[2], MOVK[2]],
    &[MOVZ[3], MOVK[3]],
];
const ZN: [&[u32]; 4] = [
    &[MOVZ[0], MOVN[0], MOVZ_W],
    &[MOVZ[1], MOVN[1]],
    &[MOVZ[2], MOVN[2]],
    &[MOVZ[3], MOVN[3]],
];

const fn wide(kind: EdgeKind, group: usize, limits: (i64, i64)) -> Row {
    let mask = 0xffff << (16 * group);
    row(
        kind,
        ZK[group],
        UNSIGNED_WIDE[group],
        limits,
        1,
        mask,
        Decode::Wide,
    )
}

const fn signed_wide(kind: EdgeKind, group: usize) -> Row {
    // One group's instruction alone leaves zeroes (or, negative, ones) in all other bits.
    let mask = 0xffff << (16 * group) | i64::MIN;
    let limits = if group == 3 {
        ALL
    } else {
        signed(17 + 16 * group as u32)
    };
    row(
        kind,
        ZN[group],
        SIGNED_WIDE[group],
        limits,
        1,
        mask,
        Decode::SignedWide,
    )
}

const BRANCHES: &[u32] = &[B, BL];
const BRANCH: &str = "a B or BL instruction";
const LITERALS: &[u32] = &[LDR_LITERAL, LDR_LITERAL_W, LDR_LITERAL_Q, LDRSW_LITERAL];
const LITERAL: &str = "an LDR Literal instruction";
const LDST64: &[u32] = &[LDR, STR, LDR_D, PRFM];
const LDST64_NAME: &str = "a LDR/STR (imm12, 64 bit) instruction";
const LDR64_NAME: &str = "a LDR (imm12, 64 bit) instruction";
const PAGES: i64 = 0x1_ffff_f000;

const ROWS: &[Row] = &[
    row(
        kind::BRANCH26,
        BRANCHES,
        BRANCH,
        signed(28),
        4,
        -1,
        Decode::Words(0, 26),
    ),
    row(
        kind::BRANCH26_VIA_STUB,
        BRANCHES,
        BRANCH,
        signed(28),
        4,
        -1,
        Decode::Words(0, 26),
    ),
    row(
        kind::COND_BRANCH19,
        &[B_EQ, BC_NE, CBZ, CBNZ_W],
        "a conditional branch instruction",
        signed(21),
        4,
        -1,
        Decode::Words(5, 19),
    ),
    row(
        kind::TEST_AND_BRANCH14,
        &[TBZ_40, TBNZ_4],
        "a test and branch instruction",
        signed(16),
        4,
        -1,
        Decode::Words(5, 14),
    ),
    row(
        kind::LDR_LITERAL19,
        LITERALS,
        LITERAL,
        signed(21),
        4,
        -1,
        Decode::Words(5, 19),
    ),
    row(
        kind::REQUEST_GOT_LITERAL19,
        LITERALS,
        LITERAL,
        signed(21),
        4,
        -1,
        Decode::Words(5, 19),
    ),
    row(
        kind::ADR_LITERAL21,
        &[ADR],
        "an ADR instruction",
        signed(21),
        1,
        -1,
        Decode::Adr(0),
    ),
    row(
        kind::PAGE21,
        &[ADRP],
        "an ADRP instruction",
        signed(33),
        0x1000,
        -1,
        Decode::Adr(12),
    ),
    row(
        kind::PAGE21_NC,
        &[ADRP],
        "an ADRP instruction",
        ALL,
        0x1000,
        PAGES,
        Decode::Adr(12),
    ),
    row(
        kind::REQUEST_GOT_PAGE21,
        &[ADRP],
        "an ADRP instruction",
        signed(33),
        0x1000,
        -1,
        Decode::Adr(12),
    ),
    row(
        kind::PAGE_OFFSET12,
        &[ADD, ADD_W, ADDS],
        "an ADD (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(
        kind::PAGE_OFFSET12_LDST8,
        &[LDRB, STRB, LDRSB, LDR_B],
        "a LDRB/STRB (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(
        kind::PAGE_OFFSET12_LDST16,
        &[LDRH, STR_H],
        "a LDRH/STRH (imm12) instruction",
        ALL,
        2,
        0xfff,
        Decode::Imm12(1),
    ),
    row(
        kind::PAGE_OFFSET12_LDST32,
        &[LDR_W, LDRSW, STR_S],
        "a LDR/STR (imm12, 32 bit) instruction",
        ALL,
        4,
        0xfff,
        Decode::Imm12(2),
    ),
    row(
        kind::PAGE_OFFSET12_LDST64,
        LDST64,
        LDST64_NAME,
        ALL,
        8,
        0xfff,
        Decode::Imm12(3),
    ),
    row(
        kind::REQUEST_GOT_PAGE_OFFSET12,
        LDST64,
        LDST64_NAME,
        ALL,
        8,
        0xfff,
        Decode::Imm12(3),
    ),
    row(
        kind::PAGE_OFFSET12_LDST128,
        &[LDR_Q, STR_Q],
        "a LDR/STR (imm12, 128 bit) instruction",
        ALL,
        16,
        0xfff,
        Decode::Imm12(4),
    ),
    row(
        kind::GOT_OFFSET15,
        &[LDR],
        LDR64_NAME,
        unsigned(15),
        8,
        -1,
        Decode::Imm12(3),
    ),
    row(
        kind::GOT_PAGE_OFFSET15,
        &[LDR],
        LDR64_NAME,
        unsigned(15),
        8,
        -1,
        Decode::Imm12(3),
    ),
    row(
        kind::REQUEST_GOT_OFFSET15,
        &[LDR],
        LDR64_NAME,
        unsigned(15),
        8,
        -1,
        Decode::Imm12(3),
    ),
    row(
        kind::REQUEST_GOT_PAGE_OFFSET15,
        &[LDR],
        LDR64_NAME,
        unsigned(15),
        8,
        -1,
        Decode::Imm12(3),
    ),
    row(
        kind::RELAXED_ADD,
        &[LDR],
        LDR64_NAME,
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    wide(kind::MOVE_WIDE_G0, 0, unsigned(16)),
    wide(kind::MOVE_WIDE_G0_NC, 0, ALL),
    wide(kind::MOVE_WIDE_G1, 1, unsigned(32)),
    wide(kind::MOVE_WIDE_G1_NC, 1, ALL),
    wide(kind::MOVE_WIDE_G2, 2, unsigned(48)),
    wide(kind::MOVE_WIDE_G2_NC, 2, ALL),
    wide(kind::MOVE_WIDE_G3, 3, ALL),
    wide(kind::MOVE_WIDE_DELTA_G0_NC, 0, ALL),
    wide(kind::MOVE_WIDE_DELTA_G1_NC, 1, ALL),
    wide(kind::MOVE_WIDE_DELTA_G2_NC, 2, ALL),
    wide(kind::MOVE_WIDE_FROM_GOT_G0_NC, 0, ALL),
    wide(kind::MOVE_WIDE_FROM_GOT_G1_NC, 1, ALL),
    wide(kind::MOVE_WIDE_FROM_GOT_G2_NC, 2, ALL),
    wide(kind::REQUEST_GOT_MOVE_WIDE_G0_NC, 0, ALL),
    wide(kind::REQUEST_GOT_MOVE_WIDE_G1_NC, 1, ALL),
    wide(kind::REQUEST_GOT_MOVE_WIDE_G2_NC, 2, ALL),
    signed_wide(kind::MOVE_WIDE_SIGNED_G0, 0),
    signed_wide(kind::MOVE_WIDE_SIGNED_G1, 1),
    signed_wide(kind::MOVE_WIDE_SIGNED_G2, 2),
    signed_wide(kind::MOVE_WIDE_DELTA_G0, 0),
    signed_wide(kind::MOVE_WIDE_DELTA_G1, 1),
    signed_wide(kind::MOVE_WIDE_DELTA_G2, 2),
    signed_wide(kind::MOVE_WIDE_DELTA_G3, 3),
    signed_wide(kind::MOVE_WIDE_FROM_GOT_G0, 0),
    signed_wide(kind::MOVE_WIDE_FROM_GOT_G1, 1),
    signed_wide(kind::MOVE_WIDE_FROM_GOT_G2, 2),
    signed_wide(kind::MOVE_WIDE_FROM_GOT_G3, 3),
    signed_wide(kind::REQUEST_GOT_MOVE_WIDE_G0, 0),
    signed_wide(kind::REQUEST_GOT_MOVE_WIDE_G1, 1),
    signed_wide(kind::REQUEST_GOT_MOVE_WIDE_G2, 2),
    signed_wide(kind::REQUEST_GOT_MOVE_WIDE_G3, 3),
];

impl Row {
    /// Smallest, largest, and some other values that fit, all aligned.
    fn values(&self) -> Vec<i64> {
        let (min, max) = self.limits;
        let middle = [
            0,
            self.align,
            -self.align,
            0x5a5a_5a5a_5a5a_5000,
            0x1234_5678_9abc_def0 & -16,
        ];
        let inside = middle
            .into_iter()
            .filter(|value| (min..=max).contains(value));
        inside.chain([min, max & -self.align]).collect()
    }
}

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
    FixupError::OutOfRange {
        value: value.into(),
        min: min.into(),
        max: max.into(),
    }
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
        assert_eq!(
            data + instructions,
            usize::from(kind != kind::KEEP_ALIVE),
            "{name}"
        );
    }
}

#[test]
fn data_at_the_limits_is_written() {
    for &(kind, (min, max)) in DATA {
        let width = usize::from(Aarch64.edge_kinds()[usize::from(kind.0)].width);
        for value in [min, max, 0, -1, 1] {
            let mut block = [0xee; 10];
            Aarch64
                .apply(&fixup_of_value(kind, value), &mut block)
                .unwrap();
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
            assert_eq!(
                result,
                Err(out_of_range(value, limits)),
                "{kind:?} {value:#x}"
            );
        }
    }
}

#[test]
fn instructions_hold_what_they_were_given() {
    for row in ROWS {
        for (&word, value) in row
            .words
            .iter()
            .flat_map(|word| row.values().into_iter().map(move |v| (word, v)))
        {
            let after = apply(row.kind, word, value).unwrap();
            let read = decode(row.decode, after);
            assert_eq!(
                read & row.mask,
                value & row.mask,
                "{:?} {word:#x} {value:#x}",
                row.kind
            );
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
                    _ if row.kind == kind::RELAXED_ADD => {
                        apply(row.kind, word | 0xfff << 10, value)
                    }
                    _ => apply(
                        row.kind,
                        apply(row.kind, word, row.limits.1 & -row.align).unwrap(),
                        value,
                    ),
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
                assert_eq!(
                    (after ^ word) & !field,
                    0,
                    "{:?} {word:#x} {value:#x}",
                    row.kind
                );
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
            assert_eq!(
                result,
                Err(out_of_range(value, row.limits)),
                "{:?} {value:#x}",
                row.kind
            );
        }
    }
}

#[test]
fn misaligned_values_are_errors() {
    let cannot = |row: &&Row| row.align > 1 && row.align < 0x1000;
    for row in ROWS.iter().filter(cannot) {
        for value in 1..row.align {
            let error = FixupError::Misaligned {
                value: value as u64,
                align: row.align as u64,
            };
            assert_eq!(
                apply(row.kind, row.words[0], value),
                Err(error),
                "{:?}",
                row.kind
            );
        }
    }
}

#[test]
fn other_instructions_are_errors_that_name_the_right_one() {
    for row in ROWS {
        for word in words::all()
            .into_iter()
            .filter(|word| !row.words.contains(word))
        {
            let error = FixupError::WrongInstruction {
                expected: row.expected,
                found: word.into(),
            };
            assert_eq!(
                apply(row.kind, word, 0),
                Err(error),
                "{:?} {word:#x}",
                row.kind
            );
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
    assert_eq!(
        apply(kind::RELAXED_ADD, LDR | 0xfff << 10, 0x7123),
        Ok(0x9104_8cc5)
    );
}

const ADRP_X0: u32 = 0x9000_0000;
const LDR_X0_X0: u32 = 0xf940_0000;
const LDR_X1_X0: u32 = 0xf940_0001;
const LDR_W0_X0: u32 = 0xb940_0000;
const PAGE: EdgeKind = kind::REQUEST_GOT_PAGE21;
const OFFSET: EdgeKind = kind::REQUEST_GOT_PAGE_OFFSET12;
const DIRECT: [EdgeKind; 2] = [kind::PAGE21, kind::RELAXED_ADD];

fn got_graph(
    words: &[u32],
    places: &[SymbolPlace],
    edges: &[(u32, EdgeKind, u32, i64)],
) -> LinkGraph {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    graph(&Aarch64, &code, places, edges)
}

fn relaxed(
    words: &[u32],
    place: SymbolPlace,
    edges: &[(u32, EdgeKind, u32, i64)],
) -> Vec<EdgeKind> {
    let mut graph = got_graph(words, &[place, NEAR], edges);
    Aarch64.relax(&mut graph, &LINKED);
    kinds(&graph)
}

#[test]
fn pair_becomes_an_address_computation() {
    let mut graph = got_graph(
        &[ADRP_X0, LDR_X0_X0],
        &[NEAR],
        &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)],
    );
    Aarch64.relax(&mut graph, &LINKED);
    assert_eq!(kinds(&graph), DIRECT);
    let bytes = apply_all(&Aarch64, &graph, CODE + 0x3123).unwrap();
    // adrp x0, #0x3000; add x0, x0, #0x123
    assert_eq!(bytes, [0x00, 0x00, 0x00, 0xf0, 0x00, 0x8c, 0x04, 0x91]);
}

#[test]
fn pairs_that_are_not_quite_pairs_keep_the_got() {
    type Edges<'a> = &'a [(u32, EdgeKind, u32, i64)];
    let pair: Edges = &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)];
    let cases: &[(&str, &[u32], Edges)] = &[
        (
            "the load's register is another",
            &[ADRP_X0, LDR_X1_X0],
            pair,
        ),
        (
            "the page's register is another",
            &[ADRP_X0 | 1, LDR_X0_X0],
            pair,
        ),
        ("the load is of 4 bytes", &[ADRP_X0, LDR_W0_X0], pair),
        ("the first is no adrp", &[NOP, LDR_X0_X0], pair),
        ("the second is no load", &[ADRP_X0, NOP], pair),
        ("the code ends too early", &[ADRP_X0], pair),
        (
            "one between them",
            &[ADRP_X0, NOP, LDR_X0_X0],
            &[(0, PAGE, 0, 0), (8, OFFSET, 0, 0)],
        ),
        (
            "the other order",
            &[LDR_X0_X0, ADRP_X0],
            &[(0, OFFSET, 0, 0), (4, PAGE, 0, 0)],
        ),
        (
            "different symbols",
            &[ADRP_X0, LDR_X0_X0],
            &[(0, PAGE, 0, 0), (4, OFFSET, 1, 0)],
        ),
        (
            "an addend of the page",
            &[ADRP_X0, LDR_X0_X0],
            &[(0, PAGE, 0, 8), (4, OFFSET, 0, 0)],
        ),
        (
            "an addend of the offset",
            &[ADRP_X0, LDR_X0_X0],
            &[(0, PAGE, 0, 0), (4, OFFSET, 0, 8)],
        ),
        ("a page alone", &[ADRP_X0], &[(0, PAGE, 0, 0)]),
        ("a load alone", &[LDR_X0_X0], &[(0, OFFSET, 0, 0)]),
        (
            "a second load of the same page",
            &[ADRP_X0, LDR_X0_X0, LDR_X0_X0],
            &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0), (8, OFFSET, 0, 0)],
        ),
        (
            "an earlier load of the same symbol",
            &[LDR_X0_X0, ADRP_X0, LDR_X0_X0],
            &[(0, OFFSET, 0, 0), (4, PAGE, 0, 0), (8, OFFSET, 0, 0)],
        ),
    ];
    for &(what, words, edges) in cases {
        let before: Vec<_> = edges.iter().map(|edge| edge.1).collect();
        assert_eq!(relaxed(words, NEAR, edges), before, "{what}");
    }
}

#[test]
fn far_symbols_keep_the_got() {
    let edges = [(0, PAGE, 0, 0), (4, OFFSET, 0, 0)];
    assert_eq!(relaxed(&[ADRP_X0, LDR_X0_X0], FAR, &edges), [PAGE, OFFSET]);
}

#[test]
fn stray_load_of_one_symbol_leaves_another_alone() {
    let edges = [(0, PAGE, 0, 0), (4, OFFSET, 0, 0), (8, OFFSET, 1, 0)];
    let kinds = relaxed(&[ADRP_X0, LDR_X0_X0, LDR_X0_X0], NEAR, &edges);
    assert_eq!(kinds, [DIRECT[0], DIRECT[1], OFFSET]);
}

#[test]
fn all_pairs_of_a_symbol_are_relaxed() {
    let edges = [
        (0, PAGE, 0, 0),
        (4, OFFSET, 0, 0),
        (8, PAGE, 0, 0),
        (12, OFFSET, 0, 0),
    ];
    let kinds = relaxed(&[ADRP_X0, LDR_X0_X0, ADRP_X0, LDR_X0_X0], NEAR, &edges);
    assert_eq!(kinds, [DIRECT, DIRECT].concat());
}

#[test]
fn literal_got_load_keeps_the_got() {
    let edges = [(0, kind::REQUEST_GOT_LITERAL19, 0, 0)];
    assert_eq!(
        relaxed(&[LDR_LITERAL], NEAR, &edges),
        [kind::REQUEST_GOT_LITERAL19]
    );
}

#[test]
fn relaxed_page_reaches_across_the_whole_memory() {
    let size = (1 << 32) - 0x1001;
    let memory = |size| Reach {
        all: AddrRange::new(LINKED.all.start, size),
        ..LINKED
    };
    let pair = || {
        got_graph(
            &[ADRP_X0, LDR_X0_X0],
            &[NEAR],
            &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)],
        )
    };
    let mut graph = pair();
    Aarch64.relax(&mut graph, &memory(size));
    assert_eq!(kinds(&graph), DIRECT);
    for (address, target) in [(CODE + 0xffc, CODE + 0xffc + size), (CODE + size, CODE)] {
        let fixup = Fixup {
            address,
            target,
            ..fixup_of_value(kind::PAGE21, 0)
        };
        assert_eq!(Aarch64.apply(&fixup, &mut ADRP_X0.to_le_bytes()), Ok(()));
    }
    let mut graph = pair();
    Aarch64.relax(&mut graph, &memory(size + 1));
    assert_eq!(kinds(&graph), [PAGE, OFFSET]);
}

#[test]
fn branches_reach_as_far_as_is_said() {
    let farthest = (Aarch64.branch_reach() - 4) as i64;
    for distance in [farthest, -farthest] {
        let value = distance + Aarch64.branch_addend();
        assert!(apply(kind::BRANCH26, BL, value).is_ok(), "{distance:#x}");
    }
}

/// The words of a shape linked at [`CODE`] for `target`.
fn shape_words(shape: &crate::link::arch::CodeShape, target: u64) -> Vec<u32> {
    let edges: Vec<_> = shape
        .edges
        .iter()
        .map(|e| (e.offset, e.kind, 0, e.addend))
        .collect();
    let graph = graph(&Aarch64, shape.code, &[NEAR], &edges);
    assert_eq!(shape.stride as usize, graph.content(BlockId(0)).len());
    let bytes = apply_all(&Aarch64, &graph, target).unwrap();
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word))
        .collect()
}

#[test]
fn stub_jumps_through_its_pointer() {
    let words = shape_words(Aarch64.pointer_jump_stub(), CODE + 0x1008);
    // adrp x16, #0x1000; ldr x16, [x16, #8]; br x16; brk #1
    assert_eq!(words, [0xb000_0010, 0xf940_0610, 0xd61f_0200, 0xd420_0020]);
}

#[test]
fn trampoline_calls_the_reentry_function() {
    let words = shape_words(Aarch64.reentry_trampoline().unwrap(), CODE + 0x1004);
    // stp x29, x30, [sp, #-16]!; bl #0x1000
    assert_eq!(words, [0xa9bf_7bfd, 0x9400_0400]);
}
