//! ReentryTrampolines: the code that calls back into the linker, one piece for each entry point.
//!
//! A trampoline calls the runtime's reentry function, which tells trampolines apart by the address it was called from. They
//! are made in bulk, one graph `__orc_reentry_graph_#N` with one block for all entry points of a file.

use crate::base::MemProt;
use crate::link::arch::Architecture;
use crate::link::{BlockId, Content, Edge, LinkGraph, SymbolId};
use std::sync::atomic::{AtomicU32, Ordering};

/// Name of the section that trampolines and redirectable stubs are in, as LLVM's.
pub(super) const STUBS_SECTION: &[u8] = b"__orc_stubs";

/// Makes reentry trampolines, and numbers their graphs.
#[derive(Debug, Default)]
pub struct ReentryTrampolines {
    graphs: AtomicU32,
}

impl ReentryTrampolines {
    /// The name of the next graph: `__orc_reentry_graph_#1`, …
    pub fn next_graph_name(&self) -> String {
        format!("__orc_reentry_graph_#{}", self.graphs.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Adds `count` trampolines that call `reentry` to `graph`, as one block; they are [`ReentryTrampolines::stride`] apart.
    ///
    /// `None` if the architecture has no trampolines.
    pub fn build(arch: &dyn Architecture, graph: &mut LinkGraph, count: u32, reentry: SymbolId) -> Option<BlockId> {
        let shape = arch.reentry_trampoline()?;
        let section = graph.add_section(STUBS_SECTION, MemProt::ReadExec);
        Some(add_row(graph, section, shape, count, |_| (reentry, 0)))
    }

    /// Distance in bytes between two trampolines of a block.
    pub fn stride(arch: &dyn Architecture) -> Option<u64> {
        Some(u64::from(arch.reentry_trampoline()?.stride))
    }
}

/// Adds a block of `count` times `shape`, each with its edges to the symbol, and bytes behind it, that `target` names.
pub(super) fn add_row(
    graph: &mut LinkGraph,
    section: crate::link::SectionId,
    shape: &crate::link::arch::CodeShape,
    count: u32,
    target: impl Fn(u32) -> (SymbolId, i64),
) -> BlockId {
    let stride = shape.stride as usize;
    let mut piece = shape.code.to_vec();
    piece.resize(stride, 0);
    let bytes = piece.repeat(count as usize);
    let block = graph.add_owned_block(section, &bytes, shape.align);
    let edges = (0..count).flat_map(|n| {
        let (target, delta) = target(n);
        shape.edges.iter().map(move |e| Edge {
            offset: n * shape.stride + e.offset,
            kind: e.kind,
            target,
            addend: e.addend + delta,
        })
    });
    graph.set_edges(block, edges.collect::<Vec<_>>());
    block
}

/// Adds a block of `count` pointers in `section`; pointer `n` holds the address that `target` names.
pub(super) fn add_pointers(
    arch: &dyn Architecture,
    graph: &mut LinkGraph,
    section: crate::link::SectionId,
    count: u32,
    target: impl Fn(u32) -> (SymbolId, i64),
) -> BlockId {
    // Not zero-fill: each pointer has its edge.
    let start = graph.bytes.len() as u32;
    graph.bytes.resize(graph.bytes.len() + count as usize * 8, 0);
    let end = graph.bytes.len() as u32;
    let block = graph.add_block(section, Content::Owned(start..end), u64::from(count) * 8, 8);
    let edges = (0..count).map(|n| {
        let (target, addend) = target(n);
        Edge { offset: n * 8, kind: arch.pointer(), target, addend }
    });
    graph.set_edges(block, edges.collect::<Vec<_>>());
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Arch, ExecutorAddr, Format, Target};
    use crate::link::arch;

    fn trampolines(arch_id: Arch, count: u32) -> (LinkGraph, BlockId) {
        let target = Target::new(arch_id, Format::Elf);
        let mut graph = LinkGraph::new("g".into(), target);
        let reentry = graph.add_symbol(crate::link::Symbol {
            name: b"__orc_rt_reenter",
            place: crate::link::SymbolPlace::Absolute(ExecutorAddr(0x1000)),
            size: 0,
            linkage: crate::link::Linkage::Strong,
            scope: crate::link::Scope::Default,
            stub_target: crate::link::OptionalSymbol::NONE,
        });
        let arch = arch::of(arch_id).unwrap();
        let block = ReentryTrampolines::build(arch, &mut graph, count, reentry).unwrap();
        (graph, block)
    }

    #[test]
    fn aarch64_trampolines_are_eight_bytes_that_save_the_frame_and_call() {
        let (graph, block) = trampolines(Arch::Aarch64, 3);
        assert_eq!(graph.content(block), [0xfd, 0x7b, 0xbf, 0xa9, 0, 0, 0, 0x94].repeat(3));
        let offsets: Vec<u32> = graph.block_edges(block).iter().map(|e| e.offset).collect();
        assert_eq!(offsets, [4, 12, 20]);
    }

    #[test]
    fn x86_64_trampolines_begin_with_a_call() {
        let (graph, block) = trampolines(Arch::X86_64, 2);
        let stride = ReentryTrampolines::stride(arch::of(Arch::X86_64).unwrap()).unwrap() as usize;
        assert_eq!(graph.content(block).len(), 2 * stride);
        assert!(graph.content(block).chunks(stride).all(|t| t[0] == 0xe8));
    }

    #[test]
    fn graphs_are_numbered_from_one() {
        let trampolines = ReentryTrampolines::default();
        assert_eq!(trampolines.next_graph_name(), "__orc_reentry_graph_#1");
        assert_eq!(trampolines.next_graph_name(), "__orc_reentry_graph_#2");
    }
}
