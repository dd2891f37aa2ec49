//! What an architecture contributes: edge kinds, fixups, relaxation, stubs.
//!
//! A new architecture is one folder here, one crossing file per format, and its line in [`of`].

pub mod aarch64;
mod formula;
mod reach;
#[cfg(test)]
mod testing;
pub mod x86_64;

pub use reach::Reach;

use super::edge::{EdgeClass, EdgeKind, EdgeKindInfo};
use super::fixup::{self, BlockWriter, FailedEdge};
use super::graph::LinkGraph;
use crate::base::{Arch, MemProt};

/// One fixup to be applied: an edge with everything resolved.
#[derive(Clone, Copy, Debug)]
pub struct Fixup {
    /// What is computed.
    pub kind: EdgeKind,
    /// Where in the block, in bytes.
    pub offset: usize,
    /// `P`: the address of the place.
    pub address: u64,
    /// `T`: the target's address (the GOT entry's, the stub's, where the edge was retargeted).
    pub target: u64,
    /// `A`.
    pub addend: i64,
    /// `GOT`: the value of `_GLOBAL_OFFSET_TABLE_`.
    pub got: u64,
    /// The target's size in bytes, for kinds of class [`EdgeClass::Size`].
    pub size: u64,
}

/// Why a fixup cannot be applied. The caller adds graph, section, symbol and addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FixupError {
    /// The value does not fit.
    #[error("{} does not fit {}..={}", Hex(*value), Hex(*min), Hex(*max))]
    OutOfRange {
        /// The computed value, sign-extended.
        value: i128,
        /// Smallest value that fits.
        min: i128,
        /// Largest value that fits.
        max: i128,
    },
    /// The value is not a multiple of what the instruction can express.
    #[error("{value:#x} is no multiple of {align}")]
    Misaligned {
        /// The computed value.
        value: u64,
        /// The required alignment in bytes.
        align: u64,
    },
    /// The bytes at the place are not what the relocation is for.
    #[error("relocation target is not {expected}: found {found:#x}")]
    WrongInstruction {
        /// What should be there: `a LDR/STR (imm12, 64 bit) instruction`.
        expected: &'static str,
        /// What is there.
        found: u64,
    },
    /// The bytes of the fixup are not all in the block.
    #[error("relocation target does not lie inside its block")]
    OutsideBlock,
}

/// A number in hexadecimal with its sign in front, where Rust's own formatting shows a two's complement.
struct Hex(i128);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{:#x}", self.0.unsigned_abs())
    }
}

/// A fixed piece of code with edges: a call stub, a redirectable stub, a reentry trampoline.
#[derive(Debug)]
pub struct CodeShape {
    /// Its bytes before fixups.
    pub code: &'static [u8],
    /// Distance between two of them in a row, in bytes; at least the code's length, a multiple of `align`.
    pub stride: u32,
    /// Alignment in bytes.
    pub align: u64,
    /// Length and alignment in bytes of what is executed, without what fills it up: as JITLink has it.
    pub bare: (usize, u64),
    /// Its edges, all to the same target: the pointer a stub jumps through, the function a trampoline calls.
    pub edges: &'static [ShapeEdge],
}

/// An edge of a [`CodeShape`].
#[derive(Clone, Copy, Debug)]
pub struct ShapeEdge {
    /// Offset in the shape, in bytes.
    pub offset: u32,
    /// What is computed.
    pub kind: EdgeKind,
    /// `A`.
    pub addend: i64,
}

/// The size in bytes of programs of a tiny code model, with all their data.
pub const TINY: u64 = 1 << 20;

/// Bytes before a piece of code that is made a function, see [`Architecture::fragment_frame`]: also their alignment.
pub const FRAGMENT_PROLOGUE: u64 = 16;

/// What the rest of the linker asks of an architecture. Implementations hold no state.
pub trait Architecture: Sync + std::fmt::Debug {
    /// Which one it is.
    fn arch(&self) -> Arch;
    /// Its edge kinds; [`EdgeKind`] indexes this table.
    fn edge_kinds(&self) -> &'static [EdgeKindInfo];
    /// The kind that writes a whole address (`T + A`, 8 bytes).
    fn pointer(&self) -> EdgeKind;
    /// The kind that writes a distance (`T - P + A`, 4 bytes).
    fn delta32(&self) -> EdgeKind;
    /// Whether `kind` is for code of a tiny model: it reaches data no farther than [`TINY`] bytes away.
    fn is_tiny(&self, _kind: EdgeKind) -> bool {
        false
    }
    /// Whether what `kind` writes stays right when the target and the place are moved by the same whole pages.
    fn is_relative(&self, kind: EdgeKind) -> bool;
    /// The kind that only keeps its target linked.
    fn keep_alive(&self) -> EdgeKind;
    /// The addend of a branch instruction that goes exactly to its target.
    fn branch_addend(&self) -> i64;
    /// How many bytes behind its target an edge of `kind` with `addend` goes to or points to, where the addend tells: it does not for data that
    /// holds a distance, which may be measured from anywhere, and zero is the answer for distances to functions.
    ///
    /// A branch that goes behind its target must not be sent through a stub for the target, but through one for the very place.
    fn behind_target(&self, kind: EdgeKind, addend: i64) -> i64;
    /// Whether an edge of `kind` at `offset` bytes into `code` is that of a branch instruction, by the instruction where the kind does not say it:
    /// assemblers use the kind for data for calls within a file too.
    fn is_call(&self, kind: EdgeKind, code: &[u8], offset: usize) -> bool;
    /// How far a branch instruction reaches, in bytes in either direction.
    fn branch_reach(&self) -> u64;
    /// The code of a jump through a pointer: PLT-like call stubs and redirectable stubs.
    fn pointer_jump_stub(&self) -> &'static CodeShape;
    /// The protection that JITLink gives GOT entries on this architecture.
    fn jitlink_got_prot(&self) -> MemProt;
    /// The code of a reentry trampoline; `None` where laziness is not supported.
    ///
    /// Its edge is a branch to the reentry function, which identifies the trampoline by its address.
    fn reentry_trampoline(&self) -> Option<&'static CodeShape>;
    /// Code that makes a function of a piece that is run from its start to its end: what comes before, [`FRAGMENT_PROLOGUE`] bytes, and
    /// behind.
    fn fragment_frame(&self) -> (&'static [u8], &'static [u8]);
    /// Whether an edge of `kind` can refer to every address there is, with the help of the GOT if that is what it asks for.
    fn reaches_everywhere(&self, kind: EdgeKind) -> bool {
        let info = &self.edge_kinds()[usize::from(kind.0)];
        info.width == 8
            || info.class.is_thread_local()
            || matches!(info.class, EdgeClass::Got { .. } | EdgeClass::KeepAlive | EdgeClass::Size)
    }
    /// Rewrites GOT accesses that are sure to reach their targets directly, before tables are built.
    ///
    /// Only kinds and targets of edges change here; bytes change when the new kinds are applied.
    fn relax(&self, graph: &mut LinkGraph, reach: &Reach<'_>);
    /// Writes one fixup into `block`, the block's content in working memory.
    ///
    /// `fixup.offset + width` lies inside `block` (checked when edges are read). Never panics, whatever the bytes are.
    fn apply(&self, fixup: &Fixup, block: &mut [u8]) -> Result<(), FixupError>;
    /// Applies the edges of `writer` to `memory`, the working memory of its block.
    ///
    /// Errors: the first edge that cannot be applied.
    fn apply_edges(&self, writer: &BlockWriter<'_>, memory: &mut [u8]) -> Result<(), Box<FailedEdge>> {
        fixup::apply_edges(self, writer, memory)
    }
}

/// The implementation for `arch`; `None` for one that can only be named.
pub fn of(arch: Arch) -> Option<&'static dyn Architecture> {
    match arch {
        Arch::X86_64 => Some(&x86_64::X86_64),
        Arch::Aarch64 => Some(&aarch64::Aarch64),
        Arch::Riscv64 => None,
    }
}
