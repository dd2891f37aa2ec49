//! The LinkGraph: blocks of bytes, symbols that name places in them, edges that say how bytes depend on symbols.
//!
//! Arenas with `u32` ids; a block's edges are one sorted run of the graph's edge array. A graph covers what one batch
//! links of one file (or a synthesized set of stubs); symbols outside it are *external* and get their addresses from
//! whoever drives the link. Graphs borrow the mapped input; only synthesized content is owned.

use super::edge::Edge;
use crate::base::{ExecutorAddr, MemProt, Target};
use std::ops::Range;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// The id as an index into its arena.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A section of one graph.
    SectionId
);
id!(
    /// A block of one graph.
    BlockId
);
id!(
    /// A symbol of one graph.
    SymbolId
);

/// One piece of a program being linked; see the module documentation.
#[derive(Debug)]
pub struct LinkGraph {
    /// What is printed for it: the file's name, `lib.a[3](member.o)`, or `<indirect stubs graph #1>`.
    pub name: String,
    /// What its code is for.
    pub target: Target,
    /// Sections in order of creation.
    pub sections: Vec<Section>,
    /// Blocks in order of creation: the order they are laid out in within their segment.
    pub blocks: Vec<Block>,
    /// Symbols in order of creation.
    pub symbols: Vec<Symbol>,
    /// What [`SymbolPlace::DynamicThreadLocal`] numbers.
    pub dynamic_thread_locals: Vec<DynamicThreadLocal>,
    /// All edges; [`Block::edges`] are runs of it.
    pub edges: Vec<Edge>,
    /// Content that was synthesized; [`Content::Owned`] are runs of it.
    pub bytes: Vec<u8>,
    /// Blocks that are laid out right behind another one, and that one, which comes first here; ascending by it. Stubs that all of a large
    /// graph's code could not reach at its end.
    pub islands: Vec<(BlockId, BlockId)>,
}

/// A named set of blocks with one protection.
#[derive(Debug)]
pub struct Section {
    /// Its name in the input, or LLVM's name for a synthesized one (`$__GOT`).
    pub name: &'static [u8],
    /// What its memory may be used for while the program runs.
    pub prot: MemProt,
    /// Whether every thread has a copy of it. Its blocks are no part of any segment: they hold initial values, and their addresses,
    /// like those of all thread-local symbols, are offsets from the thread pointer, modulo 2^64.
    pub thread_local: bool,
    /// Whether its blocks, writable data, may be out of reach of everything else: no edge that is limited to a distance refers to them,
    /// or is in them.
    pub far: bool,
}

/// What a block's bytes are before fixups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Bytes of a mapped input, as long as the block's size.
    Borrowed(&'static [u8]),
    /// A run of [`LinkGraph::bytes`], as long as the block's size.
    Owned(Range<u32>),
    /// Zeroes that need not be written.
    ZeroFill,
}

/// A contiguous range of memory that is placed as a whole.
#[derive(Debug)]
pub struct Block {
    /// The section it belongs to.
    pub section: SectionId,
    /// Its bytes before fixups.
    pub content: Content,
    /// Its size in bytes.
    pub size: u64,
    /// The alignment of its address in bytes, a power of two.
    pub align: u64,
    /// What its address leaves modulo `align`, in bytes; less than `align`.
    pub align_offset: u64,
    /// Blocks of a batch with the same number are laid out one behind another with no more padding than alignment asks for,
    /// in order of graphs and blocks: unwind tables, sections that `__start_` symbols bracket.
    pub contiguous: Option<u32>,
    /// Its edges: a run of [`LinkGraph::edges`], ascending by offset.
    pub edges: Range<u32>,
    /// Where it is in the executor; null until the layout is done.
    pub address: ExecutorAddr,
}

/// Which of several definitions counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Linkage {
    /// The only one.
    Strong,
    /// Gives way to a strong one.
    Weak,
}

/// Who may see a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every JITDylib.
    Default,
    /// Its own JITDylib.
    Hidden,
    /// Its own file.
    Local,
}

/// Where a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolPlace {
    /// At a byte offset in a block of this graph.
    Defined {
        /// The block.
        block: BlockId,
        /// Bytes from its start; may be its size, or beyond it for section-relative references.
        offset: u64,
    },
    /// At an address that linking does not choose: absolute symbols, symbols of the process, null for weak undefined ones.
    Absolute(ExecutorAddr),
    /// A thread-local variable for which threads have memory only once they use it: an index into
    /// [`LinkGraph::dynamic_thread_locals`].
    DynamicThreadLocal(u32),
    /// In another graph; `slot` is the number by which the driver of the link knows it.
    External {
        /// The driver's number.
        slot: u32,
        /// Whether it may be out of reach, as blocks of a section that is [`Section::far`] may be.
        far: bool,
    },
}

/// Where a thread-local variable of a shared library is, or one that does not fit the memory at constant offsets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DynamicThreadLocal {
    /// What `__tls_get_addr` knows the block of memory by.
    pub module: u64,
    /// Bytes from the start of the block.
    pub offset: u64,
    /// The function that descriptors of the variable name: it takes the descriptor, whose second word leads to module and
    /// offset, and answers the variable's offset from the calling thread's pointer.
    pub resolver: ExecutorAddr,
}

/// A symbol or none, in half the size of an `Option`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionalSymbol(u32);

impl OptionalSymbol {
    /// No symbol.
    pub const NONE: OptionalSymbol = OptionalSymbol(u32::MAX);

    /// The symbol, if it is one.
    pub fn get(self) -> Option<SymbolId> {
        (self != OptionalSymbol::NONE).then_some(SymbolId(self.0))
    }
}

impl From<SymbolId> for OptionalSymbol {
    fn from(symbol: SymbolId) -> OptionalSymbol {
        OptionalSymbol(symbol.0)
    }
}

/// A name for a place, or an anonymous place that edges refer to.
#[derive(Debug)]
pub struct Symbol {
    /// Its linker-level name; empty for an anonymous one.
    pub name: &'static [u8],
    /// Where it is.
    pub place: SymbolPlace,
    /// Its size in bytes; 0 if unknown.
    pub size: u64,
    /// Which definition counts.
    pub linkage: Linkage,
    /// Who may see it.
    pub scope: Scope,
    /// For a call stub: the symbol the stub goes to. Branches to the stub may go there directly.
    pub stub_target: OptionalSymbol,
}

// A large program has hundreds of thousands of them, in fresh memory.
const _: () = assert!(size_of::<Symbol>() == 48);

impl LinkGraph {
    /// An empty graph.
    pub fn new(name: String, target: Target) -> LinkGraph {
        LinkGraph {
            name,
            target,
            sections: Vec::new(),
            blocks: Vec::new(),
            symbols: Vec::new(),
            dynamic_thread_locals: Vec::new(),
            edges: Vec::new(),
            bytes: Vec::new(),
            islands: Vec::new(),
        }
    }

    /// Takes everything out of it, its name too.
    pub fn clear(&mut self) {
        let LinkGraph { name, target: _, sections, blocks, symbols, dynamic_thread_locals, edges, bytes, islands } =
            self;
        name.clear();
        sections.clear();
        blocks.clear();
        symbols.clear();
        dynamic_thread_locals.clear();
        edges.clear();
        bytes.clear();
        islands.clear();
    }

    /// Adds a section. The caller keeps names apart; nothing is merged.
    pub fn add_section(&mut self, name: &'static [u8], prot: MemProt) -> SectionId {
        self.sections.push(Section { name, prot, thread_local: false, far: false });
        SectionId(self.sections.len() as u32 - 1)
    }

    /// Adds a block of `size` bytes without edges; `align` is a power of two in bytes.
    pub fn add_block(&mut self, section: SectionId, content: Content, size: u64, align: u64) -> BlockId {
        debug_assert!(align.is_power_of_two());
        let end = self.edges.len() as u32;
        self.blocks.push(Block {
            section,
            content,
            size,
            align,
            align_offset: 0,
            contiguous: None,
            edges: end..end,
            address: ExecutorAddr::NULL,
        });
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// Adds a block whose bytes are a copy of `bytes`.
    pub fn add_owned_block(&mut self, section: SectionId, bytes: &[u8], align: u64) -> BlockId {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        let content = Content::Owned(start..self.bytes.len() as u32);
        self.add_block(section, content, bytes.len() as u64, align)
    }

    /// Adds a block whose bytes are `bytes`, which are taken if nothing else is synthesized yet.
    pub fn add_block_of(&mut self, section: SectionId, bytes: &mut Vec<u8>, align: u64) -> BlockId {
        if !self.bytes.is_empty() {
            return self.add_owned_block(section, bytes, align);
        }
        std::mem::swap(&mut self.bytes, bytes);
        let size = self.bytes.len();
        self.add_block(section, Content::Owned(0..size as u32), size as u64, align)
    }

    /// Appends `bytes` to `block`, whose bytes are synthesized; those of other blocks stay as they are.
    pub fn append_to_owned_block(&mut self, block: BlockId, bytes: &[u8]) {
        let Content::Owned(range) = self.blocks[block.index()].content.clone() else {
            return;
        };
        let (start, end) = (range.start as usize, range.end as usize);
        let start = if end == self.bytes.len() {
            start
        } else {
            self.bytes.extend_from_within(start..end);
            self.bytes.len() - (end - start)
        };
        self.bytes.extend_from_slice(bytes);
        let block = &mut self.blocks[block.index()];
        block.content = Content::Owned(start as u32..self.bytes.len() as u32);
        block.size += bytes.len() as u64;
    }

    /// Gives `block` its edges, which must be ascending by offset; any it had before are forgotten.
    pub fn set_edges(&mut self, block: BlockId, edges: impl IntoIterator<Item = Edge>) {
        let first = self.edges.len();
        self.edges.extend(edges);
        self.set_last_edges(block, first);
    }

    /// Gives `block` the edges that have been put into [`LinkGraph::edges`] from place `first` on, which must be as for
    /// [`LinkGraph::set_edges`].
    pub fn set_last_edges(&mut self, block: BlockId, first: usize) {
        debug_assert!(self.edges[first..].is_sorted_by_key(|e| e.offset));
        self.blocks[block.index()].edges = first as u32..self.edges.len() as u32;
    }

    /// Adds a symbol.
    pub fn add_symbol(&mut self, symbol: Symbol) -> SymbolId {
        self.symbols.push(symbol);
        SymbolId(self.symbols.len() as u32 - 1)
    }

    /// Adds a dynamic thread-local variable, and answers the place of symbols for it.
    pub fn add_dynamic_thread_local(&mut self, variable: DynamicThreadLocal) -> SymbolPlace {
        self.dynamic_thread_locals.push(variable);
        SymbolPlace::DynamicThreadLocal(self.dynamic_thread_locals.len() as u32 - 1)
    }

    /// The dynamic thread-local variable that `symbol` names, if it names one.
    pub fn dynamic_thread_local(&self, symbol: SymbolId) -> Option<DynamicThreadLocal> {
        match self.symbols[symbol.index()].place {
            SymbolPlace::DynamicThreadLocal(index) => Some(self.dynamic_thread_locals[index as usize]),
            _ => None,
        }
    }

    /// Adds an anonymous local symbol at `offset` bytes into `block`.
    pub fn add_anonymous_symbol(&mut self, block: BlockId, offset: u64, size: u64) -> SymbolId {
        self.add_symbol(Symbol {
            name: b"",
            place: SymbolPlace::Defined { block, offset },
            size,
            linkage: Linkage::Strong,
            scope: Scope::Local,
            stub_target: OptionalSymbol::NONE,
        })
    }

    /// The bytes of `block` before fixups; empty for zero-fill.
    pub fn content(&self, block: BlockId) -> &[u8] {
        match &self.blocks[block.index()].content {
            Content::Borrowed(bytes) => bytes,
            Content::Owned(range) => &self.bytes[range.start as usize..range.end as usize],
            Content::ZeroFill => &[],
        }
    }

    /// The edges of `block`.
    pub fn block_edges(&self, block: BlockId) -> &[Edge] {
        let range = &self.blocks[block.index()].edges;
        &self.edges[range.start as usize..range.end as usize]
    }

    /// The edges of `block`, for passes that change kinds and targets (not offsets).
    pub fn block_edges_mut(&mut self, block: BlockId) -> &mut [Edge] {
        let range = &self.blocks[block.index()].edges;
        &mut self.edges[range.start as usize..range.end as usize]
    }

    /// Every block's id.
    pub fn block_ids(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.blocks.len() as u32).map(BlockId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Arch, Format};

    #[test]
    fn what_is_appended_to_a_block_leaves_the_others_alone() {
        let mut graph = LinkGraph::new("g".into(), Target::new(Arch::X86_64, Format::Elf));
        let section = graph.add_section(b"s", MemProt::Read);
        let blocks = [
            graph.add_block_of(section, &mut b"one".to_vec(), 1),
            graph.add_block_of(section, &mut b"two".to_vec(), 1),
        ];
        graph.append_to_owned_block(blocks[1], b"!");
        graph.append_to_owned_block(blocks[0], b"?");
        graph.append_to_owned_block(blocks[1], b"!");
        let contents = blocks.map(|block| (graph.content(block), graph.blocks[block.index()].size));
        assert_eq!(contents, [(&b"one?"[..], 4), (&b"two!!"[..], 5)]);
    }
}
