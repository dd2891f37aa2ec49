//! x86-64 instructions: iced-x86 decodes, and its operands are put in the order of LLVM's `MCInst`.
//!
//! iced lists operands as Intel's manual does. What LLVM does otherwise: a register that is read and written is listed twice; a memory
//! operand is base, scale, index, displacement, segment; `xchg` and `xadd` with memory begin with the register; the condition of
//! `jcc`, `setcc` and `cmovcc` is a last operand; what the opcode implies (`%eax` in the short form of `add`, `%cl` in shifts) is
//! left out; and `lock` is an instruction of its own.

use super::{Instruction, Operand};
use iced_x86::{
    Code, ConditionCode, Decoder, DecoderOptions, InstructionInfoFactory, Mnemonic, OpAccess,
    OpCodeOperandKind as Kind, OpKind, Register,
};

/// The prefix `lock`.
const LOCK: u8 = 0xf0;

/// Decodes the instruction that `bytes` begin with.
pub(super) fn decode(bytes: &[u8]) -> Option<Instruction> {
    let decoded = Decoder::new(64, bytes, DecoderOptions::NONE).decode();
    if decoded.is_invalid() {
        return None;
    }
    if decoded.has_lock_prefix() && bytes.starts_with(&[LOCK]) {
        return Some(Instruction { name: "LOCK_PREFIX".into(), size: 1, operands: Vec::new() });
    }
    let mut operands = Vec::with_capacity(8);
    list(&decoded, &mut operands);
    if decoded.condition_code() != ConditionCode::None && !decoded.is_loopcc() {
        operands.push(Operand::Immediate(decoded.condition_code() as i64 - 1));
    }
    // "ADD r/m8, r8". The names that `Debug` has would be a table more, with an address of the program to be relocated for each.
    let name = decoded.op_code().instruction_string().split(' ').next().unwrap_or_default().to_uppercase();
    Some(Instruction { name, size: decoded.len() as u64, operands })
}

fn list(decoded: &iced_x86::Instruction, operands: &mut Vec<Operand>) {
    match decoded.mnemonic() {
        Mnemonic::Xchg | Mnemonic::Xadd => {
            exchange(decoded, operands);
            return;
        }
        Mnemonic::Xlatb => return,
        _ => {}
    }
    for operand in 0..decoded.op_count() {
        if is_implied(decoded, operand) {
            continue;
        }
        push(decoded, operand, operands);
        if operand == 0 {
            if is_tied(decoded) {
                push(decoded, 0, operands);
            }
            if decoded.op_mask() != Register::None {
                operands.push(register(decoded.op_mask()));
            }
        }
    }
}

/// Whether the first operand is a register that is read and written.
fn is_tied(decoded: &iced_x86::Instruction) -> bool {
    let first = decoded.op0_register();
    if matches!(decoded.mnemonic(), Mnemonic::Nop | Mnemonic::Lar | Mnemonic::Lsl | Mnemonic::Cmpxchg) {
        return false;
    }
    if decoded.op0_kind() != OpKind::Register || first.is_st() {
        return false;
    }
    let mut asked = *decoded;
    if decoded.op_count() > 1 && decoded.op1_kind() == OpKind::Register && decoded.op1_register() == first {
        // Of "xor %eax, %eax" iced says that nothing is read. LLVM lists operands without looking which registers they are.
        let other = if first == first.base() { first + 1 } else { first.base() };
        asked.set_op1_register(other);
    }
    let access = InstructionInfoFactory::new().info(&asked).op0_access();
    matches!(access, OpAccess::ReadWrite | OpAccess::ReadCondWrite | OpAccess::CondWrite)
}

/// The operands of an exchange: what is written, then what is read; a register before memory.
fn exchange(decoded: &iced_x86::Instruction, operands: &mut Vec<Operand>) {
    let memory = decoded.op0_kind() == OpKind::Memory;
    let accumulator = matches!(decoded.code(), Code::Xchg_r16_AX | Code::Xchg_r32_EAX | Code::Xchg_r64_RAX);
    let order: &[u32] = match (memory, accumulator) {
        (true, _) => &[1, 1, 0],
        (false, true) => &[0, 0],
        (false, false) => &[0, 1, 0, 1],
    };
    for &operand in order {
        push(decoded, operand, operands);
    }
}

/// Whether the opcode says it all about `operand`.
fn is_implied(decoded: &iced_x86::Instruction, operand: u32) -> bool {
    let kind = decoded.op_code().op_kind(operand);
    matches!(
        kind,
        Kind::al
            | Kind::cl
            | Kind::ax
            | Kind::dx
            | Kind::eax
            | Kind::rax
            | Kind::es
            | Kind::cs
            | Kind::ss
            | Kind::ds
            | Kind::fs
            | Kind::gs
            | Kind::st0
            | Kind::imm8_const_1
    )
}

fn push(decoded: &iced_x86::Instruction, operand: u32, operands: &mut Vec<Operand>) {
    let kind = decoded.op_kind(operand);
    let number = match kind {
        OpKind::Register => {
            operands.push(register(decoded.op_register(operand)));
            return;
        }
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
            decoded.near_branch_target().wrapping_sub(decoded.len() as u64) as i64
        }
        OpKind::Immediate8 | OpKind::Immediate8_2nd => {
            let byte = decoded.immediate(operand) as u8;
            if is_unsigned(decoded) { i64::from(byte) } else { i64::from(byte as i8) }
        }
        OpKind::Immediate16 if matches!(decoded.mnemonic(), Mnemonic::Ret | Mnemonic::Retf | Mnemonic::Enter) => {
            i64::from(decoded.immediate(operand) as i16)
        }
        OpKind::Memory => {
            memory(decoded, operand, operands);
            return;
        }
        OpKind::MemorySegSI
        | OpKind::MemorySegESI
        | OpKind::MemorySegRSI
        | OpKind::MemoryESEDI
        | OpKind::MemoryESRDI => {
            string_memory(decoded, kind, operands);
            return;
        }
        _ => decoded.try_immediate(operand).unwrap_or_default() as i64,
    };
    operands.push(Operand::Immediate(number));
}

/// Whether the 8-bit immediate selects something, and so has no sign.
fn is_unsigned(decoded: &iced_x86::Instruction) -> bool {
    let vector = |operand: u32| {
        let r = decoded.op_register(operand);
        r.is_vector_register() || r.is_k() || r.is_mm()
    };
    (0..decoded.op_count()).any(vector)
        || matches!(decoded.mnemonic(), Mnemonic::Int | Mnemonic::In | Mnemonic::Out)
        || matches!(decoded.mnemonic(), Mnemonic::Rcl | Mnemonic::Rcr | Mnemonic::Rol | Mnemonic::Ror)
        || matches!(decoded.mnemonic(), Mnemonic::Sal | Mnemonic::Sar | Mnemonic::Shl | Mnemonic::Shr)
        || matches!(decoded.mnemonic(), Mnemonic::Shld | Mnemonic::Shrd)
        || matches!(decoded.mnemonic(), Mnemonic::Bt | Mnemonic::Btc | Mnemonic::Btr | Mnemonic::Bts)
}

fn memory(decoded: &iced_x86::Instruction, operand: u32, operands: &mut Vec<Operand>) {
    let absolute = matches!(decoded.op_code().op_kind(operand), Kind::mem_offs);
    let displacement = decoded.memory_displacement64();
    let segment = register(decoded.segment_prefix());
    if absolute {
        operands.extend([Operand::Immediate(displacement as i64), segment]);
        return;
    }
    // iced adds the displacement to the address of the next instruction, which is the length: decoding began at 0.
    let next = if decoded.is_ip_rel_memory_operand() { decoded.len() as u32 } else { 0 };
    let displacement = (displacement as u32).wrapping_sub(next) as i32;
    operands.extend([
        register(decoded.memory_base()),
        Operand::Immediate(i64::from(decoded.memory_index_scale())),
        register(decoded.memory_index()),
        Operand::Immediate(i64::from(displacement)),
        segment,
    ]);
}

/// The operand of a string instruction: its address register, and for the source its segment.
fn string_memory(decoded: &iced_x86::Instruction, kind: OpKind, operands: &mut Vec<Operand>) {
    let (base, source) = match kind {
        OpKind::MemorySegESI => (Register::ESI, true),
        OpKind::MemoryESEDI => (Register::EDI, false),
        OpKind::MemoryESRDI => (Register::RDI, false),
        _ => (Register::RSI, true),
    };
    operands.push(register(base));
    if source {
        operands.push(register(decoded.segment_prefix()));
    }
}

fn register(register: Register) -> Operand {
    Operand::Register(if register == Register::None { String::new() } else { format!("{register:?}") })
}
