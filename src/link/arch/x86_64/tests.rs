use super::kinds::CONSTANTS;
use super::thread_local::tests as thread_local;
use super::{X86_64, kind};
use crate::link::arch::testing::{self, CODE, FAR, LINKED, NEAR, absolute, apply_all, fixup_of_value, graph, kinds};
use crate::link::arch::{Architecture, Fixup, FixupError, Reach};
use crate::link::edge::{EdgeClass, EdgeKind};
use crate::link::graph::{LinkGraph, SymbolPlace};

const I32: (i64, i64) = (-0x8000_0000, 0x7fff_ffff);
const U32: (i64, i64) = (0, 0xffff_ffff);
const I16: (i64, i64) = (-0x8000, 0x7fff);
const I8: (i64, i64) = (-0x80, 0x7f);

/// What fits in each kind's field by the psABI; the others, with 64 bits, hold everything.
const LIMITS: &[(EdgeKind, (i64, i64))] = &[
    (kind::POINTER32, U32),
    (kind::POINTER32_SIGNED, I32),
    (kind::POINTER16, (-0x8000, 0xffff)),
    (kind::POINTER8, (-0x80, 0xff)),
    (kind::DELTA32, I32),
    (kind::DELTA16, I16),
    (kind::DELTA8, I8),
    (kind::NEG_DELTA32, I32),
    (kind::SIZE32, U32),
    (kind::BRANCH_PCREL32, I32),
    (kind::BRANCH_PCREL32_VIA_STUB, I32),
    (kind::FUNCTION_DELTA32, I32),
    (kind::FUNCTION_DELTA32_VIA_STUB, I32),
    (kind::DELTA32_FROM_GOT, I32),
    (kind::GOT_DELTA32, I32),
    (kind::REQUEST_GOT_DELTA32, I32),
    (kind::REQUEST_GOT_DELTA32_FROM_GOT, I32),
    (kind::REQUEST_GOT_LOAD, I32),
    (kind::REQUEST_GOT_LOAD_REX, I32),
    (kind::REQUEST_GOT_LOAD_REX2, I32),
    (kind::THREAD_POINTER_DELTA32, I32),
    (kind::REQUEST_TLS_OFFSET, I32),
    (kind::REQUEST_TLS_OFFSET_REX, I32),
    (kind::REQUEST_TLS_OFFSET_REX2, I32),
    (kind::REQUEST_TLS_INDEX, I32),
    (kind::REQUEST_TLS_MODULE, I32),
    (kind::REQUEST_TLS_DESCRIPTOR, I32),
    (kind::REQUEST_TLS_DESCRIPTOR_REX2, I32),
    (kind::GOT_LOAD, I32),
    (kind::GOT_LOAD_REX, I32),
    (kind::GOT_LOAD_REX2, I32),
];

/// Kinds that rewrite instructions; their limits are those of a signed 32-bit field, for the value in the field.
const REWRITING: &[(EdgeKind, &[u8], i64)] = &[
    (kind::RELAXED_LEA, &[0x8b, 0x05], 0),
    (kind::RELAXED_CALL, &[0xff, 0x15], 0),
    (kind::RELAXED_JUMP, &[0xff, 0x25], 1),
    (kind::RELAXED_IMMEDIATE, &[0x8b, 0x05], 4),
    (kind::RELAXED_IMMEDIATE_REX, &[0x48, 0x8b, 0x05], 4),
    (kind::RELAXED_IMMEDIATE_REX2, &[0xd5, 0x48, 0x8b, 0x05], 4),
    (kind::TLS_OFFSET_IMMEDIATE_REX, &[0x48, 0x8b, 0x05], 4),
    (kind::TLS_OFFSET_IMMEDIATE_REX2, &[0xd5, 0x48, 0x8b, 0x05], 4),
];

fn width(kind: EdgeKind) -> usize {
    X86_64.edge_kinds()[usize::from(kind.0)].width.into()
}

fn apply_value(kind: EdgeKind, value: i64) -> Result<[u8; 10], FixupError> {
    let mut block = [0xee; 10];
    X86_64.apply(&fixup_of_value(kind, value), &mut block)?;
    Ok(block)
}

#[test]
fn constants_are_indexes_of_the_table() {
    testing::check_table(&X86_64, CONSTANTS);
}

#[test]
fn any_input_is_survived() {
    testing::check_any_input(&X86_64);
}

#[test]
fn fields_outside_the_block_are_errors() {
    testing::check_outside_block(&X86_64);
}

#[test]
fn every_kind_with_a_narrow_field_is_tested_for_limits() {
    for &(kind, name) in CONSTANTS {
        let narrow = (1..8).contains(&width(kind));
        let limited = LIMITS.iter().any(|row| row.0 == kind);
        let rewriting = REWRITING.iter().map(|row| &row.0).chain(thread_local::REWRITING).any(|&row| row == kind);
        assert_eq!(narrow, limited || rewriting, "{name}");
    }
}

#[test]
fn values_at_the_limits_are_written_and_nothing_else() {
    let wide = CONSTANTS.iter().map(|row| row.0).filter(|&kind| width(kind) == 8);
    let all = wide.map(|kind| (kind, (i64::MIN, i64::MAX))).chain(LIMITS.iter().copied());
    for (kind, (min, max)) in all {
        for value in [min, max, 0, 1] {
            let block = apply_value(kind, value).unwrap();
            let (field, rest) = block.split_at(width(kind));
            assert_eq!(field, &value.to_le_bytes()[..field.len()], "{kind:?} {value:#x}");
            assert!(rest.iter().all(|&byte| byte == 0xee), "{kind:?}");
        }
    }
}

#[test]
fn values_past_the_limits_are_errors() {
    for &(kind, (min, max)) in LIMITS {
        for value in [min - 1, max + 1, i64::MIN, i64::MAX] {
            let error = FixupError::OutOfRange { value: value.into(), min: min.into(), max: max.into() };
            assert_eq!(apply_value(kind, value), Err(error), "{kind:?} {value:#x}");
        }
    }
}

#[test]
fn rewriting_has_the_limits_of_its_field() {
    for &(kind, start, correction) in REWRITING {
        let apply = |value: i64| {
            let mut block = [start, &[0; 4]].concat();
            let fixup = Fixup { offset: start.len(), ..fixup_of_value(kind, value - correction) };
            X86_64.apply(&fixup, &mut block)
        };
        for value in [I32.0, I32.1] {
            assert_eq!(apply(value), Ok(()), "{kind:?} {value:#x}");
        }
        for value in [I32.0 - 1, I32.1 + 1] {
            let result = apply(value);
            assert!(matches!(result, Err(FixupError::OutOfRange { .. })), "{kind:?} {value:#x}");
        }
    }
}

#[test]
fn rewriting_another_instruction_is_an_error() {
    for &(kind, start, _) in REWRITING {
        let mut block = [start, &[0; 4]].concat();
        block[start.len() - 2] = 0x90;
        let fixup = Fixup { offset: start.len(), ..fixup_of_value(kind, 0) };
        let before = block.clone();
        let result = X86_64.apply(&fixup, &mut block);
        assert!(matches!(result, Err(FixupError::WrongInstruction { .. })), "{kind:?}");
        assert_eq!(block, before);
    }
}

#[test]
fn values_wrap_around_the_address_space() {
    let fixup = Fixup { address: 0x10, target: 0xffff_ffff_ffff_fff0, ..fixup_of_value(kind::DELTA32, -4) };
    let mut block = [0; 4];
    X86_64.apply(&fixup, &mut block).unwrap();
    assert_eq!(i32::from_le_bytes(block), -0x24);
}

/// A graph with one GOT access: `start` and a displacement of 4 zeroes.
fn access(start: &[u8], kind: EdgeKind, place: SymbolPlace, addend: i64) -> LinkGraph {
    let code = [start, &[0; 4]].concat();
    graph(&X86_64, &code, &[place], &[(start.len() as u32, kind, 0, addend)])
}

const PLAIN: EdgeKind = kind::REQUEST_GOT_LOAD;
const REX: EdgeKind = kind::REQUEST_GOT_LOAD_REX;
const REX2: EdgeKind = kind::REQUEST_GOT_LOAD_REX2;

/// Accesses to a near symbol, [`CODE`] + 0x1000: code up to the displacement, its kind, the kind after, the code after.
const DIRECT: &[(&[u8], EdgeKind, EdgeKind, &[u8])] = &[
    // mov -> lea: %rax, %r15, %eax, %r16
    (&[0x48, 0x8b, 0x05], REX, kind::RELAXED_LEA, &[0x48, 0x8d, 0x05, 0xf9, 0x0f, 0, 0]),
    (&[0x4c, 0x8b, 0x3d], REX, kind::RELAXED_LEA, &[0x4c, 0x8d, 0x3d, 0xf9, 0x0f, 0, 0]),
    (&[0x8b, 0x05], PLAIN, kind::RELAXED_LEA, &[0x8d, 0x05, 0xfa, 0x0f, 0, 0]),
    (&[0xd5, 0x48, 0x8b, 0x05], REX2, kind::RELAXED_LEA, &[0xd5, 0x48, 0x8d, 0x05, 0xf8, 0x0f, 0, 0]),
    // call -> addr32 call, jmp -> jmp; nop
    (&[0xff, 0x15], PLAIN, kind::RELAXED_CALL, &[0x67, 0xe8, 0xfa, 0x0f, 0, 0]),
    (&[0xff, 0x25], PLAIN, kind::RELAXED_JUMP, &[0xe9, 0xfb, 0x0f, 0, 0, 0x90]),
];

/// Accesses to an absolute symbol at 0x12345678: code up to the displacement, its kind, code up to the immediate after.
const IMMEDIATE: &[(&[u8], EdgeKind, &[u8])] = &[
    // mov: %rax, %r15, %ebx, %r16
    (&[0x48, 0x8b, 0x05], REX, &[0x48, 0xc7, 0xc0]),
    (&[0x4c, 0x8b, 0x3d], REX, &[0x49, 0xc7, 0xc7]),
    (&[0x8b, 0x1d], PLAIN, &[0xc7, 0xc3]),
    (&[0xd5, 0x48, 0x8b, 0x05], REX2, &[0xd5, 0x18, 0xc7, 0xc0]),
    // test: %rbx, %r15
    (&[0x48, 0x85, 0x1d], REX, &[0x48, 0xf7, 0xc3]),
    (&[0x4c, 0x85, 0x3d], REX, &[0x49, 0xf7, 0xc7]),
    // add, or, adc, sbb, and, sub, xor, cmp
    (&[0x48, 0x03, 0x05], REX, &[0x48, 0x81, 0xc0]),
    (&[0x48, 0x0b, 0x05], REX, &[0x48, 0x81, 0xc8]),
    (&[0x48, 0x13, 0x05], REX, &[0x48, 0x81, 0xd0]),
    (&[0x48, 0x1b, 0x05], REX, &[0x48, 0x81, 0xd8]),
    (&[0x48, 0x23, 0x05], REX, &[0x48, 0x81, 0xe0]),
    (&[0x48, 0x2b, 0x05], REX, &[0x48, 0x81, 0xe8]),
    (&[0x4c, 0x33, 0x05], REX, &[0x49, 0x81, 0xf0]),
    (&[0x48, 0x3b, 0x0d], REX, &[0x48, 0x81, 0xf9]),
    // add: %r31
    (&[0xd5, 0x4c, 0x03, 0x3d], REX2, &[0xd5, 0x19, 0x81, 0xc7]),
];

/// Accesses to a near symbol that stay as they are: what is wrong with them, code up to the displacement, its kind.
const KEPT: &[(&str, &[u8], EdgeKind)] = &[
    ("add has no form that computes an address", &[0x48, 0x03, 0x05], REX),
    ("neither has test", &[0x48, 0x85, 0x05], REX),
    ("nor push", &[0xff, 0x35], PLAIN),
    ("another register than rip", &[0x48, 0x8b, 0x80], REX),
    ("no base register at all", &[0x48, 0x8b, 0x04], REX),
    ("an opcode of the two-byte map", &[0x48, 0x0f, 0xaf, 0x05], REX),
    ("a byte that is no REX prefix", &[0x38, 0x8b, 0x05], REX),
    ("a REX2 prefix for the two-byte map", &[0xd5, 0xc8, 0x8b, 0x05], REX2),
    ("a byte that is no REX2 prefix", &[0xd4, 0x48, 0x8b, 0x05], REX2),
    ("a call with REX", &[0x48, 0xff, 0x15], REX),
    ("nothing in front of the displacement", &[], PLAIN),
    ("no opcode", &[0x05], PLAIN),
    ("no prefix", &[0x8b, 0x05], REX),
    ("half a prefix", &[0x48, 0x8b, 0x05], REX2),
    ("a kind that may not be relaxed", &[0x48, 0x8b, 0x05], kind::REQUEST_GOT_DELTA32),
];

#[test]
fn near_symbols_are_accessed_directly() {
    for &(start, before, after, code) in DIRECT {
        let mut graph = access(start, before, NEAR, -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), [after], "{start:x?}");
        let bytes = apply_all(&X86_64, &graph, CODE + 0x1000).unwrap();
        assert_eq!(bytes, code, "{start:x?}");
    }
}

#[test]
fn low_absolute_symbols_become_immediates() {
    for &(start, before, code) in IMMEDIATE {
        let mut graph = access(start, before, absolute(0x1234_5678), -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_ne!(kinds(&graph), [before], "{start:x?}");
        let bytes = apply_all(&X86_64, &graph, 0x1234_5678).unwrap();
        assert_eq!(bytes, [code, &[0x78, 0x56, 0x34, 0x12]].concat(), "{start:x?}");
    }
}

#[test]
fn other_accesses_keep_the_got() {
    for &(what, start, kind) in KEPT {
        let mut graph = access(start, kind, NEAR, -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), [kind], "{what}");
    }
}

#[test]
fn far_symbols_keep_the_got() {
    for (start, kind) in DIRECT.iter().map(|row| (row.0, row.1)).chain(IMMEDIATE.iter().map(|row| (row.0, row.1))) {
        let mut graph = access(start, kind, FAR, -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), [kind], "{start:x?}");
    }
}

#[test]
fn calls_do_not_become_immediates() {
    for start in [[0xff, 0x15], [0xff, 0x25]] {
        let mut graph = access(&start, PLAIN, absolute(0x1000), -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), [PLAIN], "{start:x?}");
    }
}

#[test]
fn immediates_are_sign_extended() {
    let cases = [
        (0x7fff_ffff, true),
        (0x8000_0000, false),
        (0xffff_ffff_7fff_ffff, false),
        (0xffff_ffff_8000_0000, true),
        (0, true),
    ];
    for (address, fits) in cases {
        let mut graph = access(&[0x48, 0x3b, 0x05], REX, absolute(address), -4);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph) == [kind::RELAXED_IMMEDIATE_REX], fits, "{address:#x}");
        let applied = apply_all(&X86_64, &graph, address);
        assert_eq!(applied.is_ok(), fits, "{address:#x}");
    }
}

#[test]
fn sixteen_bit_operands_do_not_become_immediates() {
    let mut graph = access(&[0x66, 0x03, 0x05], PLAIN, absolute(0x1000), -4);
    X86_64.relax(&mut graph, &LINKED);
    assert_eq!(kinds(&graph), [PLAIN]);
}

#[test]
fn only_the_addend_of_a_whole_entry_is_relaxed() {
    for addend in [-5, -3, 0, 4, i64::MIN] {
        let mut graph = access(&[0x48, 0x8b, 0x05], REX, NEAR, addend);
        X86_64.relax(&mut graph, &LINKED);
        assert_eq!(kinds(&graph), [REX], "{addend}");
    }
}

#[test]
fn relaxed_displacements_reach_across_the_whole_memory() {
    let size = (1 << 31) - 5;
    let mut memory = LINKED;
    memory.all.end = memory.all.start.offset(size);
    for &(start, before, after, _) in DIRECT {
        let mut graph = access(start, before, NEAR, -4);
        X86_64.relax(&mut graph, &memory);
        assert_eq!(kinds(&graph), [after], "{start:x?}");
        let mut code = [start, &[0; 4]].concat();
        for (address, target) in [(CODE, CODE + size), (CODE + size, CODE)] {
            let fixup = Fixup { offset: start.len(), address, target, ..fixup_of_value(after, -4) };
            code[..start.len()].copy_from_slice(start);
            assert_eq!(X86_64.apply(&fixup, &mut code), Ok(()), "{start:x?}");
        }
        let larger = Reach { all: crate::base::AddrRange::new(memory.all.start, size + 1), ..memory };
        let mut graph = access(start, before, NEAR, -4);
        X86_64.relax(&mut graph, &larger);
        assert_eq!(kinds(&graph), [before], "{start:x?}");
    }
}

#[test]
fn branches_reach_as_far_as_is_said() {
    let farthest = X86_64.branch_reach() as i64 - 1;
    for distance in [farthest, -farthest] {
        let value = distance + X86_64.branch_addend();
        assert!(apply_value(kind::BRANCH_PCREL32, value).is_ok(), "{distance:#x}");
    }
}

#[test]
fn relaxed_kinds_use_the_address_of_a_function() {
    for kind in [kind::RELAXED_LEA, kind::RELAXED_CALL, kind::RELAXED_JUMP] {
        let class = X86_64.edge_kinds()[usize::from(kind.0)].class;
        assert_eq!(class, EdgeClass::Address);
    }
}

#[test]
fn stub_jumps_through_its_pointer() {
    let shape = X86_64.pointer_jump_stub();
    let edges: Vec<_> = shape.edges.iter().map(|e| (e.offset, e.kind, 0, e.addend)).collect();
    let graph = graph(&X86_64, shape.code, &[NEAR], &edges);
    let bytes = apply_all(&X86_64, &graph, CODE + 0x1006).unwrap();
    assert_eq!(bytes, [0xff, 0x25, 0x00, 0x10, 0, 0, 0xcc, 0xcc]);
    assert_eq!(shape.stride as usize, bytes.len());
}

#[test]
fn trampoline_calls_the_reentry_function() {
    let shape = X86_64.reentry_trampoline().unwrap();
    let edges: Vec<_> = shape.edges.iter().map(|e| (e.offset, e.kind, 0, e.addend)).collect();
    let graph = graph(&X86_64, shape.code, &[NEAR], &edges);
    let bytes = apply_all(&X86_64, &graph, CODE + 0x1005).unwrap();
    assert_eq!(bytes, [0xe8, 0x00, 0x10, 0, 0, 0xcc, 0xcc, 0xcc]);
    assert_eq!(shape.stride as usize, bytes.len());
}

#[test]
fn relative_kinds_do_not_notice_a_move() {
    let tried = super::super::testing::relative_kinds_are_those_that_do_not_notice_a_move(&X86_64, &[0]);
    assert!(tried > 15, "{tried}");
}

#[test]
fn branches_are_told_by_the_kind_or_by_the_instruction() {
    for (before, kind, is_call) in [
        (&[0xe8][..], kind::DELTA32, true),
        (&[0xe9], kind::DELTA32, true),
        (&[0x0f, 0x84], kind::DELTA32, true),
        (&[0x0f, 0x94], kind::DELTA32, false),
        (&[0x84], kind::DELTA32, false),
        (&[0x48, 0x8d, 0x3d], kind::DELTA32, false),
        (&[0xff, 0x15], kind::DELTA32, false),
        (&[], kind::DELTA32, false),
        (&[0xe8], kind::POINTER32, false),
        (&[0x0f, 0x84], kind::BRANCH_PCREL32, true),
        (&[], kind::BRANCH_PCREL32, true),
    ] {
        let code = [before, &[0; 4]].concat();
        assert_eq!(
            X86_64.is_call(kind, &code, before.len()),
            is_call,
            "{before:x?} {}",
            X86_64.edge_kinds()[usize::from(kind.0)].name
        );
    }
    assert!(!X86_64.is_call(kind::DELTA32, &[0xe8], 9));
}
