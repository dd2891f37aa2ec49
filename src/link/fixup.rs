//! Writing a block: its bytes, then its fixups.

use super::arch::{Architecture, Fixup, FixupError};
use super::edge::{Edge, EdgeClass};
use super::error::{FailedFixup, LinkError, LinkErrorKind, Result};
use super::graph::{BlockId, LinkGraph, Symbol, SymbolId, SymbolPlace};
use super::tables::GOT_SECTION;
use crate::base::ExecutorAddr;

/// What to do about an absolute address that is too high for its field.
const LOW_ADDRESS_ADVICE: &str = "; the code needs addresses below 2 GiB and the target has none: compile it with -fPIE or -fPIC, \
    or give a file compiled without to the linker before anything is linked";
/// What to do about a target at an address that linking does not choose.
const FAR_TARGET_ADVICE: &str =
    "; linking does not choose the target's address: compile the code that refers to it with -fPIC";

/// What to do about an access of code for tiny programs.
const TINY_ADVICE: &str = "; code of the tiny model has to have everything within 1 MiB, and this program is larger than that: compile it \
    with -mcmodel=small";

/// What to do about a branch that does not reach the end of its own section, where a stub could stand.
const LARGE_SECTION_ADVICE: &str = "; nothing can be inserted into the code of one section, and this one is larger than branches \
    reach: compile it with -ffunction-sections, so that each function has a section of its own";

/// The address of every symbol of `graph`, whose blocks have theirs; `external` answers for external slots.
pub fn symbol_addresses<'a>(
    graph: &'a LinkGraph,
    external: impl Fn(u32) -> ExecutorAddr + 'a,
) -> impl Iterator<Item = ExecutorAddr> + 'a {
    graph.symbols.iter().map(move |symbol| match symbol.place {
        SymbolPlace::Defined { block, offset } => graph.blocks[block.index()].address.offset(offset),
        SymbolPlace::Absolute(address) => address,
        SymbolPlace::External { slot, .. } => external(slot),
        // Only pairs in the GOT say where it is.
        SymbolPlace::DynamicThreadLocal(_) => ExecutorAddr::NULL,
    })
}

/// What a block is written with.
#[derive(Clone, Copy, Debug)]
pub struct BlockWriter<'a> {
    /// The graph.
    pub graph: &'a LinkGraph,
    /// The block of the graph.
    pub block: BlockId,
    /// Its edges, ascending by offset.
    pub edges: &'a [Edge],
    /// The addresses of the graph's symbols, from [`symbol_addresses`].
    pub addresses: &'a [ExecutorAddr],
    /// The value of `_GLOBAL_OFFSET_TABLE_`.
    pub got: ExecutorAddr,
}

/// An edge that cannot be applied.
#[derive(Debug)]
pub struct FailedEdge {
    fixup: Fixup,
    target: SymbolId,
    error: FixupError,
}

/// Writes `block` of `graph` to `memory`, its working memory, and applies the edges that the graph has of it.
///
/// `addresses` come from [`symbol_addresses`], `got` is the value of `_GLOBAL_OFFSET_TABLE_`. `memory` is as long as the
/// block. Errors: [`LinkErrorKind::Fixup`], for the first edge that cannot be applied.
pub fn write_block(
    arch: &dyn Architecture,
    graph: &LinkGraph,
    block: BlockId,
    addresses: &[ExecutorAddr],
    got: ExecutorAddr,
    memory: &mut [u8],
) -> Result<()> {
    BlockWriter { graph, block, edges: graph.block_edges(block), addresses, got }.write(arch, memory)
}

impl BlockWriter<'_> {
    /// Writes the block to `memory`, which is as long, and applies the edges.
    ///
    /// Errors: [`LinkErrorKind::Fixup`], for the first edge that cannot be applied.
    pub fn write(&self, arch: &dyn Architecture, memory: &mut [u8]) -> Result<()> {
        let content = self.graph.content(self.block);
        memory[..content.len()].copy_from_slice(content);
        arch.apply_edges(self, memory).map_err(|failed| describe(arch, self.graph, self.block, &failed))
    }
}

/// Applies the edges of `writer` to `memory`. This is what [`Architecture::apply_edges`] does: one loop for each architecture, so that
/// the call for a fixup is no virtual one.
///
/// Errors: the first edge that cannot be applied.
pub fn apply_edges<A: Architecture + ?Sized>(
    arch: &A,
    writer: &BlockWriter<'_>,
    memory: &mut [u8],
) -> std::result::Result<(), Box<FailedEdge>> {
    let BlockWriter { graph, block, edges, addresses, got } = *writer;
    let base = graph.blocks[block.index()].address;
    let kinds = arch.edge_kinds();
    for edge in edges {
        let address = base.offset(u64::from(edge.offset)).0;
        let (mut kind, mut target, mut addend, mut size) = (edge.kind, edge.target, edge.addend, 0);
        match kinds[usize::from(kind.0)].class {
            EdgeClass::KeepAlive => continue,
            EdgeClass::BranchViaStub { direct } => match within_reach(arch, graph, edge, addresses, address) {
                Some(to) => (kind, target) = (direct, to),
                // The stub goes to the very place.
                None => addend = addend.wrapping_sub(arch.behind_target(kind, addend)),
            },
            // A look at the symbol itself is a cache line more.
            EdgeClass::Size => size = graph.symbols[target.index()].size,
            _ => {}
        }
        let fixup = Fixup {
            kind,
            offset: edge.offset as usize,
            address,
            target: addresses[target.index()].0,
            addend,
            got: got.0,
            size,
        };
        if let Err(error) = arch.apply(&fixup, memory) {
            return Err(Box::new(FailedEdge { fixup, target, error }));
        }
    }
    Ok(())
}

/// What the stub that `edge` goes to goes to, if a branch from `address` reaches it without the stub.
fn within_reach<A: Architecture + ?Sized>(
    arch: &A,
    graph: &LinkGraph,
    edge: &Edge,
    addresses: &[ExecutorAddr],
    address: u64,
) -> Option<SymbolId> {
    let target = graph.symbols[edge.target.index()].stub_target.get()?;
    let to = addresses[target.index()];
    let place = to.0.wrapping_add_signed(arch.behind_target(edge.kind, edge.addend));
    // The slack covers the length of the instruction.
    let limit = arch.branch_reach() - 64;
    (!to.is_null() && place.abs_diff(address) < limit).then_some(target)
}

fn describe(arch: &dyn Architecture, graph: &LinkGraph, block: BlockId, failed: &FailedEdge) -> LinkError {
    let FailedEdge { fixup, target, error } = failed;
    let b = &graph.blocks[block.index()];
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let symbol = &graph.symbols[target.index()];
    let info = &arch.edge_kinds()[usize::from(fixup.kind.0)];
    let is_branch = matches!(info.class, EdgeClass::Branch { .. } | EdgeClass::BranchViaStub { .. });
    let absolute = matches!(symbol.place, SymbolPlace::Absolute(_));
    let advice = match error {
        FixupError::OutOfRange { .. } if arch.is_tiny(fixup.kind) => TINY_ADVICE,
        FixupError::OutOfRange { .. } if info.class == EdgeClass::LowAddress => LOW_ADDRESS_ADVICE,
        FixupError::OutOfRange { .. } if absolute => FAR_TARGET_ADVICE,
        FixupError::OutOfRange { .. } if is_branch && b.size >= arch.branch_reach() / 2 => LARGE_SECTION_ADVICE,
        _ => "",
    };
    let offset = fixup.offset as u64;
    let (place, place_offset) = nearest_symbol(graph, block, offset).unwrap_or((b"", 0));
    let failed = FailedFixup {
        graph: graph.name.clone(),
        section: text(graph.sections[b.section.index()].name),
        kind: info.name,
        target: describe_target(graph, symbol),
        target_address: fixup.target,
        addend: fixup.addend,
        address: fixup.address,
        place: text(place),
        place_address: b.address.0.wrapping_add(place_offset),
        error: error.clone(),
        advice,
    };
    LinkErrorKind::Fixup(failed).into()
}

/// The name of `symbol`; for an entry of the GOT, what it is an entry for.
fn describe_target(graph: &LinkGraph, symbol: &Symbol) -> String {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    match symbol.place {
        SymbolPlace::Defined { block, .. } if symbol.name.is_empty() => {
            let section = &graph.sections[graph.blocks[block.index()].section.index()];
            match graph.block_edges(block) {
                [pointer, ..] if section.name == GOT_SECTION => {
                    format!("GOT entry for {}", text(graph.symbols[pointer.target.index()].name))
                }
                _ => format!("<anonymous symbol> in section {}", text(section.name)),
            }
        }
        _ if symbol.name.is_empty() => "<anonymous symbol>".into(),
        _ => text(symbol.name),
    }
}

/// The symbol in `block` that is nearest before `offset` bytes, with its own offset.
fn nearest_symbol(graph: &LinkGraph, block: BlockId, offset: u64) -> Option<(&'static [u8], u64)> {
    let named = graph.symbols.iter().filter(|symbol| !symbol.name.is_empty());
    let in_block = named.filter_map(|symbol| match symbol.place {
        SymbolPlace::Defined { block: of, offset: at } if of == block && at <= offset => Some((symbol.name, at)),
        _ => None,
    });
    in_block.max_by_key(|(_, at)| *at)
}
