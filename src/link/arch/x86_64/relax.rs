//! GOT accesses rewritten to do without the GOT.

use super::kinds::{Form, Prefix, kind};
use super::{DISPLACEMENT_ADDEND, REACH, thread_local};
use crate::link::arch::formula::place;
use crate::link::arch::{FixupError, Reach};
use crate::link::edge::{Edge, EdgeKind};
use crate::link::graph::{BlockId, LinkGraph};

/// The operand-size prefix, under which immediates have 16 bits.
const OPERAND_SIZE: u8 = 0x66;

/// `mov r, r/m`.
const MOV: u8 = 0x8b;
/// `lea r, m`.
const LEA: u8 = 0x8d;
/// `test r/m, r`.
const TEST: u8 = 0x85;
/// `call r/m`, `jmp r/m` and others, told apart by the ModRM byte.
const GROUP5: u8 = 0xff;

/// Instructions that access a GOT entry and can be rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Mov,
    Call,
    Jump,
    Test,
    /// `add`, `or`, `adc`, `sbb`, `and`, `sub`, `xor`, `cmp`, by the number they have in the group that takes immediates.
    Arithmetic(u8),
}

impl Prefix {
    /// Its length in bytes.
    fn len(self) -> usize {
        match self {
            Prefix::None => 0,
            Prefix::Rex => 1,
            Prefix::Rex2 => 2,
        }
    }

    /// Whether `bytes` are such a prefix in front of an opcode of the one-byte map.
    fn matches(self, bytes: &[u8]) -> bool {
        match (self, bytes) {
            (Prefix::None, []) => true,
            (Prefix::Rex, [rex]) => rex & 0xf0 == 0x40,
            (Prefix::Rex2, [0xd5, payload]) => payload & 0x80 == 0,
            _ => false,
        }
    }
}

/// See [`super::super::Architecture::relax`].
pub(super) fn relax(graph: &mut LinkGraph, reach: &Reach<'_>) {
    for block in graph.block_ids() {
        thread_local::relax(graph, block);
        let edges = graph.blocks[block.index()].edges.clone();
        for index in edges.start as usize..edges.end as usize {
            if let Some(kind) = relaxed(graph, block, &graph.edges[index], reach) {
                graph.edges[index].kind = kind;
            }
        }
    }
}

/// The kind that `edge` of `block` can have instead of its own.
fn relaxed(graph: &LinkGraph, block: BlockId, edge: &Edge, reach: &Reach<'_>) -> Option<EdgeKind> {
    let (prefix, immediate) = match edge.kind {
        kind::REQUEST_GOT_LOAD => (Prefix::None, kind::RELAXED_IMMEDIATE),
        kind::REQUEST_GOT_LOAD_REX => (Prefix::Rex, kind::RELAXED_IMMEDIATE_REX),
        kind::REQUEST_GOT_LOAD_REX2 => (Prefix::Rex2, kind::RELAXED_IMMEDIATE_REX2),
        _ => return None,
    };
    // Another addend reads another word than the GOT entry, or has an immediate behind it.
    if edge.addend != DISPLACEMENT_ADDEND {
        return None;
    }
    let content = graph.content(block);
    let offset = edge.offset as usize;
    let direct = match recognize(prefix, content, offset)? {
        Access::Mov => Some(kind::RELAXED_LEA),
        Access::Call if prefix == Prefix::None => Some(kind::RELAXED_CALL),
        Access::Jump if prefix == Prefix::None => Some(kind::RELAXED_JUMP),
        Access::Call | Access::Jump => return None,
        Access::Test | Access::Arithmetic(_) => None,
    };
    if direct.is_some() && reach.is_sure(graph, edge.target, REACH) {
        return direct;
    }
    if matches!(direct, Some(kind::RELAXED_CALL | kind::RELAXED_JUMP)) {
        return None;
    }
    let address = reach.absolute(graph, edge.target)?;
    let fits = i32::try_from(address.0 as i64).is_ok();
    (fits && !has_operand_size(prefix, content, offset)).then_some(immediate)
}

/// What the instruction is whose displacement is at `offset`, if it is one that can be rewritten.
pub(super) fn recognize(prefix: Prefix, content: &[u8], offset: usize) -> Option<Access> {
    let start = offset.checked_sub(2 + prefix.len())?;
    let (prefix_bytes, instruction) = content.get(start..offset)?.split_at(prefix.len());
    let &[opcode, modrm] = instruction else {
        return None;
    };
    // Only `disp32(%rip)` is such an operand: mod 0, r/m 5.
    if !prefix.matches(prefix_bytes) || modrm & 0xc7 != 0x05 {
        return None;
    }
    let field = modrm >> 3;
    match opcode {
        MOV => Some(Access::Mov),
        TEST => Some(Access::Test),
        GROUP5 if field == 2 => Some(Access::Call),
        GROUP5 if field == 4 => Some(Access::Jump),
        _ if opcode & 0xc7 == 0x03 => Some(Access::Arithmetic(opcode >> 3)),
        _ => None,
    }
}

/// Whether the byte in front of the instruction and its `prefix` might make its operands 16 bits wide.
pub(super) fn has_operand_size(prefix: Prefix, content: &[u8], offset: usize) -> bool {
    offset
        .checked_sub(3 + prefix.len())
        .and_then(|before| content.get(before))
        .is_some_and(|&byte| byte == OPERAND_SIZE)
}

/// What the rewritten field's value has on top of the kind's formula for the original displacement.
pub(super) fn correction(form: Form) -> i64 {
    match form {
        Form::Jump => 1,
        Form::Immediate(_) => -DISPLACEMENT_ADDEND,
        _ => 0,
    }
}

/// Rewrites the instruction whose displacement is at `offset` and writes `value` into it.
///
/// Errors: [`FixupError::WrongInstruction`] if it is none that [`relax`] chooses `form` for; [`FixupError::OutsideBlock`].
pub(super) fn rewrite(form: Form, value: i32, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    place::<4>(block, offset)?;
    let prefix = match form {
        Form::Immediate(prefix) => prefix,
        _ => Prefix::None,
    };
    let access = recognize(prefix, block, offset);
    let instruction = place::<6>(block, offset.wrapping_sub(2))?;
    let [opcode, modrm, ..] = *instruction;
    let [a, b, c, d] = value.to_le_bytes();
    let register = modrm >> 3 & 7;
    *instruction = match (form, access) {
        (Form::Lea, Some(Access::Mov)) => [LEA, modrm, a, b, c, d],
        (Form::Call, Some(Access::Call)) => [0x67, 0xe8, a, b, c, d],
        (Form::Jump, Some(Access::Jump)) => [0xe9, a, b, c, d, 0x90],
        (Form::Immediate(_), Some(Access::Mov)) => [0xc7, 0xc0 | register, a, b, c, d],
        (Form::Immediate(_), Some(Access::Test)) => [0xf7, 0xc0 | register, a, b, c, d],
        (Form::Immediate(_), Some(Access::Arithmetic(number))) => [0x81, 0xc0 | number << 3 | register, a, b, c, d],
        _ => {
            return Err(FixupError::WrongInstruction {
                expected: "an instruction whose GOT access can be relaxed",
                found: u16::from_be_bytes([opcode, modrm]).into(),
            });
        }
    };
    // The register moved from the ModRM byte's reg field to its r/m field: so must its upper bits in the prefix.
    match prefix {
        Prefix::None => {}
        Prefix::Rex => {
            let [rex] = place::<1>(block, offset.wrapping_sub(3))?;
            *rex = *rex & !0b0101 | *rex >> 2 & 0b0001;
        }
        Prefix::Rex2 => {
            let [payload] = place::<1>(block, offset.wrapping_sub(3))?;
            *payload = *payload & !0b0101_0101 | *payload >> 2 & 0b0001_0001;
        }
    }
    Ok(())
}
