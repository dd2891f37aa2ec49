//! What the tests of all architectures use.

use super::{Architecture, Fixup, FixupError, Reach, formula::Formula};
use crate::base::{AddrRange, ExecutorAddr, Format, MemProt, Target};
use crate::link::edge::{Edge, EdgeClass, EdgeKind};
use crate::link::graph::{
    BlockId, DynamicThreadLocal, LinkGraph, Linkage, OptionalSymbol, Scope, Symbol, SymbolId, SymbolPlace,
};

/// Where the tests' code is linked.
pub(super) const CODE: u64 = 0x7f12_3456_0000;

/// Everything linked, around [`CODE`].
pub(super) const LINKED: Reach<'static> = Reach {
    code: AddrRange { start: ExecutorAddr(CODE), end: ExecutorAddr(CODE + 0x10_0000) },
    all: AddrRange { start: ExecutorAddr(CODE), end: ExecutorAddr(CODE + 0x20_0000) },
    absolute_known: true,
    addresses: None,
};

/// A symbol of another graph, thus somewhere in [`LINKED`].
pub(super) const NEAR: SymbolPlace = SymbolPlace::External { slot: 0, far: false };

/// A symbol far from everything linked, and too high for 32 bits.
pub(super) const FAR: SymbolPlace = absolute(0x1234_5678_9abc);

/// A variable of a library that has no constant offset, in a [`graph`].
pub(super) const DYNAMIC: SymbolPlace = SymbolPlace::DynamicThreadLocal(0);

/// A symbol whose address linking does not choose.
pub(super) const fn absolute(address: u64) -> SymbolPlace {
    SymbolPlace::Absolute(ExecutorAddr(address))
}

/// A fixup of the first byte of a block whose computed value is `value`, whichever of a base and its addend it counts.
pub(super) fn fixup_of_value(kind: EdgeKind, value: i64) -> Fixup {
    Fixup { kind, offset: 0, address: 0, target: 0, addend: value, got: 0, size: 0 }
}

/// A graph with one block of `code` and one symbol for each place, and edges `(offset, kind, symbol, addend)`.
pub(super) fn graph(
    architecture: &dyn Architecture,
    code: &[u8],
    places: &[SymbolPlace],
    edges: &[(u32, EdgeKind, u32, i64)],
) -> LinkGraph {
    let target = Target::new(architecture.arch(), Format::Elf);
    let mut graph = LinkGraph::new("test".into(), target);
    let section = graph.add_section(b".text", MemProt::ReadExec);
    let block = graph.add_owned_block(section, code, 16);
    graph.add_dynamic_thread_local(DynamicThreadLocal { module: 3, offset: 0x40, resolver: ExecutorAddr(0x77) });
    for &place in places {
        graph.add_symbol(Symbol {
            name: b"foo",
            place,
            size: 0,
            linkage: Linkage::Strong,
            scope: Scope::Default,
            stub_target: OptionalSymbol::NONE,
        });
    }
    let edges =
        edges.iter().map(|&(offset, kind, symbol, addend)| Edge { offset, kind, target: SymbolId(symbol), addend });
    graph.set_edges(block, edges);
    graph
}

/// The kinds of the edges of a [`graph`].
pub(super) fn kinds(graph: &LinkGraph) -> Vec<EdgeKind> {
    graph.edges.iter().map(|edge| edge.kind).collect()
}

/// The block of a [`graph`], linked at [`CODE`] with all symbols at `target`.
pub(super) fn apply_all(
    architecture: &dyn Architecture,
    graph: &LinkGraph,
    target: u64,
) -> Result<Vec<u8>, FixupError> {
    let mut bytes = graph.content(BlockId(0)).to_vec();
    for edge in graph.block_edges(BlockId(0)) {
        let fixup = Fixup {
            kind: edge.kind,
            offset: edge.offset as usize,
            address: CODE + u64::from(edge.offset),
            target,
            addend: edge.addend,
            got: 0,
            size: 0,
        };
        architecture.apply(&fixup, &mut bytes)?;
    }
    Ok(bytes)
}

/// The constants are the indexes of their names in the table, and classes refer to kinds of the right classes.
pub(super) fn check_table(architecture: &dyn Architecture, constants: &[(EdgeKind, &str)]) {
    let table = architecture.edge_kinds();
    assert_eq!(constants.len(), table.len());
    let class = |kind: EdgeKind| table[usize::from(kind.0)].class;
    for (index, (&(kind, name), info)) in constants.iter().zip(table).enumerate() {
        assert_eq!((usize::from(kind.0), name), (index, info.name));
        let same_name = table.iter().filter(|other| other.name == info.name).count();
        assert_eq!(same_name, 1, "{name}");
        match info.class {
            EdgeClass::Branch { via_stub } => {
                assert_eq!(class(via_stub), EdgeClass::BranchViaStub { direct: kind }, "{name}");
            }
            EdgeClass::BranchViaStub { direct } => {
                assert_eq!(class(direct), EdgeClass::Branch { via_stub: kind }, "{name}");
            }
            EdgeClass::ThreadLocalDescriptor { plain } if plain == architecture.keep_alive() => {
                assert_eq!(info.formula, "none", "{name}");
            }
            EdgeClass::Got { plain }
            | EdgeClass::ThreadLocalGot { plain }
            | EdgeClass::ThreadLocalIndex { plain }
            | EdgeClass::ThreadLocalModule { plain }
            | EdgeClass::ThreadLocalDescriptor { plain } => {
                assert_eq!(class(plain), EdgeClass::Address, "{name}");
                let plain = &table[usize::from(plain.0)];
                assert_eq!(info.width, plain.width, "{name}");
                let formula = info.formula.replace("G + A", "T + A").replace("G - ", "T - ");
                assert_eq!(formula, plain.formula, "{name}");
            }
            EdgeClass::KeepAlive => assert_eq!(info.width, 0, "{name}"),
            EdgeClass::Address | EdgeClass::LowAddress | EdgeClass::Size | EdgeClass::ThreadLocal => {
                assert_ne!(info.width, 0, "{name}");
            }
        }
    }
    assert_eq!(class(architecture.keep_alive()), EdgeClass::KeepAlive);
}

/// Whatever bytes and numbers there are, fixing up neither panics nor touches bytes further from the field than the longest
/// sequence of instructions that is rewritten.
pub(super) fn check_any_input(architecture: &dyn Architecture) {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..400 {
        for index in 0..architecture.edge_kinds().len() {
            let before: Vec<u8> = (0..24).flat_map(|_| random().to_le_bytes()).collect();
            let before = &before[..random() as usize % before.len()];
            let offset = match round % 4 {
                0 => usize::MAX - random() as usize % 16,
                1 => before.len().wrapping_sub(random() as usize % 10),
                _ => random() as usize % 24,
            };
            let fixup = Fixup {
                kind: EdgeKind(index as u8),
                offset,
                address: random(),
                target: random(),
                addend: random() as i64,
                got: random(),
                size: random(),
            };
            let mut after = before.to_vec();
            let result = architecture.apply(&fixup, &mut after);
            for (at, (a, b)) in before.iter().zip(&after).enumerate() {
                let near = (offset.saturating_sub(4)..offset.saturating_add(20)).contains(&at);
                assert!(a == b || near && result.is_ok(), "{fixup:?}: byte {at}");
            }
        }
    }
}

/// Every kind with a field reports a field that the block ends in the middle of.
pub(super) fn check_outside_block(architecture: &dyn Architecture) {
    for (index, info) in architecture.edge_kinds().iter().enumerate() {
        if info.width == 0 || info.formula == "none" && matches!(info.class, EdgeClass::ThreadLocalDescriptor { .. }) {
            continue;
        }
        let fixup = Fixup { offset: 9 - usize::from(info.width), ..fixup_of_value(EdgeKind(index as u8), 0) };
        let result = architecture.apply(&fixup, &mut [0; 8]);
        assert_eq!(result, Err(FixupError::OutsideBlock), "{}", info.name);
    }
}

/// Each formula gives the value worked out by hand from numbers that no two of the others share.
#[test]
fn formulas_compute_what_they_say() {
    let fixup = Fixup {
        kind: EdgeKind(0),
        offset: 0,
        address: 0x20_1234,
        target: 0x50_5678,
        addend: -0x10,
        got: 0x30_0abc,
        size: 0x99,
    };
    let cases = [
        (Formula::Target, 0x50_5668),
        (Formula::Delta, 0x30_4434),
        (Formula::NegDelta, -0x30_4454),
        (Formula::PageDelta, 0x30_4000),
        (Formula::FromGot, 0x20_4bac),
        (Formula::FromGotPage, 0x20_5668),
        (Formula::GotDelta, 0x0f_f878),
        (Formula::Size, 0x89),
    ];
    for (formula, value) in cases {
        assert_eq!(formula.value(&fixup), value, "{formula:?}");
    }
}

/// A page is that of the sum, not the sum of a page: the addend may carry into the next one.
#[test]
fn page_of_target_counts_the_addend() {
    let fixup = Fixup { target: 0xfff, addend: 1, ..fixup_of_value(EdgeKind(0), 0) };
    assert_eq!(Formula::PageDelta.value(&fixup), 0x1000);
}

/// Negative limits are printed with a sign.
#[test]
fn out_of_range_prints_signed_numbers() {
    let error = FixupError::OutOfRange { value: -0x81, min: -0x80, max: 0x7f };
    assert_eq!(error.to_string(), "-0x81 does not fit -0x80..=0x7f");
}

/// Whether [`Architecture::is_relative`] says of every kind that can be applied to one of `instructions` what moving all its addresses by whole
/// pages shows; answers how many kinds those were.
pub(super) fn relative_kinds_are_those_that_do_not_notice_a_move(
    arch: &dyn Architecture,
    instructions: &[u32],
) -> usize {
    let mut tried = 0;
    for (index, info) in arch.edge_kinds().iter().enumerate() {
        let kind = EdgeKind(index as u8);
        if info.class.is_thread_local() || matches!(info.class, EdgeClass::KeepAlive | EdgeClass::Size) {
            continue;
        }
        let apply = |instruction: u32, base: u64| {
            let mut block = [0; 16];
            block[8..12].copy_from_slice(&instruction.to_le_bytes());
            let [address, target, got] = [0x1008, 0x2340, 0x3000].map(|offset| base + offset);
            let fixup = Fixup { kind, offset: 8, address, target, addend: 0, got, size: 4 };
            arch.apply(&fixup, &mut block).ok().map(|()| block)
        };
        for &instruction in instructions {
            let (Some(here), Some(there)) = (apply(instruction, 0), apply(instruction, 0x123_4000)) else { continue };
            assert_eq!(here == there, arch.is_relative(kind), "{}", info.name);
            tried += 1;
            break;
        }
    }
    tried
}
