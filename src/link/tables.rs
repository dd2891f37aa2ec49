//! The tables pass: GOT entries and call stubs.
//!
//! An edge that wants a GOT entry gets one, unless relaxation made it do without before. A branch that is not sure to reach its
//! target gets a stub that jumps through a GOT entry; when its block is written and the target turns out to be in reach, the
//! stub is left aside. Entries and stubs are shared within a graph.

use super::arch::{Architecture, CodeShape, Reach};
use super::edge::{Edge, EdgeClass};
use super::graph::{BlockId, Content, LinkGraph, Linkage, Scope, SectionId, Symbol, SymbolId, SymbolPlace};
use crate::base::MemProt;
use rustc_hash::FxHashMap;

/// Name of the section that GOT entries are in, as JITLink's.
pub const GOT_SECTION: &[u8] = b"$__GOT";
/// Name of the section that call stubs are in, as JITLink's.
pub const STUBS_SECTION: &[u8] = b"$__STUBS";

/// Builds the GOT entries and stubs that `graph` needs, and retargets edges to them.
pub fn build(arch: &dyn Architecture, graph: &mut LinkGraph, reach: &Reach<'_>) {
    let limit = arch.branch_reach() - 64;
    let mut tables = Tables::new(arch);
    for index in 0..graph.edges.len() {
        let wants_stub = |graph: &LinkGraph, edge: Edge| !reach.branch_is_sure(graph, edge.target, limit);
        tables.retarget_edge(graph, index, wants_stub);
    }
}

/// The GOT entries and stubs of one graph.
#[derive(Debug)]
pub struct Tables<'a> {
    arch: &'a dyn Architecture,
    got: Section,
    /// The pairs of the GOT that `__tls_get_addr` takes, by target.
    pairs: FxHashMap<SymbolId, SymbolId>,
    stubs: Section,
    /// Whether stubs are not filled up.
    bare: bool,
    /// How many edges the graph had when entries were reserved.
    reserved: usize,
}

impl<'a> Tables<'a> {
    fn new(arch: &'a dyn Architecture) -> Tables<'a> {
        Tables {
            arch,
            got: Section::new(GOT_SECTION, MemProt::Read),
            pairs: FxHashMap::default(),
            stubs: Section::new(STUBS_SECTION, MemProt::ReadExec),
            bare: false,
            reserved: 0,
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
        tables.reserved = graph.edges.len();
        for index in 0..tables.reserved {
            let edge = graph.edges[index];
            match kinds[usize::from(edge.kind.0)].class {
                EdgeClass::Got { .. } | EdgeClass::ThreadLocalGot { .. } => {
                    tables.got_entry(graph, edge.target, 0);
                }
                EdgeClass::ThreadLocalIndex { .. } => {
                    tables.index_pair(graph, edge.target);
                }
                EdgeClass::Branch { .. } if !is_defined(graph, edge.target) => {
                    tables.stub(graph, edge.target, tables.delta(&edge));
                }
                _ => {}
            }
        }
        tables
    }

    /// Retargets the edges of `graph` that still want an entry to those that were reserved for them; branches that `reach` is sure of
    /// want none.
    pub fn retarget(&mut self, graph: &mut LinkGraph, reach: &Reach<'_>) {
        let limit = self.arch.branch_reach() - 64;
        for index in 0..self.reserved {
            let wants_stub = |graph: &LinkGraph, edge: Edge| {
                !is_defined(graph, edge.target) && !reach.branch_is_sure(graph, edge.target, limit)
            };
            self.retarget_edge(graph, index, wants_stub);
        }
    }

    fn retarget_edge(&mut self, graph: &mut LinkGraph, index: usize, wants_stub: impl Fn(&LinkGraph, Edge) -> bool) {
        let edge = graph.edges[index];
        match self.arch.edge_kinds()[usize::from(edge.kind.0)].class {
            EdgeClass::Got { plain } | EdgeClass::ThreadLocalGot { plain } => {
                graph.edges[index].target = self.got_entry(graph, edge.target, 0);
                graph.edges[index].kind = plain;
            }
            EdgeClass::ThreadLocalIndex { plain } => {
                if let Some(pair) = self.index_pair(graph, edge.target) {
                    graph.edges[index].target = pair;
                    graph.edges[index].kind = plain;
                }
            }
            EdgeClass::Branch { via_stub } if wants_stub(graph, edge) => {
                graph.edges[index].target = self.stub(graph, edge.target, self.delta(&edge));
                graph.edges[index].kind = via_stub;
            }
            _ => {}
        }
    }

    /// How far behind its target a branch goes: a stub goes to the very place, since a branch to the middle of a section has an
    /// addend of its own.
    fn delta(&self, branch: &Edge) -> i64 {
        branch.addend.wrapping_sub(self.arch.branch_addend())
    }
}

fn is_defined(graph: &LinkGraph, symbol: SymbolId) -> bool {
    matches!(graph.symbols[symbol.index()].place, SymbolPlace::Defined { .. })
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

    /// Module and offset of `target`, if it is a variable of a module.
    fn index_pair(&mut self, graph: &mut LinkGraph, target: SymbolId) -> Option<SymbolId> {
        let SymbolPlace::DynamicThreadLocal { module, offset } = graph.symbols[target.index()].place else {
            return None;
        };
        if let Some(&pair) = self.pairs.get(&target) {
            return Some(pair);
        }
        let section = self.got.id(graph);
        let words = [module.to_le_bytes(), offset.to_le_bytes()].concat();
        let block = graph.add_owned_block(section, &words, 8);
        let pair = graph.add_anonymous_symbol(block, 0, 16);
        self.pairs.insert(target, pair);
        Some(pair)
    }

    fn stub(&mut self, graph: &mut LinkGraph, target: SymbolId, delta: i64) -> SymbolId {
        if let Some(&stub) = self.stubs.entries.get(&(target, delta)) {
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
            stub_target: Some(target),
        });
        self.stubs.entries.insert((target, delta), stub);
        stub
    }
}

fn add_shape_edges(graph: &mut LinkGraph, block: BlockId, shape: &CodeShape, target: SymbolId) {
    let edges = shape.edges.iter().map(|e| Edge { offset: e.offset, kind: e.kind, target, addend: e.addend });
    graph.set_edges(block, edges);
}
