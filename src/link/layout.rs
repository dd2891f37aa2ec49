//! Layout: where the blocks of a batch of graphs go, relative to the segments they are put in.
//!
//! Blocks are packed by protection, graphs in a given order and blocks in order within them; first those with content, then
//! contiguous sets (see [`crate::link::Block::contiguous`]), then zero-fill, which then need not be written. Thread-local blocks
//! are in no segment. Blocks that may lie far away have a segment of their own.

use super::error::{LinkError, Result};
use super::graph::{BlockId, Content, LinkGraph, SectionId};
use crate::base::{MemProt, align_up};

/// One segment of a batch: memory of one protection.
#[derive(Debug)]
pub struct SegmentLayout {
    /// Its protection.
    pub prot: MemProt,
    /// Whether it may lie anywhere, out of reach of the others; at most one does, the last one.
    pub far: bool,
    /// Its size in bytes.
    pub size: u64,
    /// How much of it is written, in bytes from its start; the rest is zero-fill.
    pub content_size: u64,
    /// Its alignment in bytes: the greatest of its blocks.
    pub align: u64,
    /// Its blocks, ascending by offset.
    pub blocks: Vec<PlacedBlock>,
}

/// A block in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedBlock {
    /// Index of its graph in the batch.
    pub graph: u32,
    /// The block.
    pub block: BlockId,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

impl SegmentLayout {
    fn new(prot: MemProt) -> SegmentLayout {
        SegmentLayout { prot, far: false, size: 0, content_size: 0, align: 1, blocks: Vec::new() }
    }

    fn push(&mut self, (number, graph): (u32, &LinkGraph), block: BlockId) -> Result<()> {
        let b = &graph.blocks[block.index()];
        let too_big = || {
            LinkError::unsuitable(&graph.name, "does not fit the address space together with what is linked with it")
        };
        let aligned = align_up(self.size.saturating_sub(b.align_offset), b.align);
        let offset = aligned.and_then(|aligned| aligned.checked_add(b.align_offset)).ok_or_else(too_big)?;
        self.size = offset.checked_add(b.size).filter(|&end| end < 1 << 47).ok_or_else(too_big)?;
        self.align = self.align.max(b.align);
        self.blocks.push(PlacedBlock { graph: number, block, offset });
        Ok(())
    }
}

/// Lays out `graphs`, which have numbers, in the order given: the segments that are not empty, in the order of [`MemProt::ALL`].
///
/// Errors if sizes add up to more than an address space holds.
pub fn lay_out(graphs: &[(u32, &LinkGraph)]) -> Result<Vec<SegmentLayout>> {
    let [first, second, third] = MemProt::ALL.map(SegmentLayout::new);
    let far = SegmentLayout { far: true, ..SegmentLayout::new(MemProt::ReadWrite) };
    let mut segments = [first, second, third, far];
    let mut sets: Vec<(u32, (u32, &LinkGraph), BlockId)> = Vec::new();
    let mut zero_fill: Vec<((u32, &LinkGraph), BlockId)> = Vec::new();
    for &numbered in graphs {
        let (_, graph) = numbered;
        let mut islands = graph.islands.as_slice();
        let is_island: Vec<BlockId> = sorted(graph.islands.iter().map(|island| island.1));
        for id in graph.block_ids() {
            let block = &graph.blocks[id.index()];
            if graph.sections[block.section.index()].thread_local || is_island.binary_search(&id).is_ok() {
                continue;
            }
            match (block.contiguous, &block.content) {
                (Some(set), _) => sets.push((set, numbered, id)),
                (None, Content::ZeroFill) => zero_fill.push((numbered, id)),
                (None, _) => segments[segment(graph, id)].push(numbered, id)?,
            }
            while let Some(((_, island), rest)) = islands.split_first().filter(|((behind, _), _)| *behind == id) {
                segments[prot(graph, *island).index()].push(numbered, *island)?;
                islands = rest;
            }
        }
    }
    sets.sort_by_key(|(set, ..)| *set);
    for (_, numbered, id) in sets {
        segments[prot(numbered.1, id).index()].push(numbered, id)?;
    }
    for segment in &mut segments {
        segment.content_size = segment.size;
    }
    for (numbered, id) in zero_fill {
        segments[segment(numbered.1, id)].push(numbered, id)?;
    }
    Ok(segments.into_iter().filter(|s| !s.blocks.is_empty()).collect())
}

/// Lays out each of `graphs` by itself, in JITLink's order: segments of every graph by protection as JITLink has it, in them blocks with content
/// before zero-fill, sections by `rank`, which gets the graph's index and the section.
///
/// Errors: as [`lay_out`].
pub fn lay_out_separately(graphs: &[&LinkGraph], rank: impl Fn(usize, SectionId) -> u32) -> Result<Vec<SegmentLayout>> {
    let mut segments = Vec::new();
    for (index, &graph) in graphs.iter().enumerate() {
        let numbered = (index as u32, graph);
        let mut blocks: Vec<BlockId> = graph
            .block_ids()
            .filter(|b| !graph.sections[graph.blocks[b.index()].section.index()].thread_local)
            .collect();
        blocks.sort_by_key(|b| rank(index, graph.blocks[b.index()].section));
        let is_zero_fill = |b: &BlockId| graph.blocks[b.index()].content == Content::ZeroFill;
        for protection in JITLINK_ORDER {
            let mut segment = SegmentLayout::new(protection);
            let own = || blocks.iter().filter(|&&b| prot(graph, b) == protection);
            for &block in own().filter(|b| !is_zero_fill(b)) {
                segment.push(numbered, block)?;
            }
            segment.content_size = segment.size;
            for &block in own().filter(|b| is_zero_fill(b)) {
                segment.push(numbered, block)?;
            }
            if !segment.blocks.is_empty() {
                segments.push(segment);
            }
        }
    }
    Ok(segments)
}

/// The order of a graph's segments in JITLink's BasicLayout.
const JITLINK_ORDER: [MemProt; 3] = [MemProt::Read, MemProt::ReadWrite, MemProt::ReadExec];

fn sorted(blocks: impl Iterator<Item = BlockId>) -> Vec<BlockId> {
    let mut blocks: Vec<BlockId> = blocks.collect();
    blocks.sort_unstable();
    blocks
}

/// The index of the segment that a block goes into.
fn segment(graph: &LinkGraph, block: BlockId) -> usize {
    if graph.sections[graph.blocks[block.index()].section.index()].far {
        MemProt::ALL.len()
    } else {
        prot(graph, block).index()
    }
}

fn prot(graph: &LinkGraph, block: BlockId) -> MemProt {
    graph.sections[graph.blocks[block.index()].section.index()].prot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Arch, Format, Target};

    fn graph(blocks: &[(MemProt, u64, u64, Option<u32>, bool)]) -> LinkGraph {
        let target = Target::new(Arch::X86_64, Format::Elf);
        let mut graph = LinkGraph::new("g".into(), target);
        for &(prot, size, align, contiguous, zero) in blocks {
            let section = graph.add_section(b"s", prot);
            let content = if zero { Content::ZeroFill } else { Content::Borrowed(&[0; 64][..size as usize]) };
            let id = graph.add_block(section, content, size, align);
            graph.blocks[id.index()].contiguous = contiguous;
        }
        graph
    }

    fn offsets(segment: &SegmentLayout) -> Vec<(u32, u32, u64)> {
        segment.blocks.iter().map(|b| (b.graph, b.block.0, b.offset)).collect()
    }

    #[test]
    fn blocks_are_packed_by_protection_in_order() {
        use MemProt::{Read, ReadExec};
        let g = graph(&[(Read, 3, 1, None, false), (ReadExec, 5, 16, None, false), (Read, 8, 8, None, false)]);
        let segments = lay_out(&[(0, &g)]).unwrap();
        assert_eq!(segments.len(), 2);
        assert_eq!(offsets(&segments[0]), [(0, 0, 0), (0, 2, 8)]);
        assert_eq!((segments[0].size, segments[0].align), (16, 8));
        assert_eq!(offsets(&segments[1]), [(0, 1, 0)]);
    }

    #[test]
    fn islands_stand_behind_their_blocks() {
        use MemProt::ReadExec;
        let mut g = graph(&[(ReadExec, 8, 4, None, false); 4]);
        g.islands = vec![(BlockId(0), BlockId(3)), (BlockId(1), BlockId(2))];
        assert_eq!(offsets(&lay_out(&[(0, &g)]).unwrap()[0]), [(0, 0, 0), (0, 3, 8), (0, 1, 16), (0, 2, 24)]);
    }

    #[test]
    fn zero_fill_comes_last_and_is_not_content() {
        use MemProt::ReadWrite;
        let g = graph(&[(ReadWrite, 32, 32, None, true), (ReadWrite, 4, 4, None, false)]);
        let segments = lay_out(&[(0, &g)]).unwrap();
        assert_eq!(offsets(&segments[0]), [(0, 1, 0), (0, 0, 32)]);
        assert_eq!((segments[0].content_size, segments[0].size), (4, 64));
    }

    #[test]
    fn a_contiguous_set_is_kept_together_across_graphs() {
        use MemProt::Read;
        let a = graph(&[(Read, 4, 4, Some(1), false), (Read, 4, 4, None, false)]);
        let b = graph(&[(Read, 8, 4, Some(1), false), (Read, 4, 4, None, false)]);
        let segments = lay_out(&[(0, &a), (1, &b)]).unwrap();
        assert_eq!(offsets(&segments[0]), [(0, 1, 0), (1, 1, 4), (0, 0, 8), (1, 0, 12)]);
    }

    #[test]
    fn graphs_and_their_parts_of_sets_are_in_the_order_that_is_asked_for() {
        use MemProt::Read;
        let g = || graph(&[(Read, 4, 4, Some(1), false), (Read, 4, 4, None, false), (Read, 4, 4, None, true)]);
        let (a, b) = (g(), g());
        let segments = lay_out(&[(1, &b), (0, &a)]).unwrap();
        let expected = [(1, 1, 0), (0, 1, 4), (1, 0, 8), (0, 0, 12), (1, 2, 16), (0, 2, 20)];
        assert_eq!(offsets(&segments[0]), expected);
    }

    #[test]
    fn sizes_beyond_any_address_space_are_an_error() {
        let mut g = graph(&[(MemProt::ReadWrite, 1, 1, None, true)]);
        g.blocks[0].size = u64::MAX;
        assert!(lay_out(&[(0, &g)]).is_err());
    }
}
