//! Relaxation of thread-local accesses. The instructions are those that ld.lld 22 makes of what gcc emits, but for calls of
//! `__tls_get_addr`, which it does not know.

use super::super::{Aarch64, kind};
use super::rows::words::{ADD, NOP};
use super::{apply, out_of_range};
use crate::link::arch::testing::{DYNAMIC, LINKED, NEAR, apply_all, graph, kinds};
use crate::link::arch::{Architecture, FixupError};
use crate::link::edge::EdgeKind;
use crate::link::graph::{LinkGraph, SymbolPlace};

/// What every variable's offset from the thread pointer is.
const OFFSET: u64 = 0x12_3456;

const ADRP_X0: u32 = 0x9000_0000;
const ADR_X0: u32 = 0x1000_0000;
const ADD_X0: u32 = 0x9100_0000;
const LDR_X1_X0: u32 = 0xf940_0001;
const LDR_X0_X0: u32 = 0xf940_0000;
const LDR_X1_LITERAL: u32 = 0x5800_0001;
const LDR_X1_X20_X0: u32 = 0xf860_6a81;
const ADD_X0_X20_X0: u32 = 0x8b00_0280;
const MOVZ_X0_LSL16: u32 = 0xd2a0_0000;
const MOVK_X0: u32 = 0xf280_0000;
const BL: u32 = 0x9400_0000;
const BLR_X1: u32 = 0xd63f_0020;

const MRS_X0: u32 = 0xd53b_d040;
/// `movz x0, #0x12, lsl #16` and `movk x0, #0x3456`.
const CONSTANT: [u32; 2] = [0xd2a0_0240, 0xf286_8ac0];

/// Kinds that replace one instruction: what they may find, what they leave, how many bits of offset there may be.
type Replacing = (EdgeKind, &'static [u32], u32, u32);

const REPLACING: &[Replacing] = &[
    (kind::TLS_INDEX_PAGE_RELAXED, &[ADRP_X0, ADR_X0], MRS_X0, 24),
    // add x0, x0, #0x123, lsl #12
    (kind::TLS_INDEX_ADD_RELAXED, &[ADD_X0], 0x9144_8c00, 24),
    // add x0, x0, #0x456
    (kind::TLS_INDEX_CALL_RELAXED, &[BL, BLR_X1], 0x9111_5800, 24),
    (kind::TLS_MODULE_PAGE_RELAXED, &[ADRP_X0, ADR_X0], MRS_X0, 64),
    (kind::TLS_MODULE_ADD_RELAXED, &[ADD_X0, ADD_X0_X20_X0, LDR_X1_X20_X0], NOP, 64),
    (kind::TLS_MODULE_CALL_RELAXED, &[BL, BLR_X1], NOP, 64),
    (kind::TLS_DESCRIPTOR_HIGH, &[ADRP_X0, LDR_X1_LITERAL, MOVZ_X0_LSL16], CONSTANT[0], 32),
    (kind::TLS_DESCRIPTOR_LOW, &[LDR_X1_X0, LDR_X0_X0, ADR_X0, MOVK_X0], CONSTANT[1], 32),
    (kind::TLS_DESCRIPTOR_ADD, &[ADD_X0, ADD_X0_X20_X0, LDR_X1_X20_X0], NOP, 64),
    (kind::TLS_DESCRIPTOR_CALL, &[BL, BLR_X1], NOP, 64),
    (kind::TLS_OFFSET_PAGE_RELAXED, &[ADRP_X0], CONSTANT[0], 32),
    (kind::TLS_OFFSET_LOAD_RELAXED, &[LDR_X0_X0], CONSTANT[1], 32),
];

/// Kinds that write nothing: the call that they are for stays.
const KEPT: &[EdgeKind] = &[kind::REQUEST_TLS_DESCRIPTOR_REGISTER, kind::REQUEST_TLS_DESCRIPTOR_CALL];

/// Whether the tables here have `kind`.
pub(super) fn is_rewriting(kind: EdgeKind) -> bool {
    REPLACING.iter().map(|row| &row.0).chain(KEPT).any(|&row| row == kind)
}

/// Accesses: instructions, edges `(instruction, kind, symbol)`, kinds after, instructions after. Symbol 1 is `__tls_get_addr`.
type Access = (&'static [u32], &'static [(u32, EdgeKind, u32)], &'static [u32]);

const ACCESSES: &[Access] = &[
    (
        &[ADRP_X0, ADD_X0, BL, NOP],
        &[
            (0, kind::REQUEST_TLS_INDEX_PAGE21, 0),
            (1, kind::REQUEST_TLS_INDEX_PAGE_OFFSET12, 0),
            (2, kind::BRANCH26, 1),
        ],
        &[MRS_X0, 0x9144_8c00, 0x9111_5800, NOP],
    ),
    (
        &[ADRP_X0, ADD_X0, BL],
        &[
            (0, kind::REQUEST_TLS_MODULE_PAGE21, 0),
            (1, kind::REQUEST_TLS_MODULE_PAGE_OFFSET12, 0),
            (2, kind::BRANCH26, 1),
        ],
        &[MRS_X0, NOP, NOP],
    ),
    (&[ADR_X0, BL], &[(0, kind::REQUEST_TLS_MODULE_ADR21, 0), (1, kind::BRANCH26, 1)], &[MRS_X0, NOP]),
    (
        &[ADRP_X0, LDR_X1_X0, ADD_X0, BLR_X1],
        &[
            (0, kind::REQUEST_TLS_DESCRIPTOR_PAGE21, 0),
            (1, kind::REQUEST_TLS_DESCRIPTOR_LDST64, 0),
            (2, kind::REQUEST_TLS_DESCRIPTOR_PAGE_OFFSET12, 0),
            (3, kind::REQUEST_TLS_DESCRIPTOR_CALL, 0),
        ],
        &[CONSTANT[0], CONSTANT[1], NOP, NOP],
    ),
    (
        &[ADRP_X0, LDR_X0_X0],
        &[(0, kind::REQUEST_TLS_OFFSET_PAGE21, 0), (1, kind::REQUEST_TLS_OFFSET_PAGE_OFFSET12, 0)],
        &CONSTANT,
    ),
];

fn access(words: &[u32], edges: &[(u32, EdgeKind, u32)], place: SymbolPlace) -> LinkGraph {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let edges: Vec<_> = edges.iter().map(|&(index, kind, symbol)| (index * 4, kind, symbol, 0)).collect();
    let mut graph = graph(&Aarch64, &code, &[place, NEAR], &edges);
    graph.symbols[1].name = b"__tls_get_addr";
    graph
}

#[test]
fn accesses_become_constants_or_additions_to_the_thread_pointer() {
    for (words, edges, after) in ACCESSES {
        let mut graph = access(words, edges, NEAR);
        Aarch64.relax(&mut graph, &LINKED);
        let bytes = apply_all(&Aarch64, &graph, OFFSET).unwrap();
        let found: Vec<u32> = bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(found, *after, "{words:x?}");
    }
}

#[test]
fn dynamic_variables_keep_the_call() {
    for (words, edges, _) in &ACCESSES[..4] {
        let mut graph = access(words, edges, DYNAMIC);
        Aarch64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), edges.iter().map(|edge| edge.1).collect::<Vec<_>>());
    }
}

#[test]
fn a_call_of_another_function_stays() {
    for (words, edges, _) in &ACCESSES[..3] {
        let mut graph = access(words, edges, NEAR);
        graph.symbols[1].name = b"get_addr";
        Aarch64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), edges.iter().map(|edge| edge.1).collect::<Vec<_>>(), "{words:x?}");
    }
}

#[test]
fn loads_that_share_a_page_keep_the_got() {
    let (page, load) = (kind::REQUEST_TLS_OFFSET_PAGE21, kind::REQUEST_TLS_OFFSET_PAGE_OFFSET12);
    let edges = [(0, page, 0), (1, load, 0), (2, load, 0)];
    let mut graph = access(&[ADRP_X0, LDR_X0_X0, LDR_X0_X0], &edges, NEAR);
    Aarch64.relax(&mut graph, &LINKED);
    assert_eq!(kinds(&graph), [page, load, load]);
}

#[test]
fn registers_of_loads_are_kept() {
    // adrp x7; ldr x7, [x7] -> movz x7, #0x12, lsl #16; movk x7, #0x3456
    for (kind, word, after) in [
        (kind::TLS_OFFSET_PAGE_RELAXED, ADRP_X0 | 7, CONSTANT[0] | 7),
        (kind::TLS_OFFSET_LOAD_RELAXED, LDR_X0_X0 | 7 << 5 | 7, CONSTANT[1] | 7),
    ] {
        assert_eq!(apply(kind, word, OFFSET as i64), Ok(after));
    }
}

#[test]
fn instructions_are_replaced_whole() {
    for &(kind, words, after, _) in REPLACING {
        for &word in words {
            assert_eq!(apply(kind, word, OFFSET as i64), Ok(after), "{kind:?} {word:#x}");
        }
    }
}

#[test]
fn other_instructions_are_errors() {
    for (kind, words) in REPLACING.iter().map(|row| (row.0, row.1)) {
        let all = REPLACING.iter().flat_map(|row| row.1).chain(&[NOP, ADD, MRS_X0, LDR_X0_X0 | 1 << 5, ADRP_X0 | 1]);
        // A page in another register than x0 is right for a load, which names the register again.
        let right = |word: u32| words.contains(&word) || kind == kind::TLS_OFFSET_PAGE_RELAXED && word == ADRP_X0 | 1;
        for &word in all.filter(|&&word| !right(word)) {
            let result = apply(kind, word, OFFSET as i64);
            assert!(matches!(result, Err(FixupError::WrongInstruction { .. })), "{kind:?} {word:#x}");
        }
    }
}

#[test]
fn offsets_past_the_limits_are_errors() {
    for &(kind, words, _, bits) in REPLACING.iter().filter(|row| row.3 < 64) {
        let limits = (0, (1 << bits) - 1);
        assert!(apply(kind, words[0], limits.1).is_ok() && apply(kind, words[0], 0).is_ok(), "{kind:?}");
        for value in [-1, limits.1 + 1] {
            assert_eq!(apply(kind, words[0], value), Err(out_of_range(value, limits)), "{kind:?}");
        }
    }
}
