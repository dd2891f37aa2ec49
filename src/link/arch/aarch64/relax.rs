//! GOT loads rewritten to address computations.
//!
//! AAELF64 ("Relocation optimization", large GOT indirection) allows `adrp xN, :got:foo; ldr xN, [xN, :got_lo12:foo]` to
//! become `adrp xN, foo; add xN, xN, :lo12:foo` where the two are consecutive and use one register. Compilers also let
//! several loads share an `adrp`; a load is then found without one before it, and every access to that symbol's GOT entry
//! in the block stays as it is, because which `adrp` serves which load cannot be told.

use super::field::{adrp_register, load64_register};
use super::kinds::kind;
use super::thread_local;
use crate::link::arch::Reach;
use crate::link::edge::{Edge, EdgeKind};
use crate::link::graph::{BlockId, LinkGraph, SymbolId};

/// How far `adrp` is sure to reach: 4 GiB less the part of a page by which rounding can lengthen a distance.
const REACH: u64 = (1 << 32) - 0x1000;

/// A kind of access by `adrp` and `ldr`, and what it becomes.
struct Access {
    page: EdgeKind,
    load: EdgeKind,
    relaxed_page: EdgeKind,
    relaxed_load: EdgeKind,
}

/// The load of an address from the GOT.
const ADDRESS: Access = Access {
    page: kind::REQUEST_GOT_PAGE21,
    load: kind::REQUEST_GOT_PAGE_OFFSET12,
    relaxed_page: kind::PAGE21,
    relaxed_load: kind::RELAXED_ADD,
};

/// The load of an offset from the thread pointer, which is small enough to need none wherever it points.
const OFFSET: Access = Access {
    page: kind::REQUEST_TLS_OFFSET_PAGE21,
    load: kind::REQUEST_TLS_OFFSET_PAGE_OFFSET12,
    relaxed_page: kind::TLS_OFFSET_PAGE_RELAXED,
    relaxed_load: kind::TLS_OFFSET_LOAD_RELAXED,
};

/// See [`super::super::Architecture::relax`].
pub(super) fn relax(graph: &mut LinkGraph, reach: &Reach<'_>) {
    for block in graph.block_ids() {
        thread_local::relax(graph, block);
        relax_loads(graph, block, &ADDRESS, |graph, symbol| reach.is_sure(graph, symbol, REACH));
        relax_loads(graph, block, &OFFSET, |_, _| true);
    }
}

/// Rewrites those loads of `block` from the GOT whose target `is_sure` accepts.
fn relax_loads(graph: &mut LinkGraph, block: BlockId, access: &Access, is_sure: impl Fn(&LinkGraph, SymbolId) -> bool) {
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    find_pairs(graph, block, access, &mut pairs, &mut unpaired);
    unpaired.sort_unstable();
    pairs.retain(|&(_, symbol)| unpaired.binary_search(&symbol).is_err() && is_sure(graph, symbol));
    let edges = graph.block_edges_mut(block);
    for &(first, _) in &pairs {
        edges[first].kind = access.relaxed_page;
        edges[first + 1].kind = access.relaxed_load;
    }
}

/// Finds the edges of `block` that are the first of a pair, and the symbols with accesses that are in none.
fn find_pairs(
    graph: &LinkGraph,
    block: BlockId,
    access: &Access,
    pairs: &mut Vec<(usize, SymbolId)>,
    unpaired: &mut Vec<SymbolId>,
) {
    let content = graph.content(block);
    let edges = graph.block_edges(block);
    let mut index = 0;
    while let Some(edge) = edges.get(index) {
        if edge.kind == access.page || edge.kind == access.load {
            if edges.get(index + 1).is_some_and(|next| is_pair(content, access, edge, next)) {
                pairs.push((index, edge.target));
                index += 1;
            } else {
                unpaired.push(edge.target);
            }
        }
        index += 1;
    }
}

/// Whether two edges are those of an `adrp` and an `ldr` right behind it that together load a GOT entry.
fn is_pair(content: &[u8], access: &Access, first: &Edge, second: &Edge) -> bool {
    let word = |edge: &Edge| {
        let bytes = content.get(edge.offset as usize..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    first.kind == access.page
        && second.kind == access.load
        && first.offset.checked_add(4) == Some(second.offset)
        && first.target == second.target
        && (first.addend, second.addend) == (0, 0)
        && word(first)
            .and_then(adrp_register)
            .is_some_and(|register| word(second).and_then(load64_register) == Some(register))
}
