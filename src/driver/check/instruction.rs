//! An instruction as check rules see it: a length, and operands numbered as in LLVM's `MCInst`.
//!
//! LLVM lists what an instruction writes before what it reads. A register that is both is listed twice, a memory operand of x86-64
//! is five operands, and operands that the opcode implies are not listed. Rules count by that, so the decoders here do.

mod aarch64;
mod x86_64;

use crate::base::Arch;
use std::fmt;

/// One decoded instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its mnemonic, in upper case.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its operands.
    pub operands: Vec<Operand>,
}

/// One operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A register; the name is empty where LLVM lists a register that is not there: a missing base, index or segment.
    Register(String),
    /// A number as it is in the instruction: a displacement from the next instruction, a branch distance in instructions.
    Immediate(i64),
}

/// Decodes the instruction that `bytes` begin with; `None` if they begin with none that is known.
pub(super) fn decode(arch: Arch, bytes: &[u8]) -> Option<Instruction> {
    match arch {
        Arch::X86_64 => x86_64::decode(bytes),
        Arch::Aarch64 => aarch64::decode(u32::from_le_bytes(*bytes.first_chunk()?)),
        Arch::Riscv64 => None,
    }
}

impl fmt::Display for Instruction {
    /// As LLVM dumps an `MCInst`, without the numbers it has for opcodes and registers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<MCInst {}", self.name)?;
        for operand in &self.operands {
            match operand {
                Operand::Register(name) => write!(f, " <MCOperand Reg:{name}>")?,
                Operand::Immediate(value) => write!(f, " <MCOperand Imm:{value}>")?,
            }
        }
        write!(f, ">")
    }
}
