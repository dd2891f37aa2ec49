//! Plugins: what wants to see graphs while they are linked (LLVM's `ObjectLinkingLayer::Plugin`): checks of linked code, dumps,
//! debuggers, profilers, clocks. A session without plugins does nothing for them.

use super::batch::Batch;
use super::error::SessionError;
use super::ids::{BatchId, DylibId};
use super::part::{Part, Publish, UNWIND_RECORDS};
use super::session::Session;
use crate::base::{ExecutorAddr, MemProt};
use crate::link::layout::SegmentLayout;
use crate::link::{BlockId, LinkGraph, ObjectFile, SymbolId};
use crate::rt::Segment;
use std::sync::Arc;
use std::time::Instant;

/// Sees the graphs of a session, and how long they take. Called on whatever thread links, on several at once for different batches,
/// while no lock is held. What a plugin is not interested in does nothing.
pub trait Plugin: Send + Sync {
    /// `graph` is about to be relaxed, given its tables and laid out. It may get edges; its symbols are complete only in a session of
    /// complete graphs.
    fn closed(&self, _graph: &mut LinkGraph) {}

    /// `graphs` are laid out and fixed up; their content is in working memory, and nothing of them runs yet. All that one batch links
    /// is in one call.
    ///
    /// An error fails the batch.
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let _ = graphs;
        Ok(())
    }

    /// A step is done, or has failed, on the calling thread. Steps of one thread may lie within each other.
    fn step_done(&self, step: &StepTime) {
        let _ = step;
    }

    /// A first call has been answered, on the calling thread.
    fn first_call(&self, call: &FirstCall) {
        let _ = call;
    }

    /// Whether each function that is called must have a first call. If not, functions that were linked together with another one
    /// have none.
    fn wants_all_first_calls(&self) -> bool {
        false
    }
}

impl<P: Plugin + ?Sized> Plugin for Arc<P> {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        (**self).fixed_up(graphs)
    }

    fn step_done(&self, step: &StepTime) {
        (**self).step_done(step);
    }

    fn first_call(&self, call: &FirstCall) {
        (**self).first_call(call);
    }

    fn wants_all_first_calls(&self) -> bool {
        (**self).wants_all_first_calls()
    }
}

/// What a session does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Finding out which archive members belong to the program, and which definitions count.
    Resolve,
    /// A whole batch: all that follows, until its code may run.
    Batch,
    /// Closing over references, and building graphs.
    Claim,
    /// Relaxation, GOT entries and stubs.
    Tables,
    /// Layout and memory.
    Allocate,
    /// Waiting for the addresses of other batches.
    WaitForAddresses,
    /// Writing blocks and applying fixups.
    FixUp,
    /// Plugins.
    Plugins,
    /// Protections, instruction caches, unwind records.
    Finalize,
    /// Waiting for the code of other batches.
    WaitForCode,
    /// Running the program's initializers.
    Initializers,
}

impl Step {
    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Step::Resolve => "resolve",
            Step::Batch => "batch",
            Step::Claim => "claim",
            Step::Tables => "tables",
            Step::Allocate => "allocate",
            Step::WaitForAddresses => "wait for addresses",
            Step::FixUp => "fix up",
            Step::Plugins => "plugins",
            Step::Finalize => "finalize",
            Step::WaitForCode => "wait for code",
            Step::Initializers => "initializers",
        }
    }
}

/// When a step was done.
#[derive(Clone, Copy, Debug)]
pub struct StepTime {
    /// What.
    pub step: Step,
    /// The batch that it is a step of.
    pub batch: Option<u32>,
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

/// A first call of an entry point.
#[derive(Clone, Debug)]
pub struct FirstCall {
    /// The symbol that was called.
    pub entry_point: String,
    /// The implementation's symbol, as [`super::LazyReexport::body`].
    pub body: String,
    /// The name of the JITDylib that the implementation is in.
    pub dylib: String,
    /// When the linker was entered.
    pub start: Instant,
    /// When the answer was known.
    pub end: Instant,
    /// Whether the function could be linked.
    pub linked: bool,
}

/// Does `work`, and tells the plugins of `session` how long it took.
pub(super) fn timed<R>(session: &Session, batch: Option<BatchId>, step: Step, work: impl FnOnce() -> R) -> R {
    let plugins = session.plugins();
    if plugins.is_empty() {
        return work();
    }
    let start = Instant::now();
    let result = work();
    let time = StepTime { step, batch: batch.map(|id| id.0), start, end: Instant::now() };
    for plugin in plugins {
        plugin.step_done(&time);
    }
    result
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
    /// What its offsets into the global offset table count from.
    pub got: ExecutorAddr,
    absolutes: &'a [SymbolId],
    contents: Vec<Option<&'a [u8]>>,
    part: &'a Part,
}

impl FixedUpGraph<'_> {
    /// The file that it is made of, and its number; `None` for what the linker makes itself.
    pub fn file(&self) -> Option<(u32, &ObjectFile)> {
        self.part.unit().map(|unit| (unit.id.number(), &unit.file))
    }

    /// Whether this batch links only some of the code of its file, so that others may link more, or have done so.
    pub fn is_partial(&self) -> bool {
        let Some(unit) = self.part.unit().filter(|unit| unit.by_section()) else {
            return false;
        };
        let sections = unit.file.sections.iter().enumerate();
        let mut code =
            sections.filter(|(_, s)| s.prot == MemProt::ReadExec && s.size > 0).map(|(index, _)| index as u32);
        code.any(|section| unit.owner(section) != Some(BatchId(self.batch)))
    }

    /// The sections of its file that are linked, by number, and their blocks.
    pub fn file_sections(&self) -> impl Iterator<Item = (u32, BlockId)> + '_ {
        self.part.published.iter().filter_map(|(block, publish)| match publish {
            Publish::Section(section) => Some((*section, *block)),
            _ => None,
        })
    }

    /// The bytes of `block` after fixups; empty if they are zeroes that nothing wrote, initial values before fixups if it is
    /// thread-local.
    pub fn content(&self, block: BlockId) -> &[u8] {
        self.contents[block.index()].unwrap_or_else(|| self.graph.content(block))
    }

    /// Whether `block` holds the graph's call frame records, one behind another.
    pub fn is_unwind_records(&self, block: BlockId) -> bool {
        self.graph.blocks[block.index()].contiguous == Some(UNWIND_RECORDS)
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
) -> Result<(), SessionError> {
    let plugins = batch.session.plugins();
    if plugins.is_empty() {
        return Ok(());
    }
    let mut graphs: Vec<FixedUpGraph<'_>> = batch
        .parts
        .iter()
        .map(|part| FixedUpGraph {
            batch: id.0,
            dylib: part.unit().map(|unit| unit.dylib),
            triple: part.unit().map_or_else(|| part.graph.target.to_string(), |unit| unit.file.triple()),
            graph: &part.graph,
            got: part.got,
            addresses: &part.addresses,
            absolutes: &part.absolutes,
            contents: vec![None; part.graph.blocks.len()],
            part,
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
