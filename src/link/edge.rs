//! Edges: what must be written into a block once addresses are known.
//!
//! A kind is *named for what it computes*, as in JITLink, not for the relocation it came from. Kinds belong to an
//! architecture; formula, width and class are data in that architecture's table (`arch/*.rs`), so generic passes ask
//! the table and never match on an architecture's kinds.
//!
//! In formulas: `T` the target's address, `A` the addend, `P` the address of the place that is written,
//! `TP(T)` the target's offset from the thread pointer (which, for a thread-local symbol, is what `T` is),
//! `G` the address of the target's GOT entry, `GOT` the session's GOT base, `Page(x)` = `x & !0xfff`, `Size` the target's size.

use super::graph::SymbolId;

/// An edge kind of one architecture: an index into that architecture's table of [`EdgeKindInfo`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct EdgeKind(pub u8);

/// What one kind computes and how passes must treat it.
#[derive(Debug)]
pub struct EdgeKindInfo {
    /// The name, as JITLink spells it where it has the kind: `Delta32`.
    pub name: &'static str,
    /// What is written, in the words of this module's documentation: `T - P + A`.
    pub formula: &'static str,
    /// How many bytes at the edge's offset belong to the fixup; they must lie inside the block.
    pub width: u8,
    /// How passes treat it.
    pub class: EdgeClass,
}

impl EdgeKindInfo {
    /// Whether what is written is, or is part of, an absolute address. Then an addend leads away from the target; in a distance
    /// it may also make up for the place that the distance is measured from.
    pub fn is_absolute(&self) -> bool {
        self.formula.contains("T + A")
    }
}

/// How generic passes treat an edge kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EdgeClass {
    /// Uses the target's address; nothing to prepare.
    Address,
    /// Stores an absolute address in fewer than 64 bits: the target has to be at a low address.
    LowAddress,
    /// A call or jump whose only use of the target is to go there: may go through a stub, or straight to a lazy
    /// function's body. If it might not reach, the tables pass retargets it to a stub and changes the kind to `via_stub`.
    Branch {
        /// The kind of the same branch to a stub, which goes to the stub's own target when that is in range after all.
        via_stub: EdgeKind,
    },
    /// A branch to a stub; fixing up retargets it to the stub's target, with kind `direct`, where that is in reach.
    BranchViaStub {
        /// The kind of the same branch without a stub.
        direct: EdgeKind,
    },
    /// Wants the target's GOT entry: the tables pass makes one, retargets the edge to it and changes the kind to `plain`.
    Got {
        /// The kind that computes with the GOT entry as its target.
        plain: EdgeKind,
    },
    /// Uses the offset of a thread-local target from the thread pointer; nothing to prepare.
    ThreadLocal,
    /// Wants a GOT entry that holds that offset: otherwise as [`EdgeClass::Got`].
    ThreadLocalGot {
        /// The kind that computes with the GOT entry as its target.
        plain: EdgeKind,
    },
    /// Wants two words in the GOT, module and offset, of which `__tls_get_addr` makes an address. Relaxation mostly needs none where
    /// the target's offset from the thread pointer is the same for all threads; the tables pass makes them for the others.
    ThreadLocalIndex {
        /// The kind that computes with the pair as its target.
        plain: EdgeKind,
    },
    /// The same for the start of the thread-local memory that the file's module-relative offsets count from, whatever the target.
    ThreadLocalModule {
        /// The kind that computes with the pair as its target.
        plain: EdgeKind,
    },
    /// Wants a descriptor in the GOT, two words: a function that answers the target's offset from the thread pointer, and what it
    /// needs to know. Relaxation needs none where that offset is the same for all threads.
    ThreadLocalDescriptor {
        /// The kind that computes with the descriptor as its target; for instructions that name it only by the way, one that
        /// writes nothing.
        plain: EdgeKind,
    },
    /// Writes nothing; the target must be linked wherever the block is.
    KeepAlive,
    /// Writes the target's size, not its address.
    Size,
}

impl EdgeClass {
    /// Whether the target must be thread-local; that of any other edge must not be.
    pub fn is_thread_local(self) -> bool {
        self.needs_thread_pointer_offset()
            || matches!(
                self,
                EdgeClass::ThreadLocalIndex { .. }
                    | EdgeClass::ThreadLocalModule { .. }
                    | EdgeClass::ThreadLocalDescriptor { .. }
            )
    }

    /// Whether the target's offset from the thread pointer must be the same for all threads: initial-exec and local-exec accesses.
    pub fn needs_thread_pointer_offset(self) -> bool {
        matches!(self, EdgeClass::ThreadLocal | EdgeClass::ThreadLocalGot { .. })
    }
}

/// One fixup of a block. A graph keeps the edges of a block together, ascending by offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Where in the block, in bytes.
    pub offset: u32,
    /// What is computed.
    pub kind: EdgeKind,
    /// From which symbol.
    pub target: SymbolId,
    /// `A` of the formulas.
    pub addend: i64,
}
