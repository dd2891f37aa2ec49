//! GOT loads rewritten to address computations.
//!
//! AAELF64 ("Relocation optimization", large GOT indirection) allows `adrp xN, :got:foo; ldr xN, [xN, :got_lo12:foo]` to
//! become `adrp xN, foo; add xN, xN, :lo12:foo` where the two are consecutive and use one register. Compilers also let
//! several loads share an `adrp`; a load is then found without one before it, and every access to that symbol's GOT entry
//! in the block stays as it is, because which `adrp` serves which load cannot be told.

use super::field::{adrp_register, load64_register};
use super::kinds::kind;
use crate::link::arch::Reach;
use crate::link::edge::Edge;
use crate::link::graph::{BlockId, LinkGraph, SymbolId};

/// How far `adrp` is sure to reach: 4 GiB less the part of a page by which rounding can lengthen a distance.
const REACH: u64 = (1 << 32) - 0x1000;

/// See [`super::super::Architecture::relax`].
pub(super) fn relax(graph: &mut LinkGraph, reach: &Reach) {
    let mut pairs = Vec::new();
    let mut unpaired = Vec::new();
    for block in graph.block_ids() {
        pairs.clear();
        unpaired.clear();
        find_pairs(graph, block, &mut pairs, &mut unpaired);
        unpaired.sort_unstable();
        pairs.retain(|&(_, symbol)| {
            unpaired.binary_search(&symbol).is_err() && reach.is_sure(graph, symbol, REACH)
        });
        let edges = graph.block_edges_mut(block);
        for &(first, _) in &pairs {
            edges[first].kind = kind::PAGE21;
            edges[first + 1].kind = kind::RELAXED_ADD;
        }
    }
}

/// Finds the edges of `block` that are the first of a pair, and the symbols with accesses that are in none.
fn find_pairs(
    graph: &LinkGraph,
    block: BlockId,
    pairs: &mut Vec<(usize, SymbolId)>,
    unpaired: &mut Vec<SymbolId>,
) {
    let content = graph.content(block);
    let edges = graph.block_edges(block);
    let mut index = 0;
    while let Some(edge) = edges.get(index) {
        if edge.kind == kind::REQUEST_GOT_PAGE21 || edge.kind == kind::REQUEST_GOT_PAGE_OFFSET12 {
            if edges
                .get(index + 1)
                .is_some_and(|next| is_pair(content, edge, next))
            {
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
fn is_pair(content: &[u8], first: &Edge, second: &Edge) -> bool {
    let word = |edge: &Edge| {
        let bytes = content.get(edge.offset as usize..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    first.kind == kind::REQUEST_GOT_PAGE21
        && second.kind == kind::REQUEST_GOT_PAGE_OFFSET12
        && first.offset.checked_add(4) == Some(second.offset)
        && first.target == second.target
        && (first.addend, second.addend) == (0, 0)
        && word(first)
            .and_then(adrp_register)
            .is_some_and(|register| word(second).and_then(load64_register) == Some(register))
}
