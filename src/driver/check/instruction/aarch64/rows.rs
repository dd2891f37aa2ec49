//! The table of A64 instructions, in the order of the architecture's manual (C4.1); of two patterns that match, the first counts.

use super::Field::{
    self, AddShift, Address, Register, RegisterShift, Signed, SystemRegister, TestedBit, Transfer, Unsigned, WideShift,
};
use super::Row;

const D: Field = Register(0);
const N: Field = Register(5);
const M: Field = Register(16);
const A: Field = Register(10);
const T: Field = Transfer(0);
const T2: Field = Transfer(10);
const COND: Field = Unsigned(12, 4);
const NZCV: Field = Unsigned(0, 4);
const IMM9: Field = Signed(12, 9);
const IMM7: Field = Signed(15, 7);
const OFFSET12: Field = Unsigned(10, 12);
const LABEL19: Field = Signed(5, 19);
const PREFETCH: Field = Unsigned(0, 5);

const fn row(name: &'static str, mask: u32, bits: u32, fields: &'static [Field]) -> Row {
    Row { mask, bits, name, fields }
}

/// All rows.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // Data processing, immediate.
    row("ADR", 0x9f00_0000, 0x1000_0000, &[D, Address]),
    row("ADRP", 0x9f00_0000, 0x9000_0000, &[D, Address]),
    row("ADD", 0x7f80_0000, 0x1100_0000, &[D, N, OFFSET12, AddShift]),
    row("ADDS", 0x7f80_0000, 0x3100_0000, &[D, N, OFFSET12, AddShift]),
    row("SUB", 0x7f80_0000, 0x5100_0000, &[D, N, OFFSET12, AddShift]),
    row("SUBS", 0x7f80_0000, 0x7100_0000, &[D, N, OFFSET12, AddShift]),
    row("AND", 0x7f80_0000, 0x1200_0000, &[D, N, Unsigned(10, 13)]),
    row("ORR", 0x7f80_0000, 0x3200_0000, &[D, N, Unsigned(10, 13)]),
    row("EOR", 0x7f80_0000, 0x5200_0000, &[D, N, Unsigned(10, 13)]),
    row("ANDS", 0x7f80_0000, 0x7200_0000, &[D, N, Unsigned(10, 13)]),
    row("MOVN", 0x7f80_0000, 0x1280_0000, &[D, Unsigned(5, 16), WideShift]),
    row("MOVZ", 0x7f80_0000, 0x5280_0000, &[D, Unsigned(5, 16), WideShift]),
    row("MOVK", 0x7f80_0000, 0x7280_0000, &[D, D, Unsigned(5, 16), WideShift]),
    row("SBFM", 0x7f80_0000, 0x1300_0000, &[D, N, Unsigned(16, 6), Unsigned(10, 6)]),
    row("BFM", 0x7f80_0000, 0x3300_0000, &[D, D, N, Unsigned(16, 6), Unsigned(10, 6)]),
    row("UBFM", 0x7f80_0000, 0x5300_0000, &[D, N, Unsigned(16, 6), Unsigned(10, 6)]),
    row("EXTR", 0x7fa0_0000, 0x1380_0000, &[D, N, M, Unsigned(10, 6)]),

    // Branches, exceptions, system.
    row("B", 0xfc00_0000, 0x1400_0000, &[Signed(0, 26)]),
    row("BL", 0xfc00_0000, 0x9400_0000, &[Signed(0, 26)]),
    row("Bcc", 0xff00_0010, 0x5400_0000, &[NZCV, LABEL19]),
    row("BCcc", 0xff00_0010, 0x5400_0010, &[NZCV, LABEL19]),
    row("CBZ", 0x7f00_0000, 0x3400_0000, &[D, LABEL19]),
    row("CBNZ", 0x7f00_0000, 0x3500_0000, &[D, LABEL19]),
    row("TBZ", 0x7f00_0000, 0x3600_0000, &[D, TestedBit, Signed(5, 14)]),
    row("TBNZ", 0x7f00_0000, 0x3700_0000, &[D, TestedBit, Signed(5, 14)]),
    row("SVC", 0xffe0_001f, 0xd400_0001, &[Unsigned(5, 16)]),
    row("HVC", 0xffe0_001f, 0xd400_0002, &[Unsigned(5, 16)]),
    row("SMC", 0xffe0_001f, 0xd400_0003, &[Unsigned(5, 16)]),
    row("BRK", 0xffe0_001f, 0xd420_0000, &[Unsigned(5, 16)]),
    row("HLT", 0xffe0_001f, 0xd440_0000, &[Unsigned(5, 16)]),
    row("NOP", 0xffff_ffff, 0xd503_201f, &[]),
    row("HINT", 0xffff_f01f, 0xd503_201f, &[Unsigned(5, 7)]),
    row("CLREX", 0xffff_f0ff, 0xd503_305f, &[Unsigned(8, 4)]),
    row("DSB", 0xffff_f0ff, 0xd503_309f, &[Unsigned(8, 4)]),
    row("DMB", 0xffff_f0ff, 0xd503_30bf, &[Unsigned(8, 4)]),
    row("ISB", 0xffff_f0ff, 0xd503_30df, &[Unsigned(8, 4)]),
    row("SYS", 0xfff8_0000, 0xd508_0000, &[Unsigned(16, 3), Unsigned(12, 4), Unsigned(8, 4), Unsigned(5, 3), D]),
    row("SYSL", 0xfff8_0000, 0xd528_0000, &[D, Unsigned(16, 3), Unsigned(12, 4), Unsigned(8, 4), Unsigned(5, 3)]),
    row("MSR", 0xfff0_0000, 0xd510_0000, &[SystemRegister, D]),
    row("MRS", 0xfff0_0000, 0xd530_0000, &[D, SystemRegister]),
    row("BR", 0xffff_fc1f, 0xd61f_0000, &[N]),
    row("BLR", 0xffff_fc1f, 0xd63f_0000, &[N]),
    row("RET", 0xffff_fc1f, 0xd65f_0000, &[N]),
    row("RETAA", 0xffff_ffff, 0xd65f_0bff, &[]),
    row("RETAB", 0xffff_ffff, 0xd65f_0fff, &[]),
    row("BRAAZ", 0xffff_f81f, 0xd61f_081f, &[N]),
    row("BLRAAZ", 0xffff_f81f, 0xd63f_081f, &[N]),
    row("BRAA", 0xffff_f800, 0xd71f_0800, &[N, D]),
    row("BLRAA", 0xffff_f800, 0xd73f_0800, &[N, D]),

    // Loads and stores: exclusive and ordered, and compare-and-swap.
    row("CAS", 0x3fa0_7c00, 0x08a0_7c00, &[M, M, D, N]),
    row("CASP", 0xbfa0_7c00, 0x0820_7c00, &[M, M, D, N]),
    row("STXR", 0x3fe0_0000, 0x0800_0000, &[M, D, N]),
    row("LDXR", 0x3fe0_0000, 0x0840_0000, &[D, N]),
    row("STLR", 0x3fe0_0000, 0x0880_0000, &[D, N]),
    row("LDAR", 0x3fe0_0000, 0x08c0_0000, &[D, N]),
    row("STXP", 0xbfe0_0000, 0x8820_0000, &[M, D, A, N]),
    row("LDXP", 0xbfe0_0000, 0x8860_0000, &[D, A, N]),
    row("LDAPUR", 0x3f20_0c00, 0x1900_0000, &[D, N, IMM9]),

    // Literals and pairs.
    row("PRFM", 0xff00_0000, 0xd800_0000, &[PREFETCH, LABEL19]),
    row("LDR", 0x3b00_0000, 0x1800_0000, &[T, LABEL19]),
    row("STNP", 0x3bc0_0000, 0x2800_0000, &[T, T2, N, IMM7]),
    row("LDNP", 0x3bc0_0000, 0x2840_0000, &[T, T2, N, IMM7]),
    row("STP", 0x3bc0_0000, 0x2880_0000, &[N, T, T2, N, IMM7]),
    row("LDP", 0x3bc0_0000, 0x28c0_0000, &[N, T, T2, N, IMM7]),
    row("STP", 0x3bc0_0000, 0x2900_0000, &[T, T2, N, IMM7]),
    row("LDP", 0x3bc0_0000, 0x2940_0000, &[T, T2, N, IMM7]),
    row("STP", 0x3bc0_0000, 0x2980_0000, &[N, T, T2, N, IMM7]),
    row("LDP", 0x3bc0_0000, 0x29c0_0000, &[N, T, T2, N, IMM7]),

    // One register, by the form of the address.
    row("PRFUM", 0xffe0_0c00, 0xf880_0000, &[PREFETCH, N, IMM9]),
    row("PRFM", 0xffe0_0c00, 0xf8a0_0800, &[PREFETCH, N, M, Unsigned(15, 1), Unsigned(12, 1)]),
    row("PRFM", 0xffc0_0000, 0xf980_0000, &[PREFETCH, N, OFFSET12]),
    row("STUR", 0x3be0_0c00, 0x3800_0000, &[T, N, IMM9]),
    row("LDUR", 0x3b20_0c00, 0x3800_0000, &[T, N, IMM9]),
    row("LDTR", 0x3b20_0c00, 0x3800_0800, &[T, N, IMM9]),
    row("STR", 0x3be0_0400, 0x3800_0400, &[N, T, N, IMM9]),
    row("LDR", 0x3b20_0400, 0x3800_0400, &[N, T, N, IMM9]),
    row("LDAPR", 0x3fff_fc00, 0x38bf_c000, &[D, N]),
    row("LDADD", 0x3f20_0c00, 0x3820_0000, &[D, M, N]),
    row("STR", 0x3be0_0c00, 0x3820_0800, &[T, N, M, Unsigned(15, 1), Unsigned(12, 1)]),
    row("LDR", 0x3b20_0c00, 0x3820_0800, &[T, N, M, Unsigned(15, 1), Unsigned(12, 1)]),
    row("STR", 0x3bc0_0000, 0x3900_0000, &[T, N, OFFSET12]),
    row("LDR", 0x3b00_0000, 0x3900_0000, &[T, N, OFFSET12]),

    // Data processing, registers.
    row("AND", 0x7f00_0000, 0x0a00_0000, &[D, N, M, RegisterShift]),
    row("ORR", 0x7f00_0000, 0x2a00_0000, &[D, N, M, RegisterShift]),
    row("EOR", 0x7f00_0000, 0x4a00_0000, &[D, N, M, RegisterShift]),
    row("ANDS", 0x7f00_0000, 0x6a00_0000, &[D, N, M, RegisterShift]),
    row("ADD", 0x5f20_0000, 0x0b00_0000, &[D, N, M, RegisterShift]),
    row("SUB", 0x5f20_0000, 0x4b00_0000, &[D, N, M, RegisterShift]),
    row("ADD", 0x5fe0_0000, 0x0b20_0000, &[D, N, M, Unsigned(10, 6)]),
    row("SUB", 0x5fe0_0000, 0x4b20_0000, &[D, N, M, Unsigned(10, 6)]),
    row("ADC", 0x1fe0_fc00, 0x1a00_0000, &[D, N, M]),
    row("CCMP", 0x3fe0_0c10, 0x3a40_0000, &[N, M, NZCV, COND]),
    row("CCMP", 0x3fe0_0c10, 0x3a40_0800, &[N, Unsigned(16, 5), NZCV, COND]),
    row("CSEL", 0x3fe0_0800, 0x1a80_0000, &[D, N, M, COND]),
    row("UDIV", 0x7fe0_0000, 0x1ac0_0000, &[D, N, M]),
    row("PACIA", 0xffff_c000, 0xdac1_0000, &[D, D, N]),
    row("PACIZA", 0xffff_c000, 0xdac1_2000, &[D, D]),
    row("RBIT", 0x7fff_0000, 0x5ac0_0000, &[D, N]),
    row("SMULH", 0xff60_0000, 0x9b40_0000, &[D, N, M]),
    row("MADD", 0x7f00_0000, 0x1b00_0000, &[D, N, M, A]),
];
