//! What every kind has to do, written down from AAELF64 and the Arm manual rather than from the kinds' own table.

use super::super::kind;
use crate::link::edge::EdgeKind;

/// Values of `bits` bits in two's complement.
pub(super) const fn signed(bits: u32) -> (i64, i64) {
    (-1 << (bits - 1), (1 << (bits - 1)) - 1)
}

pub(super) const fn unsigned(bits: u32) -> (i64, i64) {
    (0, (1 << bits) - 1)
}

pub(super) const ALL: (i64, i64) = (i64::MIN, i64::MAX);

/// Plain data: what fits by AAELF64, table "Data relocations" and "GOT-relative data relocations".
pub(super) const DATA: &[(EdgeKind, (i64, i64))] = &[
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
    (kind::REQUEST_GOT_POINTER64, ALL),
    (kind::THREAD_POINTER_DELTA64, ALL),
    (kind::FUNCTION_DELTA32, signed(32)),
    (kind::FUNCTION_DELTA32_VIA_STUB, signed(32)),
];

/// How a test reads a value back from an instruction, written down from the encoding tables of the Arm manual.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decode {
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

pub(super) fn decode(how: Decode, word: u32) -> i64 {
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
pub(super) mod words {
    macro_rules! words {
        ($($name:ident = $word:literal;)*) => {
            $(pub const $name: u32 = $word;)*
            const SINGLE: &[u32] = &[$($name),*];
        };
    }

    words! {
        B = 0x1400_0000;
        BL = 0x9400_0000;
        B_EQ = 0x5400_0000;
        BC_NE = 0x5400_0011;
        CBZ = 0xb400_0003;
        CBNZ_W = 0x3500_0003;
        TBZ_40 = 0xb640_0003;
        TBNZ_4 = 0x3720_0003;
        LDR_LITERAL = 0x5800_0005;
        LDR_LITERAL_W = 0x1800_0005;
        LDR_LITERAL_Q = 0x9c00_0005;
        LDRSW_LITERAL = 0x9800_0005;
        ADR = 0x1000_0005;
        ADRP = 0x9000_0005;
        ADD = 0x9100_00c5;
        ADD_W = 0x1100_00c5;
        ADDS = 0xb100_00c5;
        SUB = 0xd100_00c5;
        ADD_LSL12 = 0x9140_00c5;
        LDRB = 0x3940_00c5;
        STRB = 0x3900_00c5;
        LDRSB = 0x3980_00c5;
        LDR_B = 0x3d40_00c5;
        LDRH = 0x7940_00c5;
        STR_H = 0x7d00_00c5;
        LDR_W = 0xb940_00c5;
        LDRSW = 0xb980_00c5;
        STR_S = 0xbd00_00c5;
        LDR = 0xf940_00c5;
        STR = 0xf900_00c5;
        LDR_D = 0xfd40_00c5;
        PRFM = 0xf980_00c0;
        LDR_Q = 0x3dc0_00c5;
        STR_Q = 0x3d80_00c5;
        LDUR = 0xf840_00c5;
        MOVZ_W = 0x5280_0005;
        NOP = 0xd503_201f;
    }
    /// What a whole vector register's load would be if it had another size; no instruction.
    pub const UNALLOCATED: [u32; 3] = [0x7dc0_00c5, 0xbdc0_00c5, 0xfdc0_00c5];
    pub const MOVZ: [u32; 4] = [0xd280_0005, 0xd2a0_0005, 0xd2c0_0005, 0xd2e0_0005];
    pub const MOVK: [u32; 4] = [0xf280_0005, 0xf2a0_0005, 0xf2c0_0005, 0xf2e0_0005];
    pub const MOVN: [u32; 4] = [0x9280_0005, 0x92a0_0005, 0x92c0_0005, 0x92e0_0005];

    /// Every one of them.
    pub fn all() -> Vec<u32> {
        [SINGLE, &UNALLOCATED, &MOVZ, &MOVK, &MOVN].concat()
    }
}
use words::*;

/// What an instruction kind does by AAELF64.
pub(super) struct Row {
    pub(super) kind: EdgeKind,
    /// The instructions it is for.
    pub(super) words: &'static [u32],
    /// What the error says other instructions are not.
    pub(super) expected: &'static str,
    /// What fits; values are tried at the limits, rounded inwards to `align`.
    pub(super) limits: (i64, i64),
    /// What must divide the value.
    pub(super) align: i64,
    /// The bits of the value that the field holds.
    pub(super) mask: i64,
    pub(super) decode: Decode,
}

pub(super) const fn row(
    kind: EdgeKind,
    words: &'static [u32],
    expected: &'static str,
    limits: (i64, i64),
    align: i64,
    mask: i64,
    decode: Decode,
) -> Row {
    Row { kind, words, expected, limits, align, mask, decode }
}

pub(super) const UNSIGNED_WIDE: [&str; 4] = [
    "a MOVK/MOVZ (imm16, LSL #0) instruction",
    "a MOVK/MOVZ (imm16, LSL #16) instruction",
    "a MOVK/MOVZ (imm16, LSL #32) instruction",
    "a MOVK/MOVZ (imm16, LSL #48) instruction",
];
pub(super) const SIGNED_WIDE: [&str; 4] = [
    "a MOVN/MOVZ (imm16, LSL #0) instruction",
    "a MOVN/MOVZ (imm16, LSL #16) instruction",
    "a MOVN/MOVZ (imm16, LSL #32) instruction",
    "a MOVN/MOVZ (imm16, LSL #48) instruction",
];
pub(super) const ZK: [&[u32]; 4] =
    [&[MOVZ[0], MOVK[0], MOVZ_W], &[MOVZ[1], MOVK[1]], &[MOVZ[2], MOVK[2]], &[MOVZ[3], MOVK[3]]];
pub(super) const ZN: [&[u32]; 4] =
    [&[MOVZ[0], MOVN[0], MOVZ_W], &[MOVZ[1], MOVN[1]], &[MOVZ[2], MOVN[2]], &[MOVZ[3], MOVN[3]]];

pub(super) const fn wide(kind: EdgeKind, group: usize, limits: (i64, i64)) -> Row {
    let mask = 0xffff << (16 * group);
    row(kind, ZK[group], UNSIGNED_WIDE[group], limits, 1, mask, Decode::Wide)
}

pub(super) const fn signed_wide(kind: EdgeKind, group: usize) -> Row {
    // One group's instruction alone leaves zeroes (or, negative, ones) in all other bits.
    let mask = 0xffff << (16 * group) | i64::MIN;
    let limits = if group == 3 { ALL } else { signed(17 + 16 * group as u32) };
    row(kind, ZN[group], SIGNED_WIDE[group], limits, 1, mask, Decode::SignedWide)
}

pub(super) const BRANCHES: &[u32] = &[B, BL];
pub(super) const BRANCH: &str = "a B or BL instruction";
pub(super) const LITERALS: &[u32] = &[LDR_LITERAL, LDR_LITERAL_W, LDR_LITERAL_Q, LDRSW_LITERAL];
pub(super) const LITERAL: &str = "an LDR Literal instruction";
pub(super) const LDST64: &[u32] = &[LDR, STR, LDR_D, PRFM];
pub(super) const LDST64_NAME: &str = "a LDR/STR (imm12, 64 bit) instruction";
pub(super) const LDR64_NAME: &str = "a LDR (imm12, 64 bit) instruction";
pub(super) const PAGES: i64 = 0x1_ffff_f000;

pub(super) const ROWS: &[Row] = &[
    row(kind::BRANCH26, BRANCHES, BRANCH, signed(28), 4, -1, Decode::Words(0, 26)),
    row(kind::BRANCH26_VIA_STUB, BRANCHES, BRANCH, signed(28), 4, -1, Decode::Words(0, 26)),
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
    row(kind::LDR_LITERAL19, LITERALS, LITERAL, signed(21), 4, -1, Decode::Words(5, 19)),
    row(kind::REQUEST_GOT_LITERAL19, LITERALS, LITERAL, signed(21), 4, -1, Decode::Words(5, 19)),
    row(kind::ADR_LITERAL21, &[ADR], "an ADR instruction", signed(21), 1, -1, Decode::Adr(0)),
    row(kind::PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(kind::PAGE21_NC, &[ADRP], "an ADRP instruction", ALL, 0x1000, PAGES, Decode::Adr(12)),
    row(kind::REQUEST_GOT_PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(kind::PAGE_OFFSET12, &[ADD, ADD_W, ADDS], "an ADD (imm12) instruction", ALL, 1, 0xfff, Decode::Imm12(0)),
    row(
        kind::PAGE_OFFSET12_LDST8,
        &[LDRB, STRB, LDRSB, LDR_B],
        "a LDRB/STRB (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(kind::PAGE_OFFSET12_LDST16, &[LDRH, STR_H], "a LDRH/STRH (imm12) instruction", ALL, 2, 0xfff, Decode::Imm12(1)),
    row(
        kind::PAGE_OFFSET12_LDST32,
        &[LDR_W, LDRSW, STR_S],
        "a LDR/STR (imm12, 32 bit) instruction",
        ALL,
        4,
        0xfff,
        Decode::Imm12(2),
    ),
    row(kind::PAGE_OFFSET12_LDST64, LDST64, LDST64_NAME, ALL, 8, 0xfff, Decode::Imm12(3)),
    row(kind::REQUEST_GOT_PAGE_OFFSET12, LDST64, LDST64_NAME, ALL, 8, 0xfff, Decode::Imm12(3)),
    row(
        kind::PAGE_OFFSET12_LDST128,
        &[LDR_Q, STR_Q],
        "a LDR/STR (imm12, 128 bit) instruction",
        ALL,
        16,
        0xfff,
        Decode::Imm12(4),
    ),
    row(kind::GOT_OFFSET15, &[LDR], LDR64_NAME, unsigned(15), 8, -1, Decode::Imm12(3)),
    row(kind::GOT_PAGE_OFFSET15, &[LDR], LDR64_NAME, unsigned(15), 8, -1, Decode::Imm12(3)),
    row(kind::REQUEST_GOT_OFFSET15, &[LDR], LDR64_NAME, unsigned(15), 8, -1, Decode::Imm12(3)),
    row(kind::REQUEST_GOT_PAGE_OFFSET15, &[LDR], LDR64_NAME, unsigned(15), 8, -1, Decode::Imm12(3)),
    row(kind::RELAXED_ADD, &[LDR], LDR64_NAME, ALL, 1, 0xfff, Decode::Imm12(0)),
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
    row(
        kind::TLS_OFFSET_HIGH12,
        &[ADD_LSL12],
        "an ADD (imm12, LSL #12) instruction",
        unsigned(24),
        1,
        0xff_f000,
        Decode::Imm12(12),
    ),
    row(
        kind::TLS_OFFSET12,
        &[ADD, ADD_W, ADDS],
        "an ADD (imm12) instruction",
        unsigned(12),
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(kind::TLS_OFFSET12_NC, &[ADD, ADD_W, ADDS], "an ADD (imm12) instruction", ALL, 1, 0xfff, Decode::Imm12(0)),
    row(
        kind::TLS_OFFSET12_LDST8,
        &[LDRB, STRB, LDRSB, LDR_B],
        "a LDRB/STRB (imm12) instruction",
        unsigned(12),
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(
        kind::TLS_OFFSET12_LDST8_NC,
        &[LDRB, STRB, LDRSB, LDR_B],
        "a LDRB/STRB (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(
        kind::TLS_OFFSET12_LDST16,
        &[LDRH, STR_H],
        "a LDRH/STRH (imm12) instruction",
        unsigned(12),
        2,
        0xfff,
        Decode::Imm12(1),
    ),
    row(
        kind::TLS_OFFSET12_LDST16_NC,
        &[LDRH, STR_H],
        "a LDRH/STRH (imm12) instruction",
        ALL,
        2,
        0xfff,
        Decode::Imm12(1),
    ),
    row(
        kind::TLS_OFFSET12_LDST32,
        &[LDR_W, LDRSW, STR_S],
        "a LDR/STR (imm12, 32 bit) instruction",
        unsigned(12),
        4,
        0xfff,
        Decode::Imm12(2),
    ),
    row(
        kind::TLS_OFFSET12_LDST32_NC,
        &[LDR_W, LDRSW, STR_S],
        "a LDR/STR (imm12, 32 bit) instruction",
        ALL,
        4,
        0xfff,
        Decode::Imm12(2),
    ),
    row(kind::TLS_OFFSET12_LDST64, LDST64, LDST64_NAME, unsigned(12), 8, 0xfff, Decode::Imm12(3)),
    row(kind::TLS_OFFSET12_LDST64_NC, LDST64, LDST64_NAME, ALL, 8, 0xfff, Decode::Imm12(3)),
    row(
        kind::TLS_OFFSET12_LDST128,
        &[LDR_Q, STR_Q],
        "a LDR/STR (imm12, 128 bit) instruction",
        unsigned(12),
        16,
        0xfff,
        Decode::Imm12(4),
    ),
    row(
        kind::TLS_OFFSET12_LDST128_NC,
        &[LDR_Q, STR_Q],
        "a LDR/STR (imm12, 128 bit) instruction",
        ALL,
        16,
        0xfff,
        Decode::Imm12(4),
    ),
    signed_wide(kind::TLS_OFFSET_MOVE_WIDE_G0, 0),
    signed_wide(kind::TLS_OFFSET_MOVE_WIDE_G1, 1),
    signed_wide(kind::TLS_OFFSET_MOVE_WIDE_G2, 2),
    wide(kind::TLS_OFFSET_MOVE_WIDE_G0_NC, 0, ALL),
    wide(kind::TLS_OFFSET_MOVE_WIDE_G1_NC, 1, ALL),
    row(kind::REQUEST_TLS_OFFSET_PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(kind::REQUEST_TLS_OFFSET_PAGE_OFFSET12, LDST64, LDST64_NAME, ALL, 8, 0xfff, Decode::Imm12(3)),
    row(kind::REQUEST_TLS_OFFSET_LITERAL19, LITERALS, LITERAL, signed(21), 4, -1, Decode::Words(5, 19)),
    signed_wide(kind::REQUEST_TLS_OFFSET_MOVE_WIDE_G1, 1),
    wide(kind::REQUEST_TLS_OFFSET_MOVE_WIDE_G0_NC, 0, ALL),
    row(kind::REQUEST_TLS_INDEX_PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(
        kind::REQUEST_TLS_INDEX_PAGE_OFFSET12,
        &[ADD, ADD_W, ADDS],
        "an ADD (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(kind::REQUEST_TLS_INDEX_ADR21, &[ADR], "an ADR instruction", signed(21), 1, -1, Decode::Adr(0)),
    signed_wide(kind::REQUEST_TLS_INDEX_MOVE_WIDE_G1, 1),
    wide(kind::REQUEST_TLS_INDEX_MOVE_WIDE_G0_NC, 0, ALL),
    row(kind::REQUEST_TLS_MODULE_PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(
        kind::REQUEST_TLS_MODULE_PAGE_OFFSET12,
        &[ADD, ADD_W, ADDS],
        "an ADD (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(kind::REQUEST_TLS_MODULE_ADR21, &[ADR], "an ADR instruction", signed(21), 1, -1, Decode::Adr(0)),
    row(kind::REQUEST_TLS_MODULE_LITERAL19, LITERALS, LITERAL, signed(21), 4, -1, Decode::Words(5, 19)),
    signed_wide(kind::REQUEST_TLS_MODULE_MOVE_WIDE_G1, 1),
    wide(kind::REQUEST_TLS_MODULE_MOVE_WIDE_G0_NC, 0, ALL),
    row(kind::REQUEST_TLS_DESCRIPTOR_PAGE21, &[ADRP], "an ADRP instruction", signed(33), 0x1000, -1, Decode::Adr(12)),
    row(
        kind::REQUEST_TLS_DESCRIPTOR_PAGE_OFFSET12,
        &[ADD, ADD_W, ADDS],
        "an ADD (imm12) instruction",
        ALL,
        1,
        0xfff,
        Decode::Imm12(0),
    ),
    row(kind::REQUEST_TLS_DESCRIPTOR_ADR21, &[ADR], "an ADR instruction", signed(21), 1, -1, Decode::Adr(0)),
    row(kind::REQUEST_TLS_DESCRIPTOR_LITERAL19, LITERALS, LITERAL, signed(21), 4, -1, Decode::Words(5, 19)),
    row(kind::REQUEST_TLS_DESCRIPTOR_LDST64, LDST64, LDST64_NAME, ALL, 8, 0xfff, Decode::Imm12(3)),
    signed_wide(kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G1, 1),
    wide(kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G0_NC, 0, ALL),
];

impl Row {
    /// Smallest, largest, and some other values that fit, all aligned.
    pub(super) fn values(&self) -> Vec<i64> {
        let (min, max) = self.limits;
        let middle = [0, self.align, -self.align, 0x5a5a_5a5a_5a5a_5000, 0x1234_5678_9abc_def0 & -16];
        let inside = middle.into_iter().filter(|value| (min..=max).contains(value));
        inside.chain([min, max & -self.align]).collect()
    }
}
