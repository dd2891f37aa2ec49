//! Relaxation of thread-local accesses. The sequences are those that ld.lld 22 makes of what gcc emits, but for two: it takes no calls of
//! the large code model, and it turns most additions of offsets into `lea`, which leaves the flags alone.

use super::super::{X86_64, kind};
use crate::link::arch::testing::{DYNAMIC, apply_all, fixup_of_value, graph, kinds};
use crate::link::arch::{Architecture, Fixup, FixupError, testing};
use crate::link::edge::EdgeKind;
use crate::link::graph::{LinkGraph, SymbolPlace};

/// What every variable's offset from the thread pointer is.
const OFFSET: u64 = -0x1234_i64 as u64;
/// `OFFSET` as code has it.
const FIELD: [u8; 4] = [0xcc, 0xed, 0xff, 0xff];

const STATIC: SymbolPlace = SymbolPlace::External { slot: 0, far: false };

const GD: EdgeKind = kind::REQUEST_TLS_INDEX;
const LD: EdgeKind = kind::REQUEST_TLS_MODULE;

/// Accesses that call `__tls_get_addr`: the code, the kind and place of its edge, the kind, place and addend of the call's, the code
/// after, in which 0xff four times stands for the offset.
type Call = (&'static [u8], EdgeKind, u32, EdgeKind, u32, i64, &'static [u8]);

const CALLS: &[Call] = &[
    // data16 lea; data16 data16 rex.W call
    (
        &[0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0],
        GD,
        4,
        kind::BRANCH_PCREL32,
        12,
        -4,
        &[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80, 0xcc, 0xed, 0xff, 0xff],
    ),
    // data16 lea; data16 rex.W call *
    (
        &[0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x48, 0xff, 0x15, 0, 0, 0, 0],
        GD,
        4,
        kind::REQUEST_GOT_LOAD,
        12,
        -4,
        &[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80, 0xcc, 0xed, 0xff, 0xff],
    ),
    // lea; movabs; add %rbx; call *%rax
    (
        &[0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0x01, 0xd8, 0xff, 0xd0],
        GD,
        3,
        kind::DELTA64_FROM_GOT,
        9,
        0,
        &[
            0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80, 0xcc, 0xed, 0xff, 0xff, 0x66, 0x0f, 0x1f, 0x44,
            0, 0,
        ],
    ),
    // lea; call
    (
        &[0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0],
        LD,
        3,
        kind::BRANCH_PCREL32,
        8,
        -4,
        &[0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0],
    ),
    // lea; call *
    (
        &[0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xff, 0x15, 0, 0, 0, 0],
        LD,
        3,
        kind::REQUEST_GOT_LOAD,
        9,
        -4,
        &[0x66, 0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0],
    ),
    // lea; movabs; add %r15; call *%rax
    (
        &[0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x4c, 0x01, 0xf8, 0xff, 0xd0],
        LD,
        3,
        kind::DELTA64_FROM_GOT,
        9,
        0,
        &[
            0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44,
            0, 0,
        ],
    ),
];

/// Accesses of one edge: the code up to the place, the kind, the kind after, the code after.
const SINGLE: &[(&[u8], EdgeKind, EdgeKind, &[u8])] = &[
    // mov foo@gottpoff(%rip): %rax, %r15; add to %rbx, %r12
    (&[0x48, 0x8b, 0x05], kind::REQUEST_TLS_OFFSET_REX, kind::TLS_OFFSET_IMMEDIATE_REX, &[0x48, 0xc7, 0xc0]),
    (&[0x4c, 0x8b, 0x3d], kind::REQUEST_TLS_OFFSET_REX, kind::TLS_OFFSET_IMMEDIATE_REX, &[0x49, 0xc7, 0xc7]),
    (&[0x48, 0x03, 0x1d], kind::REQUEST_TLS_OFFSET_REX, kind::TLS_OFFSET_IMMEDIATE_REX, &[0x48, 0x81, 0xc3]),
    (&[0x4c, 0x03, 0x25], kind::REQUEST_TLS_OFFSET_REX, kind::TLS_OFFSET_IMMEDIATE_REX, &[0x49, 0x81, 0xc4]),
    // with REX2: mov to %r16
    (
        &[0xd5, 0x48, 0x8b, 0x05],
        kind::REQUEST_TLS_OFFSET_REX2,
        kind::TLS_OFFSET_IMMEDIATE_REX2,
        &[0xd5, 0x18, 0xc7, 0xc0],
    ),
    // lea foo@tlsdesc(%rip): %rax, %r9
    (&[0x48, 0x8d, 0x05], kind::REQUEST_TLS_DESCRIPTOR, kind::TLS_DESCRIPTOR, &[0x48, 0xc7, 0xc0]),
    (&[0x4c, 0x8d, 0x0d], kind::REQUEST_TLS_DESCRIPTOR, kind::TLS_DESCRIPTOR, &[0x49, 0xc7, 0xc1]),
    // with REX2: lea to %r16
    (
        &[0xd5, 0x48, 0x8d, 0x05],
        kind::REQUEST_TLS_DESCRIPTOR_REX2,
        kind::TLS_DESCRIPTOR_REX2,
        &[0xd5, 0x18, 0xc7, 0xc0],
    ),
];

/// The kinds that rewrite sequences, which have no field like other kinds'.
pub(in super::super) const REWRITING: &[EdgeKind] = &[
    kind::TLS_INDEX_RELAXED,
    kind::TLS_MODULE_RELAXED,
    kind::REQUEST_TLS_DESCRIPTOR_CALL,
    kind::TLS_DESCRIPTOR,
    kind::TLS_DESCRIPTOR_REX2,
    kind::TLS_DESCRIPTOR_CALL,
];

fn call_graph(
    &(code, kind, at, call, call_at, addend, _): &Call,
    place: SymbolPlace,
    function: &'static [u8],
) -> LinkGraph {
    let mut graph = graph(&X86_64, code, &[place, testing::NEAR], &[(at, kind, 0, -4), (call_at, call, 1, addend)]);
    graph.symbols[1].name = function;
    graph
}

#[test]
fn calls_become_uses_of_the_thread_pointer() {
    for call in CALLS {
        let mut graph = call_graph(call, STATIC, b"__tls_get_addr");
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph)[1], kind::KEEP_ALIVE, "{call:x?}");
        graph.edges.truncate(1);
        graph.blocks[0].edges.end = 1;
        assert_eq!(apply_all(&X86_64, &graph, OFFSET).as_deref(), Ok(call.6), "{call:x?}");
    }
}

#[test]
fn variables_of_libraries_keep_the_call() {
    for call in CALLS {
        let mut graph = call_graph(call, DYNAMIC, b"__tls_get_addr");
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph)[0], call.1, "{call:x?}");
        // A call through the GOT must remain one: its prefixes make another instruction of a direct call.
        let kept = if call.3 == kind::REQUEST_GOT_LOAD { kind::REQUEST_GOT_DELTA32 } else { call.3 };
        assert_eq!(kinds(&graph)[1], kept, "{call:x?}");
    }
}

#[test]
fn a_call_of_another_function_stays() {
    for call in CALLS {
        let mut graph = call_graph(call, STATIC, b"get_addr");
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph)[0], call.1, "{call:x?}");
    }
}

#[test]
fn descriptors_of_dynamic_variables_stay() {
    for &(kind, width) in &[
        (kind::REQUEST_TLS_DESCRIPTOR, 4),
        (kind::REQUEST_TLS_DESCRIPTOR_REX2, 4),
        (kind::REQUEST_TLS_DESCRIPTOR_CALL, 2),
    ] {
        let mut graph = graph(&X86_64, &[0; 4][..width], &[DYNAMIC], &[(0, kind, 0, -4)]);
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph), [kind]);
    }
}

#[test]
fn every_byte_of_a_sequence_is_checked() {
    for &(code, kind, at, call, call_at, _, _) in CALLS {
        let relaxed = if kind == GD { kind::TLS_INDEX_RELAXED } else { kind::TLS_MODULE_RELAXED };
        let width = if call == kind::DELTA64_FROM_GOT { 8 } else { 4 };
        let is_field = |index: u32| (at..at + 4).contains(&index) || (call_at..call_at + width).contains(&index);
        for index in (0..code.len() as u32).filter(|&index| !is_field(index)) {
            let mut block = code.to_vec();
            block[index as usize] ^= 0x82;
            let before = block.clone();
            let fixup = Fixup { offset: at as usize, ..fixup_of_value(relaxed, 0) };
            assert!(X86_64.apply(&fixup, &mut block).is_err(), "{code:x?} {index}");
            assert_eq!(block, before);
        }
    }
}

#[test]
fn loads_and_descriptors_become_immediates() {
    for &(start, before, after, code) in SINGLE {
        let bytes = [start, &[0; 4]].concat();
        let mut graph = graph(&X86_64, &bytes, &[STATIC], &[(start.len() as u32, before, 0, -4)]);
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph), [after], "{start:x?}");
        let bytes = apply_all(&X86_64, &graph, OFFSET).unwrap();
        assert_eq!(bytes, [code, &FIELD].concat(), "{start:x?}");
    }
}

#[test]
fn other_loads_of_offsets_keep_the_got() {
    for start in [[0x48, 0x2b, 0x05], [0x48, 0x85, 0x05], [0x48, 0x8b, 0x80]] {
        let code = [&start[..], &[0; 4]].concat();
        let mut graph = graph(&X86_64, &code, &[STATIC], &[(3, kind::REQUEST_TLS_OFFSET_REX, 0, -4)]);
        X86_64.relax(&mut graph, &testing::LINKED);
        assert_eq!(kinds(&graph), [kind::REQUEST_TLS_OFFSET_REX], "{start:x?}");
    }
}

#[test]
fn the_call_of_a_descriptor_disappears() {
    let mut block = [0xff, 0x10];
    assert_eq!(X86_64.apply(&fixup_of_value(kind::TLS_DESCRIPTOR_CALL, 0), &mut block), Ok(()));
    assert_eq!(block, [0x66, 0x90]);
    let again = X86_64.apply(&fixup_of_value(kind::TLS_DESCRIPTOR_CALL, 0), &mut block);
    assert!(matches!(again, Err(FixupError::WrongInstruction { found: 0x6690, .. })));
}

#[test]
fn offsets_have_32_bits() {
    let code = CALLS[0].0;
    let lea = [0x48, 0x8d, 0x05, 0, 0, 0, 0];
    for (kind, code, at) in [(kind::TLS_INDEX_RELAXED, code, 4), (kind::TLS_DESCRIPTOR, &lea[..], 3)] {
        let apply = |value: i64| {
            let fixup = Fixup { offset: at, ..fixup_of_value(kind, value - 4) };
            X86_64.apply(&fixup, &mut code.to_vec())
        };
        for value in [-0x8000_0000, 0x7fff_ffff] {
            assert_eq!(apply(value), Ok(()), "{kind:?} {value:#x}");
        }
        for value in [-0x8000_0001, 0x8000_0000] {
            assert!(matches!(apply(value), Err(FixupError::OutOfRange { .. })), "{kind:?} {value:#x}");
        }
    }
}
