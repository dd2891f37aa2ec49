//! The tables pass: GOT entries and call stubs.
//!
//! An edge that wants a GOT entry gets one, unless relaxation made it do without before. A branch that is not sure to reach its
//! target gets a stub that jumps through a GOT entry; when its block is written and the target turns out to be in reach, the
//! stub is left aside. Entries and stubs are shared within a graph.

use super::arch::{Architecture, CodeShape, Reach};
use super::edge::{Edge, EdgeClass, EdgeKindInfo};
use super::graph::{
    BlockId, Content, DynamicThreadLocal, LinkGraph, Linkage, OptionalSymbol, Scope, SectionId, Symbol, SymbolId,
    SymbolPlace,
};
use crate::base::MemProt;
use rustc_hash::FxHashMap;

/// Name of the section that GOT entries are in, as JITLink's.
pub const GOT_SECTION: &[u8] = b"$__GOT";
/// Name of the section that call stubs are in, as JITLink's.
pub const STUBS_SECTION: &[u8] = b"$__STUBS";

/// The module number in pairs for `__tls_get_addr` of variables that have a constant offset from the thread pointer, which then is the
/// second word. The dynamic loader counts modules from 1.
pub const AT_THREAD_POINTER: u64 = 1 << 63;

/// Builds the GOT entries and stubs that `graph` needs, and retargets edges to them. May be called again with a longer reach: then
/// branches that did without a stub get one.
pub fn build(arch: &dyn Architecture, graph: &mut LinkGraph, reach: &Reach<'_>) {
    let limit = arch.branch_reach() - 64;
    let mut tables = Tables::new(arch);
    let islands = Islands::of(graph, arch.branch_reach() / 2);
    for block in graph.block_ids() {
        let run = graph.blocks[block.index()].edges.clone();
        for index in run.start as usize..run.end as usize {
            let wants_stub = |graph: &LinkGraph, edge: Edge| !reach.branch_is_sure(graph, edge.target, limit);
            tables.retarget_edge(graph, index, islands.end_of(block), wants_stub);
        }
    }
    graph.islands.sort_unstable();
}

/// How the code of a large graph is divided into pieces with stubs of their own, right behind each.
struct Islands {
    /// For each block of code the last one of its piece, ascending; empty where one piece is enough.
    ends: Vec<(BlockId, BlockId)>,
}

impl Islands {
    /// The pieces of `graph`: of at most `span` bytes, or one block.
    fn of(graph: &LinkGraph, span: u64) -> Islands {
        let mut ends: Vec<(BlockId, BlockId)> = Vec::new();
        let is_code = |id: &BlockId| {
            let block = &graph.blocks[id.index()];
            let movable = block.contiguous.is_none() && graph.islands.iter().all(|island| island.1 != *id);
            movable && graph.sections[block.section.index()].prot == MemProt::ReadExec
        };
        let size = |id: BlockId| {
            let block = &graph.blocks[id.index()];
            block.size.saturating_add(block.align)
        };
        if graph.block_ids().filter(is_code).fold(0u64, |sum, id| sum.saturating_add(size(id))) <= span {
            return Islands { ends };
        }
        let close = |piece: &mut [(BlockId, BlockId)]| {
            if let Some(&(last, _)) = piece.last() {
                piece.iter_mut().for_each(|(_, end)| *end = last);
            }
        };
        let (mut first, mut filled) = (0, 0u64);
        for id in graph.block_ids().filter(is_code) {
            if filled != 0 && filled.saturating_add(size(id)) > span {
                close(&mut ends[first..]);
                (first, filled) = (ends.len(), 0);
            }
            ends.push((id, id));
            filled = filled.saturating_add(size(id));
        }
        close(&mut ends[first..]);
        Islands { ends }
    }

    /// The block behind which stubs for branches in `block` stand; `None`: behind all others.
    fn end_of(&self, block: BlockId) -> Option<BlockId> {
        let at = self.ends.binary_search_by_key(&block, |piece| piece.0).ok()?;
        Some(self.ends[at].1)
    }
}

/// The GOT entries and stubs of one graph.
#[derive(Debug)]
pub struct Tables<'a> {
    arch: &'a dyn Architecture,
    /// Its kinds, asked for once.
    kinds: &'static [EdgeKindInfo],
    got: Section,
    /// The pairs of the GOT that `__tls_get_addr` takes, by target.
    pairs: FxHashMap<SymbolId, SymbolId>,
    /// Descriptors of the GOT, by target.
    descriptors: FxHashMap<SymbolId, SymbolId>,
    stubs: Section,
    /// Stubs, by target, bytes behind it, and the block behind which the stub stands.
    stub_of: FxHashMap<(SymbolId, i64, Option<BlockId>), SymbolId>,
    /// Whether stubs are not filled up.
    bare: bool,
    /// How many edges the graph had when entries were reserved; from then on there are no others.
    reserved: Option<usize>,
}

impl<'a> Tables<'a> {
    fn new(arch: &'a dyn Architecture) -> Tables<'a> {
        Tables {
            arch,
            kinds: arch.edge_kinds(),
            got: Section::new(GOT_SECTION, MemProt::Read),
            pairs: FxHashMap::default(),
            descriptors: FxHashMap::default(),
            stubs: Section::new(STUBS_SECTION, MemProt::ReadExec),
            stub_of: FxHashMap::default(),
            bare: false,
            reserved: None,
        }
    }

    /// Makes all entries that `graph` may turn out to need, without retargeting anything: a stub for each target of a branch that is
    /// not in the graph. What relaxation does not rewrite once addresses are known, [`Tables::retarget`] does. With `as_jitlink`, they
    /// have the sizes and protections that JITLink gives them.
    pub fn reserve(arch: &'a dyn Architecture, graph: &mut LinkGraph, as_jitlink: bool) -> Tables<'a> {
        let mut tables = Tables::new(arch);
        if as_jitlink {
            tables.bare = true;
            tables.got.prot = arch.jitlink_got_prot();
        }
        let kinds = arch.edge_kinds();
        let edges = graph.edges.len();
        for index in 0..edges {
            let edge = graph.edges[index];
            match kinds[usize::from(edge.kind.0)].class {
                EdgeClass::Got { .. } | EdgeClass::ThreadLocalGot { .. } => {
                    tables.got_entry(graph, edge.target, 0);
                }
                // Others are relaxed, or refused.
                EdgeClass::ThreadLocalIndex { .. } | EdgeClass::ThreadLocalModule { .. }
                    if is_dynamic(graph, edge.target) =>
                {
                    tables.index_pair(graph, edge.target);
                }
                EdgeClass::ThreadLocalDescriptor { .. } => {
                    tables.descriptor(graph, edge.target);
                }
                EdgeClass::Branch { .. } if !is_defined(graph, edge.target) => {
                    tables.stub(graph, edge.target, tables.delta(&edge), None);
                }
                _ => {}
            }
        }
        tables.reserved = Some(edges);
        tables
    }

    /// Retargets the edges of `graph` that still want an entry to those that were reserved for them; branches that `reach` is sure of
    /// want none.
    pub fn retarget(&mut self, graph: &mut LinkGraph, reach: &Reach<'_>) {
        let limit = self.arch.branch_reach() - 64;
        for index in 0..self.reserved.unwrap_or(0) {
            let wants_stub = |graph: &LinkGraph, edge: Edge| {
                !is_defined(graph, edge.target) && !reach.branch_is_sure(graph, edge.target, limit)
            };
            self.retarget_edge(graph, index, None, wants_stub);
        }
    }

    /// Gives edge `index` the entry it wants; a stub stands behind the block `island`, if one is given.
    fn retarget_edge(
        &mut self,
        graph: &mut LinkGraph,
        index: usize,
        island: Option<BlockId>,
        wants_stub: impl Fn(&LinkGraph, Edge) -> bool,
    ) {
        let edge = graph.edges[index];
        let entry = match self.kinds[usize::from(edge.kind.0)].class {
            EdgeClass::Got { plain } | EdgeClass::ThreadLocalGot { plain } => {
                Some((self.got_entry(graph, edge.target, 0), plain))
            }
            EdgeClass::ThreadLocalIndex { plain } | EdgeClass::ThreadLocalModule { plain }
                if self.reserved.is_none() || self.pairs.contains_key(&edge.target) =>
            {
                Some((self.index_pair(graph, edge.target), plain))
            }
            EdgeClass::ThreadLocalDescriptor { plain } => {
                self.descriptor(graph, edge.target).map(|descriptor| (descriptor, plain))
            }
            EdgeClass::Branch { via_stub } if wants_stub(graph, edge) => {
                Some((self.stub(graph, edge.target, self.delta(&edge), island), via_stub))
            }
            _ => None,
        };
        if let Some((target, kind)) = entry {
            graph.edges[index].target = target;
            graph.edges[index].kind = kind;
        }
    }

    /// How far behind its target a branch goes: a stub goes to the very place, since a branch to the middle of a section has an
    /// addend of its own.
    fn delta(&self, branch: &Edge) -> i64 {
        self.arch.behind_target(branch.kind, branch.addend)
    }
}

fn is_defined(graph: &LinkGraph, symbol: SymbolId) -> bool {
    matches!(graph.symbols[symbol.index()].place, SymbolPlace::Defined { .. })
}

fn is_dynamic(graph: &LinkGraph, symbol: SymbolId) -> bool {
    matches!(graph.symbols[symbol.index()].place, SymbolPlace::DynamicThreadLocal(_))
}

/// A section made on first use, and its entry for each symbol.
#[derive(Debug)]
struct Section {
    name: &'static [u8],
    prot: MemProt,
    id: Option<SectionId>,
    /// By target and bytes behind it.
    entries: FxHashMap<(SymbolId, i64), SymbolId>,
}

impl Section {
    fn new(name: &'static [u8], prot: MemProt) -> Section {
        Section { name, prot, id: None, entries: FxHashMap::default() }
    }

    fn id(&mut self, graph: &mut LinkGraph) -> SectionId {
        *self.id.get_or_insert_with(|| graph.add_section(self.name, self.prot))
    }
}

impl Tables<'_> {
    fn got_entry(&mut self, graph: &mut LinkGraph, target: SymbolId, delta: i64) -> SymbolId {
        if let Some(&entry) = self.got.entries.get(&(target, delta)) {
            return entry;
        }
        let section = self.got.id(graph);
        let block = graph.add_block(section, Content::Borrowed(&[0; 8]), 8, 8);
        let pointer = Edge { offset: 0, kind: self.arch.pointer(), target, addend: delta };
        graph.set_edges(block, [pointer]);
        let entry = graph.add_anonymous_symbol(block, 0, 8);
        self.got.entries.insert((target, delta), entry);
        entry
    }

    /// Module and offset of `target`.
    fn index_pair(&mut self, graph: &mut LinkGraph, target: SymbolId) -> SymbolId {
        if let Some(&pair) = self.pairs.get(&target) {
            return pair;
        }
        let section = self.got.id(graph);
        let block = match graph.dynamic_thread_local(target) {
            Some(DynamicThreadLocal { module, offset, .. }) => {
                graph.add_owned_block(section, &[module.to_le_bytes(), offset.to_le_bytes()].concat(), 8)
            }
            None => {
                let block = graph.add_owned_block(section, &[AT_THREAD_POINTER.to_le_bytes(), [0; 8]].concat(), 8);
                graph.set_edges(block, [Edge { offset: 8, kind: self.arch.pointer(), target, addend: 0 }]);
                block
            }
        };
        let pair = graph.add_anonymous_symbol(block, 0, 16);
        self.pairs.insert(target, pair);
        pair
    }

    /// The descriptor of `target`, unless relaxation did without: the resolver, and the address of the pair.
    fn descriptor(&mut self, graph: &mut LinkGraph, target: SymbolId) -> Option<SymbolId> {
        let DynamicThreadLocal { resolver, .. } = graph.dynamic_thread_local(target)?;
        if let Some(&descriptor) = self.descriptors.get(&target) {
            return Some(descriptor);
        }
        let pair = self.index_pair(graph, target);
        let resolver = graph.add_symbol(Symbol {
            name: b"",
            place: SymbolPlace::Absolute(resolver),
            size: 0,
            linkage: Linkage::Strong,
            scope: Scope::Local,
            stub_target: OptionalSymbol::NONE,
        });
        let section = self.got.id(graph);
        let block = graph.add_block(section, Content::Borrowed(&[0; 16]), 16, 8);
        let word = |offset, target| Edge { offset, kind: self.arch.pointer(), target, addend: 0 };
        graph.set_edges(block, [word(0, resolver), word(8, pair)]);
        let descriptor = graph.add_anonymous_symbol(block, 0, 16);
        self.descriptors.insert(target, descriptor);
        Some(descriptor)
    }

    fn stub(&mut self, graph: &mut LinkGraph, target: SymbolId, delta: i64, behind: Option<BlockId>) -> SymbolId {
        if let Some(&stub) = self.stub_of.get(&(target, delta, behind)) {
            return stub;
        }
        let pointer = self.got_entry(graph, target, delta);
        let shape = self.arch.pointer_jump_stub();
        let section = self.stubs.id(graph);
        let (length, align) = if self.bare { shape.bare } else { (shape.code.len(), shape.align) };
        let block = graph.add_block(section, Content::Borrowed(&shape.code[..length]), length as u64, align);
        add_shape_edges(graph, block, shape, pointer);
        let stub = graph.add_symbol(Symbol {
            name: b"",
            place: SymbolPlace::Defined { block, offset: 0 },
            size: length as u64,
            linkage: Linkage::Strong,
            scope: Scope::Local,
            stub_target: target.into(),
        });
        if let Some(behind) = behind {
            graph.islands.push((behind, block));
        }
        self.stub_of.insert((target, delta, behind), stub);
        stub
    }
}

fn add_shape_edges(graph: &mut LinkGraph, block: BlockId, shape: &CodeShape, target: SymbolId) {
    let edges = shape.edges.iter().map(|e| Edge { offset: e.offset, kind: e.kind, target, addend: e.addend });
    graph.set_edges(block, edges);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AddrRange, Arch, ExecutorAddr, Format, Target};
    use crate::link::arch::aarch64::{Aarch64, kind};

    /// Sections of code of so many MiB, each of which branches to a symbol far away.
    fn graph(sizes: &[u64]) -> LinkGraph {
        let mut graph = LinkGraph::new("g".into(), Target::new(Arch::Aarch64, Format::Elf));
        let section = graph.add_section(b".text", MemProt::ReadExec);
        let target = graph.add_symbol(Symbol {
            name: b"far",
            place: SymbolPlace::Absolute(ExecutorAddr(1 << 40)),
            size: 0,
            linkage: Linkage::Strong,
            scope: Scope::Default,
            stub_target: OptionalSymbol::NONE,
        });
        for &size in sizes {
            let block = graph.add_block(section, Content::ZeroFill, size << 20, 4);
            graph.set_edges(block, [Edge { offset: 0, kind: kind::BRANCH26, target, addend: 0 }]);
        }
        graph
    }

    fn build_all(graph: &mut LinkGraph) {
        let all = AddrRange::new(ExecutorAddr(0), 1 << 30);
        build(&Aarch64, graph, &Reach { code: all, all, absolute_known: true, addresses: None });
    }

    /// Behind which blocks stubs stand.
    fn islands(sizes: &[u64]) -> Vec<u32> {
        let mut graph = graph(sizes);
        build_all(&mut graph);
        graph.islands.iter().map(|island| island.0.0).collect()
    }

    #[test]
    fn code_that_branches_reach_across_has_its_stubs_at_the_end() {
        assert_eq!(islands(&[1, 60, 2]), []);
    }

    #[test]
    fn large_graphs_have_stubs_in_between() {
        assert_eq!(islands(&[40, 20, 30, 100, 1, 1]), [1, 2, 3, 5]);
    }

    #[test]
    fn stubs_are_shared_within_a_piece() {
        let mut graph = graph(&[1, 1, 100]);
        build_all(&mut graph);
        let targets: Vec<_> = graph.edges[..3].iter().map(|edge| edge.target).collect();
        assert!(targets[0] == targets[1] && targets[1] != targets[2]);
    }

    #[test]
    fn a_second_pass_finds_nothing_to_do() {
        let mut graph = graph(&[40, 40, 40]);
        build_all(&mut graph);
        let before = (graph.blocks.len(), graph.islands.clone());
        build_all(&mut graph);
        assert_eq!((graph.blocks.len(), graph.islands), before);
    }
}
