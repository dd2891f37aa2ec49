//! Call frame records as `-show-graphs` prints them: each a block of its own, and kept alive by the code that it describes.
//!
//! JITLink takes the records apart to link them; here they are one block, and which of them are linked is known from the code. What
//! is printed is the same: a frame refers to its common entry, and the code to its frame.

use super::graphs::{ShownEdge, addressable, dump_edges, shown_edges};
use crate::lazy::FixedUpGraph;
use crate::link::{BlockId, SymbolPlace};
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// The records of a graph, by the code that they describe.
pub(super) struct CallFrames {
    /// The addresses of the frames of each block with code, ascending.
    of_code: FxHashMap<BlockId, Vec<u64>>,
}

/// Where in a frame the address of its code is.
const CODE: u32 = 8;
/// Where the distance to its common entry is.
const COMMON: u32 = 4;

impl CallFrames {
    /// Those of `graph`.
    pub fn of(graph: &FixedUpGraph<'_>) -> CallFrames {
        let mut of_code: FxHashMap<BlockId, Vec<u64>> = FxHashMap::default();
        for block in graph.graph.block_ids().filter(|block| graph.is_unwind_records(*block)) {
            let start = graph.graph.blocks[block.index()].address.0;
            for record in records(graph, block).into_iter().filter(|record| record.common.is_some()) {
                let edges = graph.graph.block_edges(block);
                let code = edges.iter().find(|edge| edge.offset == record.offset + CODE);
                if let Some(edge) = code
                    && let SymbolPlace::Defined { block: code, .. } = graph.graph.symbols[edge.target.index()].place
                {
                    of_code.entry(code).or_default().push(start + u64::from(record.offset));
                }
            }
        }
        CallFrames { of_code }
    }

    /// The addresses of the frames that describe code of `block`.
    pub fn of_code(&self, block: BlockId) -> &[u64] {
        self.of_code.get(&block).map_or(&[], |frames| frames)
    }

    /// Prints the records in `block` one by one.
    pub fn dump(&self, out: &mut String, graph: &FixedUpGraph<'_>, block: BlockId) -> std::fmt::Result {
        let whole = &graph.graph.blocks[block.index()];
        let edges = graph.graph.block_edges(block);
        for Record { offset, size, common } in records(graph, block) {
            let start = whole.address.0 + u64::from(offset);
            let align = whole.align.max(1);
            writeln!(
                out,
                "  block {start:#x} size = 0x{size:08x}, align = {align}, alignment-offset = {}",
                start % align
            )?;
            writeln!(out, "    symbols:")?;
            writeln!(
                out,
                "      {start:#x} (block + 0x00000000): size: 0x{size:08x}, linkage: strong, scope: local, live  -   \
                 <anonymous symbol>"
            )?;
            let to_common = common.map(|common| ShownEdge {
                offset: COMMON,
                addend: 0,
                kind: "NegDelta32",
                target: addressable(whole.address.0 + u64::from(common), 0),
            });
            let first = edges.partition_point(|edge| edge.offset < offset);
            let end = edges.partition_point(|edge| edge.offset < offset + size);
            dump_edges(out, start, to_common.into_iter().chain(shown_edges(graph, &edges[first..end], offset)))?;
        }
        Ok(())
    }
}

/// A record of a block.
struct Record {
    /// In the block.
    offset: u32,
    size: u32,
    /// Where the frame's common entry is in the block; `None` for a common entry, and for the end of the row.
    common: Option<u32>,
}

/// The records in `block`, which the linker put together itself: they are whole.
fn records(graph: &FixedUpGraph<'_>, block: BlockId) -> Vec<Record> {
    let content = graph.content(block);
    let word = |at: usize| content.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_le_bytes(*word));
    let (mut records, mut at) = (Vec::new(), 0);
    while at < content.len() {
        let size = (word(at) as usize).saturating_add(4).min(content.len() - at);
        let distance = if size > 4 { word(at + 4) } else { 0 };
        let common = (at as u32 + COMMON).checked_sub(distance).filter(|_| distance != 0);
        records.push(Record { offset: at as u32, size: size as u32, common });
        at += size;
    }
    records
}
