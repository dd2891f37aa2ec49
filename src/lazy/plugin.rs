//! Plugins: what wants to see graphs while they are linked (LLVM's `ObjectLinkingLayer::Plugin`): checks of linked code, dumps,
//! debuggers, profilers. A session without plugins does nothing for them.

use super::batch::Batch;
use super::error::SessionError;
use super::ids::{BatchId, DylibId};
use crate::base::ExecutorAddr;
use crate::link::layout::SegmentLayout;
use crate::link::{BlockId, LinkGraph, SymbolId};
use crate::rt::Segment;

/// Sees the graphs of a session. Called on whatever thread links, on several at once for different batches, while no lock is held.
pub trait Plugin: Send + Sync {
    /// `graphs` are laid out and fixed up; their content is in working memory, and nothing of them runs yet. All that one batch links
    /// is in one call.
    ///
    /// An error fails the batch.
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError>;
}

/// A graph whose addresses are known and whose bytes are what will run.
#[derive(Debug)]
pub struct FixedUpGraph<'a> {
    /// The batch that links it: graphs of one batch have one number.
    pub batch: u32,
    /// The JITDylib of the file it is made of; `None` for what the linker makes itself.
    pub dylib: Option<DylibId>,
    /// The triple of that file, or of the session.
    pub triple: String,
    /// The graph. Sections of one file that are linked at different times are in graphs of the same name.
    pub graph: &'a LinkGraph,
    /// The address of each of its symbols.
    pub addresses: &'a [ExecutorAddr],
    absolutes: &'a [SymbolId],
    contents: Vec<Option<&'a [u8]>>,
}

impl FixedUpGraph<'_> {
    /// The bytes of `block` after fixups; empty if they are zeroes that nothing wrote, initial values before fixups if it is
    /// thread-local.
    pub fn content(&self, block: BlockId) -> &[u8] {
        self.contents[block.index()].unwrap_or_else(|| self.graph.content(block))
    }

    /// Whether `symbol` is an absolute one that the graph's own file defines; other absolute symbols are external to the graph. Known
    /// only in a session of complete graphs.
    pub fn is_own_absolute(&self, symbol: SymbolId) -> bool {
        self.absolutes.contains(&symbol)
    }

    /// The address of `symbol`.
    pub fn address(&self, symbol: SymbolId) -> ExecutorAddr {
        self.addresses[symbol.index()]
    }
}

/// Shows `batch` to the session's plugins.
pub(super) fn notify(
    batch: &Batch<'_>,
    id: BatchId,
    layout: &[SegmentLayout],
    segments: &mut [Segment],
    addresses: &[Vec<ExecutorAddr>],
) -> Result<(), SessionError> {
    let plugins = batch.session.plugins();
    if plugins.is_empty() {
        return Ok(());
    }
    let mut graphs: Vec<FixedUpGraph<'_>> = batch
        .parts
        .iter()
        .zip(addresses)
        .map(|(part, addresses)| FixedUpGraph {
            batch: id.0,
            dylib: part.unit().map(|unit| unit.dylib),
            triple: part.unit().map_or_else(|| part.graph.target.to_string(), |unit| unit.file.triple()),
            graph: &part.graph,
            addresses,
            absolutes: &part.absolutes,
            contents: vec![None; part.graph.blocks.len()],
        })
        .collect();
    for (segment, memory) in layout.iter().zip(segments) {
        let memory: &[u8] = memory.working_memory();
        for placed in segment.blocks.iter().take_while(|placed| placed.offset < segment.content_size) {
            let graph = &mut graphs[placed.graph as usize];
            let start = placed.offset as usize;
            let size = graph.graph.blocks[placed.block.index()].size as usize;
            graph.contents[placed.block.index()] = memory.get(start..start + size);
        }
    }
    // What has no name is no graph of JITLink's: the caller's references, ends of tables.
    graphs.retain(|graph| !graph.graph.name.is_empty());
    plugins.iter().try_for_each(|plugin| plugin.fixed_up(&graphs))
}
