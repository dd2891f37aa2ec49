//! A64 instructions: those of compiled and hand-written code without vector arithmetic.
//!
//! Every instruction is a word of 4 bytes, and an operand is a field of it, so a table of patterns and fields ([`rows`]) decodes them.
//! Numbers are those of the encoding, as in LLVM's `MCInst`: a branch counts instructions, `adrp` pages, a load its own size; only the
//! shift of a wide immediate and of `add` counts bits. A register that is read and written (`movk`, the base of a load with
//! write-back) is listed twice. 32-bit and 64-bit forms have the same operands; registers are named as 64-bit ones.
//!
//! For vector arithmetic there is no row: no relocation is for a field of it.

mod rows;

use super::{Instruction, Operand};
use rows::ROWS;

/// The bytes of an instruction.
const SIZE: u64 = 4;

/// One pattern of instruction words.
#[derive(Debug)]
struct Row {
    /// Which bits of the word the pattern looks at.
    mask: u32,
    /// What they are.
    bits: u32,
    /// The mnemonic, or that of the family.
    name: &'static str,
    /// Its operands in LLVM's order.
    fields: &'static [Field],
}

/// An operand's place in the word.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// A register with its number at this bit.
    Register(u8),
    /// The register that a load or store transfers, at bit 0: a vector register if bit 26 says so.
    Transfer(u8),
    /// A number without sign: lowest bit and width.
    Unsigned(u8, u8),
    /// A number with sign: lowest bit and width.
    Signed(u8, u8),
    /// The distance of `adr` and `adrp`.
    Address,
    /// The number of the bit that a test-and-branch tests.
    TestedBit,
    /// The shift of a wide immediate: 0, 16, 32 or 48.
    WideShift,
    /// The shift of `add` with an immediate: 0 or 12.
    AddShift,
    /// Kind and amount of a register's shift: `kind << 6 | amount`.
    RegisterShift,
    /// A system register's number.
    SystemRegister,
}

/// Decodes the instruction `word`.
pub(super) fn decode(word: u32) -> Option<Instruction> {
    let row = ROWS.iter().find(|row| word & row.mask == row.bits)?;
    let operands = row.fields.iter().map(|field| field.operand(word)).collect();
    Some(Instruction { name: row.name.into(), size: SIZE, operands })
}

impl Field {
    fn operand(self, word: u32) -> Operand {
        let bits = |low: u8, width: u8| i64::from(word >> low & ((1 << width) - 1));
        let signed = |value: i64, width: u8| value << (64 - width) >> (64 - width);
        Operand::Immediate(match self {
            Field::Register(low) => return register('X', bits(low, 5)),
            Field::Transfer(low) => return register(if bits(26, 1) == 1 { 'V' } else { 'X' }, bits(low, 5)),
            Field::Unsigned(low, width) => bits(low, width),
            Field::Signed(low, width) => signed(bits(low, width), width),
            Field::Address => signed(bits(5, 19) << 2 | bits(29, 2), 21),
            Field::TestedBit => bits(31, 1) << 5 | bits(19, 5),
            Field::WideShift => bits(21, 2) * 16,
            Field::AddShift => bits(22, 1) * 12,
            Field::RegisterShift => bits(22, 2) << 6 | bits(10, 6),
            Field::SystemRegister => bits(5, 15) | 0x8000,
        })
    }
}

fn register(kind: char, number: i64) -> Operand {
    Operand::Register(format!("{kind}{number}"))
}
