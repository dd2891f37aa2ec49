//! Thread-local accesses rewritten to instructions that make a constant, the offset from the thread pointer, or add it.
//!
//! AAELF64 ("Relocation optimization" and the relaxations of ABI documents for TLS) fixes the instructions of each access, so that
//! linkers can rewrite them one for one. All variables whose offset is one number for all threads are accessed with it; only those
//! with dynamic storage, of libraries or too large for the reserve, keep the call of `__tls_get_addr` or of their descriptor's function.
//!
//! General dynamic accesses of the tiny and the large model, and local dynamic ones of the large model, have too few instructions for
//! an offset, or none whose registers are prescribed. They stay calls.
//!
//! | access | rewritten |
//! |---|---|
//! | general dynamic: `adrp x0; add x0, x0; bl __tls_get_addr` | `mrs x0, tpidr_el0; add x0, x0, #hi12, lsl #12; add x0, x0, #lo12` |
//! | local dynamic: the same | `mrs x0, tpidr_el0; nop; nop` |
//! | descriptor: `adrp x0; ldr x1, [x0]; add x0, x0; blr x1` | `movz x0, #g1, lsl #16; movk x0, #g0; nop; nop` |
//! | descriptor, tiny model: `ldr x1, foo; adr x0, foo; blr x1` | `movz x0, #g1, lsl #16; movk x0, #g0; nop` |
//! | descriptor, large model: `movz x0; movk x0; ldr x1, [gp, x0]; add x0, gp, x0; blr x1` | `movz`, `movk`, and three `nop` |
//! | initial exec: `adrp xN; ldr xN, [xN]` | `movz xN, #g1, lsl #16; movk xN, #g0` |

use super::field::{adrp_register, load64_register};
use super::kinds::kind;
use crate::link::arch::FixupError;
use crate::link::edge::{Edge, EdgeKind};
use crate::link::graph::{BlockId, LinkGraph, SymbolPlace};

/// The function that general and local dynamic accesses call.
const TLS_GET_ADDR: &[u8] = b"__tls_get_addr";

/// What an instruction of an access becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rewrite {
    /// `mrs x0, tpidr_el0`, from the instruction that made the upper part of an argument.
    ThreadPointer,
    /// `add x0, x0, #imm, lsl #12`, from the one that added the lower part.
    AddHigh,
    /// `add x0, x0, #imm`, from the call.
    AddLow,
    /// `movz x0, #imm, lsl #16`, from the first instruction of a descriptor access.
    DescriptorHigh,
    /// `movk x0, #imm`, from the second.
    DescriptorLow,
    /// `movz xN, #imm, lsl #16`, from the `adrp` of a GOT access.
    LoadHigh,
    /// `movk xN, #imm`, from its load.
    LoadLow,
    /// `nop`, from an addition to `x0` or to what `x0` holds.
    NoAdd,
    /// `nop`, from a call.
    NoCall,
}

const MRS_X0: u32 = 0xd53b_d040;
const ADD_X0: u32 = 0x9100_0000;
const ADD_X0_LSL12: u32 = 0x9140_0000;
const MOVZ_LSL16: u32 = 0xd2a0_0000;
const MOVK: u32 = 0xf280_0000;
const NOP: u32 = 0xd503_201f;

/// Whether `word` is `adrp x0` or `adr x0`.
fn is_page_x0(word: u32) -> bool {
    word & 0x1f00_001f == 0x1000_0000
}

/// Whether `word` is `add x0, x0, #imm`.
fn is_add_x0(word: u32) -> bool {
    word & 0xffc0_03ff == ADD_X0
}

impl Rewrite {
    /// The instruction in the place of `word`. Errors: [`FixupError::WrongInstruction`].
    pub(super) fn encode(self, word: u32, value: i64) -> Result<u32, FixupError> {
        let value = value as u32;
        let (register, high, low) = (word & 31, (value >> 16) << 5, (value & 0xffff) << 5);
        let (is_right, rewritten, expected) = match self {
            Rewrite::ThreadPointer => (is_page_x0(word), MRS_X0, "an ADRP or ADR to x0"),
            Rewrite::AddHigh => {
                (is_add_x0(word), ADD_X0_LSL12 | (value >> 12 & 0xfff) << 10, "an ADD (imm12) to x0 instruction")
            }
            Rewrite::AddLow => (is_call(word), ADD_X0 | (value & 0xfff) << 10, "a BL instruction"),
            Rewrite::DescriptorHigh => {
                // adrp x0; ldr xN, literal; movz x0, #imm, lsl #16
                let right = word & 0x9f00_001f == 0x9000_0000
                    || word & 0xff00_0000 == 0x5800_0000
                    || word & 0xffe0_001f == MOVZ_LSL16;
                (right, MOVZ_LSL16 | high, "the first instruction of a TLS descriptor access")
            }
            Rewrite::DescriptorLow => {
                // ldr xN, [x0, #imm]; adr x0; movk x0, #imm
                let right = word & 0xffc0_03e0 == 0xf940_0000
                    || word & 0x9f00_001f == 0x1000_0000
                    || word & 0xffe0_001f == MOVK;
                (right, MOVK | low, "the second instruction of a TLS descriptor access")
            }
            Rewrite::LoadHigh => (adrp_register(word).is_some(), MOVZ_LSL16 | high | register, "an ADRP instruction"),
            Rewrite::LoadLow => {
                (load64_register(word).is_some(), MOVK | low | register, "a LDR (imm12, 64 bit) instruction")
            }
            Rewrite::NoAdd => {
                // add x0, x0, #imm; add x0, xN, xM; ldr xN, [xM, xK]
                let right = is_add_x0(word) || word & 0xffe0_fc1f == 0x8b00_0000 || word & 0xffe0_fc00 == 0xf860_6800;
                (right, NOP, "an ADD to x0 or a LDR (register) instruction")
            }
            Rewrite::NoCall => (is_call(word), NOP, "a BL or BLR instruction"),
        };
        if is_right { Ok(rewritten) } else { Err(FixupError::WrongInstruction { expected, found: word.into() }) }
    }
}

/// Whether `word` is `bl` or `blr`.
fn is_call(word: u32) -> bool {
    word & 0xfc00_0000 == 0x9400_0000 || word & 0xffff_fc1f == 0xd63f_0000
}

/// The kinds of descriptor accesses, and those without a descriptor.
const DESCRIPTORS: &[(EdgeKind, EdgeKind)] = &[
    (kind::REQUEST_TLS_DESCRIPTOR_PAGE21, kind::TLS_DESCRIPTOR_HIGH),
    (kind::REQUEST_TLS_DESCRIPTOR_LDST64, kind::TLS_DESCRIPTOR_LOW),
    (kind::REQUEST_TLS_DESCRIPTOR_PAGE_OFFSET12, kind::TLS_DESCRIPTOR_ADD),
    (kind::REQUEST_TLS_DESCRIPTOR_LITERAL19, kind::TLS_DESCRIPTOR_HIGH),
    (kind::REQUEST_TLS_DESCRIPTOR_ADR21, kind::TLS_DESCRIPTOR_LOW),
    (kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G1, kind::TLS_DESCRIPTOR_HIGH),
    (kind::REQUEST_TLS_DESCRIPTOR_MOVE_WIDE_G0_NC, kind::TLS_DESCRIPTOR_LOW),
    (kind::REQUEST_TLS_DESCRIPTOR_REGISTER, kind::TLS_DESCRIPTOR_ADD),
    (kind::REQUEST_TLS_DESCRIPTOR_CALL, kind::TLS_DESCRIPTOR_CALL),
];

/// Gives the edges of dynamic accesses in `block` the kinds that do without `__tls_get_addr`. A call that does not stand where AAELF64
/// has it stays a call: it gets a pair that leads to the thread pointer's surroundings.
pub(super) fn relax(graph: &mut LinkGraph, block: BlockId) {
    let run = graph.blocks[block.index()].edges.clone();
    for index in run.start as usize..run.end as usize {
        let edges = &graph.edges[index..run.end as usize];
        let target = edges[0].target;
        if matches!(graph.symbols[target.index()].place, SymbolPlace::DynamicThreadLocal(_)) {
            continue;
        }
        let calls = |edge: Option<&Edge>| {
            edge.is_some_and(|edge| {
                edge.kind == kind::BRANCH26 && graph.symbols[edge.target.index()].name == TLS_GET_ADDR
            })
        };
        let then = |kind, edge: Option<&Edge>| edge.is_some_and(|edge| edge.kind == kind && edge.target == target);
        let relaxed: &[_] = match edges[0].kind {
            kind::REQUEST_TLS_INDEX_PAGE21
                if then(kind::REQUEST_TLS_INDEX_PAGE_OFFSET12, edges.get(1)) && calls(edges.get(2)) =>
            {
                &[kind::TLS_INDEX_PAGE_RELAXED, kind::TLS_INDEX_ADD_RELAXED, kind::TLS_INDEX_CALL_RELAXED]
            }
            kind::REQUEST_TLS_MODULE_PAGE21
                if then(kind::REQUEST_TLS_MODULE_PAGE_OFFSET12, edges.get(1)) && calls(edges.get(2)) =>
            {
                &[kind::TLS_MODULE_PAGE_RELAXED, kind::TLS_MODULE_ADD_RELAXED, kind::TLS_MODULE_CALL_RELAXED]
            }
            kind::REQUEST_TLS_MODULE_ADR21 if calls(edges.get(1)) => {
                &[kind::TLS_MODULE_PAGE_RELAXED, kind::TLS_MODULE_CALL_RELAXED]
            }
            other => match DESCRIPTORS.iter().find(|row| row.0 == other) {
                Some(row) => std::slice::from_ref(&row.1),
                None => &[],
            },
        };
        for (edge, &kind) in graph.edges[index..].iter_mut().zip(relaxed) {
            edge.kind = kind;
            edge.target = target;
        }
    }
}
