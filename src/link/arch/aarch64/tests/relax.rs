//! Relaxation, stubs and trampolines.

use super::super::{Aarch64, kind};
use super::apply;
use super::rows::words::*;
use crate::base::AddrRange;
use crate::link::arch::testing::{CODE, FAR, LINKED, NEAR, apply_all, fixup_of_value, graph, kinds};
use crate::link::arch::{Architecture, CodeShape, Fixup, Reach};
use crate::link::edge::EdgeKind;
use crate::link::graph::{BlockId, LinkGraph, SymbolPlace};

const ADRP_X0: u32 = 0x9000_0000;
const LDR_X0_X0: u32 = 0xf940_0000;
const LDR_X1_X0: u32 = 0xf940_0001;
const LDR_W0_X0: u32 = 0xb940_0000;
const PAGE: EdgeKind = kind::REQUEST_GOT_PAGE21;
const OFFSET: EdgeKind = kind::REQUEST_GOT_PAGE_OFFSET12;
const DIRECT: [EdgeKind; 2] = [kind::PAGE21, kind::RELAXED_ADD];

fn got_graph(words: &[u32], places: &[SymbolPlace], edges: &[(u32, EdgeKind, u32, i64)]) -> LinkGraph {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    graph(&Aarch64, &code, places, edges)
}

fn relaxed(words: &[u32], place: SymbolPlace, edges: &[(u32, EdgeKind, u32, i64)]) -> Vec<EdgeKind> {
    let mut graph = got_graph(words, &[place, NEAR], edges);
    Aarch64.relax(&mut graph, &LINKED);
    kinds(&graph)
}

#[test]
fn pair_becomes_an_address_computation() {
    let mut graph = got_graph(&[ADRP_X0, LDR_X0_X0], &[NEAR], &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)]);
    Aarch64.relax(&mut graph, &LINKED);
    assert_eq!(kinds(&graph), DIRECT);
    let bytes = apply_all(&Aarch64, &graph, CODE + 0x3123).unwrap();
    // adrp x0, #0x3000; add x0, x0, #0x123
    assert_eq!(bytes, [0x00, 0x00, 0x00, 0xf0, 0x00, 0x8c, 0x04, 0x91]);
}

#[test]
fn pairs_that_are_not_quite_pairs_keep_the_got() {
    type Edges<'a> = &'a [(u32, EdgeKind, u32, i64)];
    let pair: Edges = &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)];
    let cases: &[(&str, &[u32], Edges)] = &[
        ("the load's register is another", &[ADRP_X0, LDR_X1_X0], pair),
        ("the page's register is another", &[ADRP_X0 | 1, LDR_X0_X0], pair),
        ("the load is of 4 bytes", &[ADRP_X0, LDR_W0_X0], pair),
        ("the first is no adrp", &[NOP, LDR_X0_X0], pair),
        ("the second is no load", &[ADRP_X0, NOP], pair),
        ("the code ends too early", &[ADRP_X0], pair),
        ("one between them", &[ADRP_X0, NOP, LDR_X0_X0], &[(0, PAGE, 0, 0), (8, OFFSET, 0, 0)]),
        ("the other order", &[LDR_X0_X0, ADRP_X0], &[(0, OFFSET, 0, 0), (4, PAGE, 0, 0)]),
        ("different symbols", &[ADRP_X0, LDR_X0_X0], &[(0, PAGE, 0, 0), (4, OFFSET, 1, 0)]),
        ("an addend of the page", &[ADRP_X0, LDR_X0_X0], &[(0, PAGE, 0, 8), (4, OFFSET, 0, 0)]),
        ("an addend of the offset", &[ADRP_X0, LDR_X0_X0], &[(0, PAGE, 0, 0), (4, OFFSET, 0, 8)]),
        ("a page alone", &[ADRP_X0], &[(0, PAGE, 0, 0)]),
        ("a load alone", &[LDR_X0_X0], &[(0, OFFSET, 0, 0)]),
        (
            "a second load of the same page",
            &[ADRP_X0, LDR_X0_X0, LDR_X0_X0],
            &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0), (8, OFFSET, 0, 0)],
        ),
        (
            "an earlier load of the same symbol",
            &[LDR_X0_X0, ADRP_X0, LDR_X0_X0],
            &[(0, OFFSET, 0, 0), (4, PAGE, 0, 0), (8, OFFSET, 0, 0)],
        ),
    ];
    for &(what, words, edges) in cases {
        let before: Vec<_> = edges.iter().map(|edge| edge.1).collect();
        assert_eq!(relaxed(words, NEAR, edges), before, "{what}");
    }
}

#[test]
fn far_symbols_keep_the_got() {
    let edges = [(0, PAGE, 0, 0), (4, OFFSET, 0, 0)];
    assert_eq!(relaxed(&[ADRP_X0, LDR_X0_X0], FAR, &edges), [PAGE, OFFSET]);
}

#[test]
fn stray_load_of_one_symbol_leaves_another_alone() {
    let edges = [(0, PAGE, 0, 0), (4, OFFSET, 0, 0), (8, OFFSET, 1, 0)];
    let kinds = relaxed(&[ADRP_X0, LDR_X0_X0, LDR_X0_X0], NEAR, &edges);
    assert_eq!(kinds, [DIRECT[0], DIRECT[1], OFFSET]);
}

#[test]
fn all_pairs_of_a_symbol_are_relaxed() {
    let edges = [(0, PAGE, 0, 0), (4, OFFSET, 0, 0), (8, PAGE, 0, 0), (12, OFFSET, 0, 0)];
    let kinds = relaxed(&[ADRP_X0, LDR_X0_X0, ADRP_X0, LDR_X0_X0], NEAR, &edges);
    assert_eq!(kinds, [DIRECT, DIRECT].concat());
}

#[test]
fn literal_got_load_keeps_the_got() {
    let edges = [(0, kind::REQUEST_GOT_LITERAL19, 0, 0)];
    assert_eq!(relaxed(&[LDR_LITERAL], NEAR, &edges), [kind::REQUEST_GOT_LITERAL19]);
}

#[test]
fn relaxed_page_reaches_across_the_whole_memory() {
    let size = (1 << 32) - 0x1001;
    let memory = |size| Reach { all: AddrRange::new(LINKED.all.start, size), ..LINKED };
    let pair = || got_graph(&[ADRP_X0, LDR_X0_X0], &[NEAR], &[(0, PAGE, 0, 0), (4, OFFSET, 0, 0)]);
    let mut graph = pair();
    Aarch64.relax(&mut graph, &memory(size));
    assert_eq!(kinds(&graph), DIRECT);
    for (address, target) in [(CODE + 0xffc, CODE + 0xffc + size), (CODE + size, CODE)] {
        let fixup = Fixup { address, target, ..fixup_of_value(kind::PAGE21, 0) };
        assert_eq!(Aarch64.apply(&fixup, &mut ADRP_X0.to_le_bytes()), Ok(()));
    }
    let mut graph = pair();
    Aarch64.relax(&mut graph, &memory(size + 1));
    assert_eq!(kinds(&graph), [PAGE, OFFSET]);
}

#[test]
fn branches_reach_as_far_as_is_said() {
    let farthest = (Aarch64.branch_reach() - 4) as i64;
    for distance in [farthest, -farthest] {
        let value = distance + Aarch64.branch_addend();
        assert!(apply(kind::BRANCH26, BL, value).is_ok(), "{distance:#x}");
    }
}

/// The words of a shape linked at [`CODE`] for `target`.
fn shape_words(shape: &CodeShape, target: u64) -> Vec<u32> {
    let edges: Vec<_> = shape.edges.iter().map(|e| (e.offset, e.kind, 0, e.addend)).collect();
    let graph = graph(&Aarch64, shape.code, &[NEAR], &edges);
    assert_eq!(shape.stride as usize, graph.content(BlockId(0)).len());
    let bytes = apply_all(&Aarch64, &graph, target).unwrap();
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

#[test]
fn stub_jumps_through_its_pointer() {
    let words = shape_words(Aarch64.pointer_jump_stub(), CODE + 0x1008);
    // adrp x16, #0x1000; ldr x16, [x16, #8]; br x16; brk #1
    assert_eq!(words, [0xb000_0010, 0xf940_0610, 0xd61f_0200, 0xd420_0020]);
}

#[test]
fn trampoline_calls_the_reentry_function() {
    let words = shape_words(Aarch64.reentry_trampoline().unwrap(), CODE + 0x1004);
    // stp x29, x30, [sp, #-16]!; bl #0x1000
    assert_eq!(words, [0xa9bf_7bfd, 0x9400_0400]);
}
