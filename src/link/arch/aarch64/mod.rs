//! A64 (Arm 64-bit), little-endian, LP64: AAELF64 and AAPCS64, and what Mach-O shares with them.
//!
//! # Addressing
//! Instructions are words of 4 bytes, so an address is made in pieces: `adrp` gives the 4 KiB page of a target within
//! 4 GiB of its own page, and `add` or the offset of a load adds the low 12 bits, which a load of *n* bytes holds divided
//! by *n* ([`kind::PAGE_OFFSET12_LDST64`] and its siblings: relocations come one for each size). `adr` and literal loads
//! reach 1 MiB, conditional branches 1 MiB, test-and-branch 32 KiB, `b` and `bl` 128 MiB. `movz`/`movk` make absolute
//! addresses of any size, 16 bits each; `movn` stands in for `movz` where a signed value is negative. Addends count from
//! the instruction itself: that of a branch to a function is 0.
//!
//! A fixup changes only the field it is for, and only if the instruction has that field: what else stands there is an
//! error that names the instruction that should, because it means the object file is broken.
//!
//! AAELF64 writes GOT accesses as `G(GDAT(S + A))`: the addend belongs to the entry's content. Kinds here compute `G + A`, as
//! static linkers do; no compiler gives these relocations an addend.
//!
//! # Thread-local storage
//! The thread pointer is the register TPIDR_EL0, and variables lie above it: those of the program and of libraries that the loader
//! knows from the start at constant offsets, of 24 bits in the code of the usual models. Accesses by other models are rewritten to
//! use that offset (`thread_local`) where the variable has one. Where it has none, general and local dynamic accesses call
//! `__tls_get_addr` with a pair of words in the GOT, and descriptor accesses call the function that the descriptor in the GOT names.
//!
//! # Stubs and trampolines
//! A branch that does not reach goes to `adrp x16, ptr; ldr x16, [x16, :lo12:ptr]; br x16`. AAPCS64 leaves x16 and x17 (IP0,
//! IP1) to such veneers: a caller must expect every call to another object to change them, and nothing else. So a stub
//! may stand in for the function itself, its address taken or not. Its pointer is within 4 GiB and 8-byte aligned.
//! A stub is 12 bytes, but stands every 16, aligned to 16: it never straddles two cache lines, and the `brk` that fills
//! the fourth word stops straight-line speculation behind the `br`.
//!
//! A reentry trampoline saves x29 and x30, which its `bl` to the reentry function overwrites; x30 then identifies it,
//! 8 bytes on. The reentry function pops the pair, so the body sees the caller's x30.
//!
//! Neither begins with a `bti c` landing pad: branch target identification binds only pages mapped with `PROT_BTI`, which
//! linked memory is not, whatever the program's other pages are. `br x16` would be a fit way to enter a `bti c` too.

mod field;
mod kinds;
mod relax;
#[cfg(test)]
mod tests;
mod thread_local;

pub use field::page_offset_kind;
pub use kinds::{KINDS, kind};

use super::{Architecture, CodeShape, Fixup, FixupError, Reach, ShapeEdge};
use crate::base::{Arch, MemProt};
use crate::link::edge::{EdgeClass, EdgeKind, EdgeKindInfo};
use crate::link::graph::LinkGraph;
use field::Field;
use kinds::{RULES, Rule};

/// How far `b` and `bl` reach for sure in both directions.
const BRANCH_REACH: u64 = 1 << 27;

/// `adrp x16, ptr; ldr x16, [x16, :lo12:ptr]; br x16; brk #1`.
static POINTER_JUMP_STUB: CodeShape = CodeShape {
    code: &[0x10, 0x00, 0x00, 0x90, 0x10, 0x02, 0x40, 0xf9, 0x00, 0x02, 0x1f, 0xd6, 0x20, 0x00, 0x20, 0xd4],
    stride: 16,
    align: 16,
    bare: (12, 4),
    edges: &[
        ShapeEdge { offset: 0, kind: kind::PAGE21, addend: 0 },
        ShapeEdge { offset: 4, kind: kind::PAGE_OFFSET12_LDST64, addend: 0 },
    ],
};

/// `stp x29, x30, [sp, #-16]!; bl reenter`. The reentry function knows the trampoline by x30, 8 bytes on.
static REENTRY_TRAMPOLINE: CodeShape = CodeShape {
    code: &[0xfd, 0x7b, 0xbf, 0xa9, 0x00, 0x00, 0x00, 0x94],
    stride: 8,
    align: 8,
    bare: (8, 4),
    edges: &[ShapeEdge { offset: 4, kind: kind::BRANCH26, addend: 0 }],
};

/// The architecture; see the module documentation.
#[derive(Debug)]
pub struct Aarch64;

impl Architecture for Aarch64 {
    fn arch(&self) -> Arch {
        Arch::Aarch64
    }

    fn edge_kinds(&self) -> &'static [EdgeKindInfo] {
        KINDS
    }

    fn pointer(&self) -> EdgeKind {
        kind::POINTER64
    }

    fn delta32(&self) -> EdgeKind {
        kind::DELTA32
    }

    fn is_tiny(&self, kind: EdgeKind) -> bool {
        matches!(RULES[usize::from(kind.0)].field, Field::Adr | Field::Literal19)
    }

    fn is_relative(&self, kind: EdgeKind) -> bool {
        let Rule { formula, field, .. } = RULES[usize::from(kind.0)];
        // The last is the offset in a page.
        formula.is_relative() || matches!(field, Field::Add | Field::AddFromLoad | Field::LoadStore { .. })
    }

    fn keep_alive(&self) -> EdgeKind {
        kind::KEEP_ALIVE
    }

    fn branch_addend(&self) -> i64 {
        0
    }

    fn behind_target(&self, kind: EdgeKind, addend: i64) -> i64 {
        match kind {
            kind::FUNCTION_DELTA32 | kind::FUNCTION_DELTA32_VIA_STUB => 0,
            _ => addend,
        }
    }

    fn is_call(&self, kind: EdgeKind, _code: &[u8], _offset: usize) -> bool {
        kind == kind::BRANCH26
    }

    fn branch_reach(&self) -> u64 {
        BRANCH_REACH
    }

    fn jitlink_got_prot(&self) -> MemProt {
        MemProt::ReadExec
    }

    fn pointer_jump_stub(&self) -> &'static CodeShape {
        &POINTER_JUMP_STUB
    }

    fn reentry_trampoline(&self) -> Option<&'static CodeShape> {
        Some(&REENTRY_TRAMPOLINE)
    }

    fn fragment_frame(&self) -> (&'static [u8], &'static [u8]) {
        // bti c; nop; stp x29, x30, [sp, #-16]!; mov x29, sp
        const BEFORE: &[u8] =
            &[0x5f, 0x24, 0x03, 0xd5, 0x1f, 0x20, 0x03, 0xd5, 0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91];
        // ldp x29, x30, [sp], #16; ret
        const AFTER: &[u8] = &[0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6];
        (BEFORE, AFTER)
    }

    fn reaches_everywhere(&self, kind: EdgeKind) -> bool {
        // Pieces of absolute addresses. That of bits 32 to 47 is checked, but programs have no addresses beyond it.
        const PIECES: [EdgeKind; 5] = [
            kind::MOVE_WIDE_G0_NC,
            kind::MOVE_WIDE_G1_NC,
            kind::MOVE_WIDE_G2_NC,
            kind::MOVE_WIDE_G2,
            kind::MOVE_WIDE_G3,
        ];
        let info = &KINDS[usize::from(kind.0)];
        let in_table =
            matches!(info.class, EdgeClass::Got { .. } | EdgeClass::KeepAlive) || info.class.is_thread_local();
        in_table || info.width == 8 || PIECES.contains(&kind)
    }

    fn relax(&self, graph: &mut LinkGraph, reach: &Reach<'_>) {
        relax::relax(graph, reach);
    }

    // Into the loop over the edges of a block.
    #[inline(always)]
    fn apply(&self, fixup: &Fixup, block: &mut [u8]) -> Result<(), FixupError> {
        let index = usize::from(fixup.kind.0);
        let Rule { formula, limits, field } = RULES[index];
        let value = formula.value(fixup);
        limits.check(value)?;
        field.write(value, KINDS[index].width, fixup.offset, block)
    }
}
