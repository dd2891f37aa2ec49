//! Writing the blocks of a batch: contents and fixups.

use super::batch::Batch;
use super::error::SessionError;
use super::part::split;
use super::plugin::Step;
use super::unkept_edges::EdgeBuffers;
use crate::link::fixup::BlockWriter;
use crate::link::layout::{PlacedBlock, SegmentLayout};
use crate::rt::{self, Segment};
use rayon::prelude::*;

/// How many bytes of blocks are worth being divided between cores.
const SHARE: u64 = 64 << 10;
/// Bytes from which on it pays to divide them, however few parts they are of.
const PARALLEL_BYTES: u64 = 192 << 10;

impl Batch<'_> {
    /// Writes all blocks to working memory and applies their fixups.
    ///
    /// Errors: the first fixup that cannot be applied.
    pub(super) fn write(&self, layout: &[SegmentLayout], segments: &mut [Segment]) -> Result<(), SessionError> {
        let arch = self.session.arch();
        let progress = self.session.progress();
        progress.expect(Step::FixUp, layout.iter().map(|segment| segment.content_size).sum());
        let write = |buffers: &mut EdgeBuffers, (placed, memory): (PlacedBlock, &mut [u8])| {
            let (part, block) = (&self.parts[placed.graph as usize], placed.block);
            let edges = buffers.edges(part, arch, block)?;
            BlockWriter { graph: &part.graph, block, edges, addresses: &part.addresses, got: part.got }
                .write(arch, memory)
                .map_err(|error| part.name_place(block, error))?;
            progress.done(Step::FixUp, memory.len() as u64);
            Ok::<_, SessionError>(())
        };
        for (segment, memory) in layout.iter().zip(segments) {
            let mut blocks = split(segment, &self.parts, memory.working_memory());
            let large =
                segment.content_size >= PARALLEL_BYTES && segment.blocks.len() > 1 && self.session.has_threads();
            if large || self.parallel(self.parts.len()) {
                let blocks: Vec<_> = blocks.collect();
                let share = (blocks.len() as u64).saturating_mul(SHARE) / segment.content_size.max(1);
                let share = usize::try_from(share).unwrap_or(usize::MAX).clamp(1, 64);
                rt::in_pool(|| {
                    blocks.into_par_iter().with_min_len(share).try_for_each_init(EdgeBuffers::default, write)
                })?;
            } else {
                let mut buffers = EdgeBuffers::default();
                blocks.try_for_each(|block| write(&mut buffers, block))?;
            }
        }
        Ok(())
    }
}
