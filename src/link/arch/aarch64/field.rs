//! The immediate fields of A64 instructions, and the checks that an instruction has the field.

use super::super::formula::{place, store};
use super::kinds::kind;
use super::thread_local::Rewrite;
use crate::link::arch::FixupError;
use crate::link::edge::EdgeKind;

/// Which 16 bits of a value a move-wide instruction holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Group {
    /// Bits 0 to 15.
    G0,
    /// Bits 16 to 31.
    G1,
    /// Bits 32 to 47.
    G2,
    /// Bits 48 to 63.
    G3,
}

/// Where the bits of a value go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    /// Nowhere.
    Nothing,
    /// Into plain bytes, as many as the kind is wide.
    Data,
    /// `B`, `BL`: bits 27 to 2 into imm26.
    Branch26,
    /// `B.cond`, `CBZ`, `CBNZ`: bits 20 to 2 into imm19.
    CondBranch19,
    /// `TBZ`, `TBNZ`: bits 15 to 2 into imm14.
    TestAndBranch14,
    /// `LDR` (literal): bits 20 to 2 into imm19.
    Literal19,
    /// `ADR`: bits 20 to 0 into immhi:immlo.
    Adr,
    /// `ADRP`: bits 32 to 12 into immhi:immlo.
    Adrp,
    /// `ADD` (immediate): bits 11 to 0 into imm12.
    Add,
    /// `ADD` (immediate, shifted by 12): bits 23 to 12 into imm12.
    AddHigh,
    /// `LDR`, `STR` (unsigned offset) of `1 << shift` bytes: bits 11 to `shift` into imm12.
    LoadStore {
        /// Binary logarithm of the access size.
        shift: u8,
    },
    /// `LDR` of 8 bytes (unsigned offset): bits 14 to 3 into imm12.
    Load64Offset15,
    /// `MOVZ`, `MOVK`: a group of bits into imm16.
    MoveWide(Group),
    /// `MOVZ`, `MOVN`, whichever the sign asks for: a group of bits into imm16.
    MoveWideSigned(Group),
    /// `LDR` of 8 bytes (unsigned offset), turned into an `ADD` of the same registers: bits 11 to 0 into imm12.
    AddFromLoad,
    /// An instruction of a thread-local access, replaced by another one.
    ThreadLocal(Rewrite),
}

/// The pattern of an instruction: `word & mask == bits`.
struct Pattern {
    mask: u32,
    bits: u32,
    name: &'static str,
}

impl Pattern {
    const fn new(mask: u32, bits: u32, name: &'static str) -> Pattern {
        Pattern { mask, bits, name }
    }

    fn matches(&self, word: u32) -> bool {
        word & self.mask == self.bits
    }
}

const BRANCH: Pattern = Pattern::new(0x7c00_0000, 0x1400_0000, "a B or BL instruction");
const BRANCH_IF: Pattern = Pattern::new(0xff00_0000, 0x5400_0000, "a conditional branch instruction");
const COMPARE_AND_BRANCH: Pattern = Pattern::new(0x7e00_0000, 0x3400_0000, "a conditional branch instruction");
const TEST_AND_BRANCH: Pattern = Pattern::new(0x7e00_0000, 0x3600_0000, "a test and branch instruction");
const LITERAL: Pattern = Pattern::new(0x3b00_0000, 0x1800_0000, "an LDR Literal instruction");
const ADR: Pattern = Pattern::new(0x9f00_0000, 0x1000_0000, "an ADR instruction");
const ADRP: Pattern = Pattern::new(0x9f00_0000, 0x9000_0000, "an ADRP instruction");
const ADD: Pattern = Pattern::new(0x5fc0_0000, 0x1100_0000, "an ADD (imm12) instruction");
const ADD_HIGH: Pattern = Pattern::new(0x5fc0_0000, 0x1140_0000, "an ADD (imm12, LSL #12) instruction");
const LOAD_STORE: Pattern = Pattern::new(0x3b00_0000, 0x3900_0000, "a LDR/STR (imm12) instruction");
const LOAD64: Pattern = Pattern::new(0xffc0_0000, 0xf940_0000, "a LDR (imm12, 64 bit) instruction");
const MOVE_WIDE: Pattern = Pattern::new(0x1f80_0000, 0x1280_0000, "a move wide instruction");
/// Opcode bit of `MOVZ` and `MOVK`, not of `MOVN`.
const NOT_MOVN: u32 = 1 << 30;
/// Opcode bit of `MOVK`, not of `MOVZ` and `MOVN`.
const MOVK: u32 = 1 << 29;
/// `ADD Xd, Xn, #imm12`.
const ADD64: u32 = 0x9100_0000;

impl Group {
    fn number(self) -> u32 {
        self as u32
    }

    /// What the messages call instructions with this group that leave or clear the other bits.
    fn unsigned_name(self) -> &'static str {
        match self {
            Group::G0 => "a MOVK/MOVZ (imm16, LSL #0) instruction",
            Group::G1 => "a MOVK/MOVZ (imm16, LSL #16) instruction",
            Group::G2 => "a MOVK/MOVZ (imm16, LSL #32) instruction",
            Group::G3 => "a MOVK/MOVZ (imm16, LSL #48) instruction",
        }
    }

    /// What the messages call instructions with this group that set the other bits by the sign.
    fn signed_name(self) -> &'static str {
        match self {
            Group::G0 => "a MOVN/MOVZ (imm16, LSL #0) instruction",
            Group::G1 => "a MOVN/MOVZ (imm16, LSL #16) instruction",
            Group::G2 => "a MOVN/MOVZ (imm16, LSL #32) instruction",
            Group::G3 => "a MOVN/MOVZ (imm16, LSL #48) instruction",
        }
    }

    /// Whether `word` is a move-wide instruction of this group.
    fn matches(self, word: u32) -> bool {
        MOVE_WIDE.matches(word) && word >> 21 & 3 == self.number()
    }
}

/// What the messages call loads and stores of `1 << shift` bytes.
fn load_store_name(shift: u8) -> &'static str {
    match shift {
        0 => "a LDRB/STRB (imm12) instruction",
        1 => "a LDRH/STRH (imm12) instruction",
        2 => "a LDR/STR (imm12, 32 bit) instruction",
        3 => "a LDR/STR (imm12, 64 bit) instruction",
        _ => "a LDR/STR (imm12, 128 bit) instruction",
    }
}

/// The binary logarithm of how many bytes `word` loads or stores, if it does so at an unsigned offset.
fn load_store_shift(word: u32) -> Option<u8> {
    /// A vector register, and the opcode bit that makes it a whole one.
    const QUAD: u32 = 0x0480_0000;
    if !LOAD_STORE.matches(word) {
        return None;
    }
    match (word >> 30, word & QUAD == QUAD) {
        (0, true) => Some(4),
        (_, true) => None,
        (size, false) => Some(size as u8),
    }
}

/// The kind that writes the low 12 bits of an address into instruction `word`, an addition or a load or store; `None` for another one.
pub fn page_offset_kind(word: u32) -> Option<EdgeKind> {
    if ADD.matches(word) {
        return Some(kind::PAGE_OFFSET12);
    }
    Some(match load_store_shift(word)? {
        0 => kind::PAGE_OFFSET12_LDST8,
        1 => kind::PAGE_OFFSET12_LDST16,
        2 => kind::PAGE_OFFSET12_LDST32,
        3 => kind::PAGE_OFFSET12_LDST64,
        _ => kind::PAGE_OFFSET12_LDST128,
    })
}

/// Whether `word` is `ADRP`, and of which register.
pub(super) fn adrp_register(word: u32) -> Option<u32> {
    ADRP.matches(word).then_some(word & 31)
}

/// Whether `word` loads 8 bytes at an unsigned offset from a register to the same one, and which.
pub(super) fn load64_register(word: u32) -> Option<u32> {
    (LOAD64.matches(word) && word & 31 == word >> 5 & 31).then_some(word & 31)
}

impl Field {
    /// Writes the field's bits of `value`, which is in range, at `offset`; `width` is the kind's.
    ///
    /// Errors: [`FixupError::WrongInstruction`] if the instruction there has no such field, [`FixupError::Misaligned`] if
    /// bits are lost at the low end, [`FixupError::OutsideBlock`].
    pub(super) fn write(self, value: i64, width: u8, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
        match self {
            Field::Nothing => Ok(()),
            Field::Data => store(block, offset, width, value),
            _ => {
                let bytes = place::<4>(block, offset)?;
                *bytes = self.encode(u32::from_le_bytes(*bytes), value)?.to_le_bytes();
                Ok(())
            }
        }
    }

    /// Instruction `word` with the field's bits of `value`. Errors as [`Field::write`].
    fn encode(self, word: u32, value: i64) -> Result<u32, FixupError> {
        // Truncating to 32 bits keeps every bit that a field of this instruction can hold.
        Ok(match self {
            Field::Nothing | Field::Data => word,
            Field::Branch26 => {
                expect(&BRANCH, word)?;
                insert(word, 0, 26, bits(value, 2)?)
            }
            Field::CondBranch19 => {
                if !COMPARE_AND_BRANCH.matches(word) {
                    expect(&BRANCH_IF, word)?;
                }
                insert(word, 5, 19, bits(value, 2)?)
            }
            Field::TestAndBranch14 => {
                expect(&TEST_AND_BRANCH, word)?;
                insert(word, 5, 14, bits(value, 2)?)
            }
            Field::Literal19 => {
                expect(&LITERAL, word)?;
                insert(word, 5, 19, bits(value, 2)?)
            }
            Field::Adr => {
                expect(&ADR, word)?;
                insert_adr(word, value as u32)
            }
            Field::Adrp => {
                expect(&ADRP, word)?;
                insert_adr(word, (value >> 12) as u32)
            }
            Field::Add => {
                expect(&ADD, word)?;
                insert(word, 10, 12, value as u32)
            }
            Field::AddHigh => {
                expect(&ADD_HIGH, word)?;
                insert(word, 10, 12, (value >> 12) as u32)
            }
            Field::LoadStore { shift } => {
                if load_store_shift(word) != Some(shift) {
                    return wrong(load_store_name(shift), word);
                }
                insert(word, 10, 12, bits(value & 0xfff, shift)?)
            }
            Field::Load64Offset15 => {
                expect(&LOAD64, word)?;
                insert(word, 10, 12, bits(value, 3)?)
            }
            Field::MoveWide(group) => {
                if !group.matches(word) || word & NOT_MOVN == 0 {
                    return wrong(group.unsigned_name(), word);
                }
                insert(word, 5, 16, (value >> (16 * group.number())) as u32)
            }
            Field::MoveWideSigned(group) => {
                if !group.matches(word) || word & MOVK != 0 {
                    return wrong(group.signed_name(), word);
                }
                let (opcode, field) = if value < 0 { (word & !NOT_MOVN, !value) } else { (word | NOT_MOVN, value) };
                insert(opcode, 5, 16, (field >> (16 * group.number())) as u32)
            }
            Field::AddFromLoad => {
                expect(&LOAD64, word)?;
                insert(ADD64 | word & 0x3ff, 10, 12, value as u32)
            }
            Field::ThreadLocal(rewrite) => rewrite.encode(word, value)?,
        })
    }
}

fn wrong<T>(expected: &'static str, word: u32) -> Result<T, FixupError> {
    Err(FixupError::WrongInstruction { expected, found: word.into() })
}

fn expect(pattern: &Pattern, word: u32) -> Result<(), FixupError> {
    if pattern.matches(word) { Ok(()) } else { wrong(pattern.name, word) }
}

/// The low 32 bits of `value >> shift`. Errors: [`FixupError::Misaligned`] if ones are shifted out.
fn bits(value: i64, shift: u8) -> Result<u32, FixupError> {
    let align = 1u64 << shift;
    if value as u64 & (align - 1) != 0 {
        return Err(FixupError::Misaligned { value: value as u64, align });
    }
    Ok((value >> shift) as u32)
}

/// `word` with the low `width` bits of `field` from bit `low` up.
fn insert(word: u32, low: u32, width: u32, field: u32) -> u32 {
    let mask = (1 << width) - 1;
    word & !(mask << low) | (field & mask) << low
}

/// `word` with the low 21 bits of `field` as immhi:immlo.
fn insert_adr(word: u32, field: u32) -> u32 {
    insert(insert(word, 29, 2, field), 5, 19, field >> 2)
}
