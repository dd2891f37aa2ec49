//! Thread-local accesses rewritten to instructions that add a constant to the thread pointer.
//!
//! The psABI (B.1, "Initial Exec and Local Exec TLS Models" and the transitions between models) fixes the instructions of each
//! access, so that linkers can rewrite them. All variables whose offset from the thread pointer is one number for all threads are
//! accessed with it; only those with dynamic storage, of libraries or too large for the reserve, keep the call of `__tls_get_addr`
//! or of their descriptor's function.
//!
//! | access | rewritten |
//! |---|---|
//! | `data16 lea foo@tlsgd(%rip), %rdi; call __tls_get_addr` | `mov %fs:0, %rax; lea foo@tpoff(%rax), %rax` |
//! | `lea foo@tlsld(%rip), %rdi; call __tls_get_addr` | `mov %fs:0, %rax`, with prefixes to fill the room |
//! | `mov` or `add` of `foo@gottpoff(%rip)` | the same of `$foo@tpoff` |
//! | `lea foo@tlsdesc(%rip), %reg; call *foo@tlscall(%rax)` | `mov $foo@tpoff, %reg; xchg %ax, %ax` |
//!
//! The call is direct, through the GOT (`-fno-plt`), or by way of `%rax` (large code model).

use super::DISPLACEMENT_ADDEND;
use super::kinds::{Form, Prefix, kind};
use super::relax::{Access, has_operand_size, recognize};
use crate::link::arch::FixupError;
use crate::link::arch::formula::place;
use crate::link::graph::{BlockId, LinkGraph, SymbolId, SymbolPlace};

/// The function that general and local dynamic accesses call.
const TLS_GET_ADDR: &[u8] = b"__tls_get_addr";

/// `lea disp32(%rip), %rdi`, up to the displacement.
const LEA_RDI: &[u8] = &[0x48, 0x8d, 0x3d];
/// `mov %fs:0, %rax`.
const MOV_FS_RAX: [u8; 9] = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0];
/// `lea disp32(%rax), %rax`, up to the displacement.
const LEA_RAX: [u8; 3] = [0x48, 0x8d, 0x80];
/// A prefix that means nothing to the instructions it is put before.
const DATA16: u8 = 0x66;
/// `nopw 0(%rax, %rax, 1)`.
const NOP6: [u8; 6] = [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00];
/// `call *(%rax)`.
const CALL_DESCRIPTOR: [u8; 2] = [0xff, 0x10];
/// `xchg %ax, %ax`.
const NOP2: [u8; 2] = [0x66, 0x90];

/// Gives the thread-local edges of `block` the kinds that do without `__tls_get_addr` and without the GOT. A call that does not stand
/// where the psABI has it stays a call: it gets a pair that leads to the thread pointer's surroundings.
pub(super) fn relax(graph: &mut LinkGraph, block: BlockId) {
    let edges = graph.blocks[block.index()].edges.clone();
    for index in edges.start as usize..edges.end as usize {
        let edge = graph.edges[index];
        match edge.kind {
            kind::REQUEST_TLS_INDEX | kind::REQUEST_TLS_MODULE => {
                let next = (index + 1 < edges.end as usize).then(|| graph.edges[index + 1]);
                let call = next.filter(|next| {
                    let distance = next.offset.wrapping_sub(edge.offset);
                    (5..=8).contains(&distance) && graph.symbols[next.target.index()].name == TLS_GET_ADDR
                });
                if is_static(graph, edge.target) && call.is_some() && edge.addend == DISPLACEMENT_ADDEND {
                    let general = edge.kind == kind::REQUEST_TLS_INDEX;
                    graph.edges[index].kind = if general { kind::TLS_INDEX_RELAXED } else { kind::TLS_MODULE_RELAXED };
                    graph.edges[index + 1].kind = kind::KEEP_ALIVE;
                } else if call.is_some_and(|call| call.kind == kind::REQUEST_GOT_LOAD) {
                    // Its prefixes would change what a direct call in its place means.
                    graph.edges[index + 1].kind = kind::REQUEST_GOT_DELTA32;
                }
            }
            kind::REQUEST_TLS_DESCRIPTOR | kind::REQUEST_TLS_DESCRIPTOR_REX2 | kind::REQUEST_TLS_DESCRIPTOR_CALL
                if is_static(graph, edge.target) =>
            {
                graph.edges[index].kind = match edge.kind {
                    kind::REQUEST_TLS_DESCRIPTOR => kind::TLS_DESCRIPTOR,
                    kind::REQUEST_TLS_DESCRIPTOR_REX2 => kind::TLS_DESCRIPTOR_REX2,
                    _ => kind::TLS_DESCRIPTOR_CALL,
                };
            }
            kind::REQUEST_TLS_OFFSET_REX | kind::REQUEST_TLS_OFFSET_REX2 => {
                let (prefix, relaxed) = match edge.kind {
                    kind::REQUEST_TLS_OFFSET_REX => (Prefix::Rex, kind::TLS_OFFSET_IMMEDIATE_REX),
                    _ => (Prefix::Rex2, kind::TLS_OFFSET_IMMEDIATE_REX2),
                };
                if has_immediate_form(prefix, graph.content(block), edge.offset as usize, edge.addend) {
                    graph.edges[index].kind = relaxed;
                }
            }
            _ => {}
        }
    }
}

/// Whether `target` has one offset from the thread pointer for all threads.
fn is_static(graph: &LinkGraph, target: SymbolId) -> bool {
    !matches!(graph.symbols[target.index()].place, SymbolPlace::DynamicThreadLocal(_))
}

/// Whether the instruction with a displacement at `offset` loads or adds a GOT entry, as the psABI has it for an offset.
fn has_immediate_form(prefix: Prefix, content: &[u8], offset: usize, addend: i64) -> bool {
    addend == DISPLACEMENT_ADDEND
        && matches!(recognize(prefix, content, offset), Some(Access::Mov | Access::Arithmetic(0)))
        && !has_operand_size(prefix, content, offset)
}

/// What the written value has on top of the kind's formula for the original displacement.
pub(super) const CORRECTION: i64 = -DISPLACEMENT_ADDEND;

/// Rewrites the instructions whose first displacement is at `offset`; `value` is the offset from the thread pointer.
///
/// Errors: [`FixupError::WrongInstruction`] if they are not what the psABI prescribes; [`FixupError::OutsideBlock`].
pub(super) fn rewrite(form: Form, value: i32, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    match form {
        Form::ThreadLocalIndex => general_dynamic(value, offset, block),
        Form::ThreadLocalModule => local_dynamic(offset, block),
        Form::Descriptor(Prefix::Rex2) => descriptor_rex2(value, offset, block),
        Form::Descriptor(_) => descriptor(value, offset, block),
        Form::DescriptorCall => {
            let call = place::<2>(block, offset)?;
            if *call != CALL_DESCRIPTOR {
                return Err(wrong("a call through a TLS descriptor", call));
            }
            *call = NOP2;
            Ok(())
        }
        _ => Err(wrong("part of a thread-local access", place::<4>(block, offset)?)),
    }
}

fn general_dynamic(value: i32, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    place::<4>(block, offset)?;
    let start = offset.wrapping_sub(3);
    if is_large_call(block, start) {
        let code = place::<22>(block, start)?;
        code[..9].copy_from_slice(&MOV_FS_RAX);
        code[9..12].copy_from_slice(&LEA_RAX);
        code[12..16].copy_from_slice(&value.to_le_bytes());
        code[16..].copy_from_slice(&NOP6);
        return Ok(());
    }
    let code = place::<16>(block, offset.wrapping_sub(4))?;
    let is_call = matches!(code[8..12], [0x66, 0x66, 0x48, 0xe8] | [0x66, 0x48, 0xff, 0x15]);
    if code[0] != DATA16 || code[1..4] != *LEA_RDI || !is_call {
        return Err(wrong("a data16 lea followed by a call of __tls_get_addr", &code[..4]));
    }
    code[..9].copy_from_slice(&MOV_FS_RAX);
    code[9..12].copy_from_slice(&LEA_RAX);
    code[12..].copy_from_slice(&value.to_le_bytes());
    Ok(())
}

fn local_dynamic(offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    place::<4>(block, offset)?;
    let start = offset.wrapping_sub(3);
    if is_large_call(block, start) {
        let code = place::<22>(block, start)?;
        code[..7].copy_from_slice(&[0x90; 7]);
        code[7..16].copy_from_slice(&MOV_FS_RAX);
        code[16..].copy_from_slice(&NOP6);
        return Ok(());
    }
    let length = match block.get(start..).and_then(|code| code.get(7..9)) {
        Some([0xe8, _]) => 12,
        Some([0xff, 0x15]) => 13,
        _ => 0,
    };
    match block.get_mut(start..).and_then(|code| code.get_mut(..length)) {
        Some(code) if code.starts_with(LEA_RDI) => {
            let (fill, mov) = code.split_at_mut(length - MOV_FS_RAX.len());
            fill.fill(DATA16);
            mov.copy_from_slice(&MOV_FS_RAX);
            Ok(())
        }
        _ => Err(wrong("a lea followed by a call of __tls_get_addr", place::<4>(block, offset)?)),
    }
}

/// Whether at `start` stands `lea disp(%rip), %rdi; movabs $imm, %rax; add %rbx or %r15, %rax; call *%rax`.
fn is_large_call(block: &[u8], start: usize) -> bool {
    block.get(start..).and_then(|code| code.get(..22)).is_some_and(|code| {
        code.starts_with(LEA_RDI)
            && code[7..9] == [0x48, 0xb8]
            && matches!(code[17..20], [0x48, 0x01, 0xd8] | [0x4c, 0x01, 0xf8])
            && code[20..] == [0xff, 0xd0]
    })
}

/// `lea disp(%rip), %reg` to `mov $value, %reg`.
fn descriptor(value: i32, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    place::<4>(block, offset)?;
    let code = place::<7>(block, offset.wrapping_sub(3))?;
    let [rex, opcode, modrm, ..] = *code;
    if rex & 0xfb != 0x48 || opcode != 0x8d || modrm & 0xc7 != 0x05 {
        return Err(wrong("a lea of a TLS descriptor", &code[..3]));
    }
    let [a, b, c, d] = value.to_le_bytes();
    *code = [0x48 | rex >> 2 & 1, 0xc7, 0xc0 | modrm >> 3 & 7, a, b, c, d];
    Ok(())
}

/// The same with a REX2 prefix: its payload has the register's upper bits for the ModRM byte's reg field, which becomes its r/m field.
fn descriptor_rex2(value: i32, offset: usize, block: &mut [u8]) -> Result<(), FixupError> {
    place::<4>(block, offset)?;
    let code = place::<8>(block, offset.wrapping_sub(4))?;
    let [rex2, payload, opcode, modrm, ..] = *code;
    if rex2 != 0xd5 || payload & 0xbb != 0x08 || opcode != 0x8d || modrm & 0xc7 != 0x05 {
        return Err(wrong("a lea of a TLS descriptor", &code[..4]));
    }
    let [a, b, c, d] = value.to_le_bytes();
    *code = [rex2, 0x08 | payload >> 2 & 0x11, 0xc7, 0xc0 | modrm >> 3 & 7, a, b, c, d];
    Ok(())
}

fn wrong(expected: &'static str, bytes: &[u8]) -> FixupError {
    FixupError::WrongInstruction { expected, found: bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)) }
}

#[cfg(test)]
#[path = "thread_local_tests.rs"]
pub(super) mod tests;
