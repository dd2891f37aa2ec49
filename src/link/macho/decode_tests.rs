//! Relocations with targets and addends of all sorts.

use super::testing::*;
use crate::base::Arch::{self, Aarch64, X86_64};
use crate::link::object_file::ObjectFile;
use crate::link::{EdgeClass, EdgeKind, arch};

/// Type numbers.
const UNSIGNED: u8 = 0;
const SIGNED: u8 = 1;
const ADDEND: u8 = 10;

/// What an edge goes to: section and offset, or the name of a symbol elsewhere and an addend.
fn target(file: &ObjectFile, edge: &crate::link::object_file::ObjectEdge) -> (String, i64) {
    let symbol = file.symbols.at(edge.symbol as usize);
    match symbol.place {
        crate::link::object_file::ObjectPlace::Section(section) => {
            (format!("piece {section}"), edge.addend.wrapping_add_unsigned(symbol.value))
        }
        _ => (String::from_utf8_lossy(symbol.name).into_owned(), edge.addend),
    }
}

/// The numbers of the type that subtracts.
fn subtractor(arch: Arch) -> u8 {
    if arch == X86_64 { 5 } else { 1 }
}

#[test]
fn places_in_sections_are_found_by_address() {
    // Section 2 is at 16 and falls into pieces at 16 and 24: pieces 1 and 2.
    for (address, expected) in [
        (16, ("piece 1", 0)),
        (20, ("piece 1", 4)),
        (24, ("piece 2", 0)),
        (32, ("piece 2", 8)),
        (40, ("piece 2", 16)),
        (8, ("piece 1", -8)),
    ] {
        let mut code = data(&(address as u64).to_le_bytes());
        code.relocations.push(relocation(0, UNSIGNED, false, 3, false, 2));
        let other = TestSection { align_log: 4, ..data(&[0; 16]) };
        let file = TestFile::new(Aarch64, vec![code, other], vec![TestSymbol("_s", SECT, 2, 0, 24)]).read();
        let edges = edges(&file, 0).unwrap();
        assert_eq!(target(&file, &edges[0]), (expected.0.to_string(), expected.1), "{address}");
    }
}

#[test]
fn displacements_into_sections_count_from_the_end_of_the_instruction() {
    // The type says how many bytes of immediate follow the displacement.
    for (r_type, immediate) in [(SIGNED, 0), (6, 1), (7, 2), (8, 4), (2, 0)] {
        // From the end of the instruction to address 20 of the file.
        let displacement = 20i32 - (4 + 4 + immediate);
        let mut code = text(&[[0; 4], displacement.to_le_bytes()].concat());
        code.content.resize(16, 0);
        code.relocations.push(relocation(4, r_type, true, 2, false, 2));
        let file = TestFile::new(X86_64, vec![code, data(&[0; 8])], Vec::new()).read();
        let edge = edges(&file, 0).unwrap()[0];
        // T - P + A is the displacement again when nothing moves: T is 16, P is 4.
        assert_eq!(target(&file, &edge).0, "piece 1", "{r_type}");
        assert_eq!(16 - 4 + edge.addend, i64::from(displacement), "{r_type}");
    }
}

#[test]
fn addends_in_front_belong_to_the_next_relocation() {
    for (number, addend) in [(0, 0), (1, 1), (0x7f_ffff, 0x7f_ffff), (0x80_0000, -0x80_0000), (0xff_ffff, -1)] {
        let mut code = text(&0x9000_0000u32.to_le_bytes());
        code.relocations.push(relocation(0, ADDEND, false, 2, false, number));
        code.relocations.push(relocation(0, 3, true, 2, true, 0));
        let file = TestFile::new(Aarch64, vec![code], vec![TestSymbol("_t", EXT, 0, 0, 0)]).read();
        assert_eq!(edges(&file, 0).unwrap()[0].addend, addend);
    }
}

/// A file with two sections: in the first, of 16 bytes, a difference of `length` at offset 8 that holds `value`; the symbols `_a` at its
/// offset 4, an alternative entry, `_b` at 4 of the second, `_c` elsewhere.
fn difference(arch: Arch, length: u8, value: i64, (minuend, subtrahend): (u32, u32)) -> TestFile {
    let mut first = data(&[0; 16]);
    let size = 1 << length;
    first.content[8..8 + size].copy_from_slice(&value.to_le_bytes()[..size]);
    first.relocations.push(relocation(8, subtractor(arch), false, length, true, subtrahend));
    first.relocations.push(relocation(8, UNSIGNED, false, length, true, minuend));
    TestFile::new(
        arch,
        vec![first, data(&[0; 8])],
        vec![TestSymbol("_a", SECT, 1, 0x200, 4), TestSymbol("_b", SECT, 2, 0x200, 20), TestSymbol("_c", EXT, 0, 0, 0)],
    )
}

#[test]
fn differences_count_from_the_place_whichever_symbol_is_near() {
    for arch in [X86_64, Aarch64] {
        for (length, delta, negative) in [(2, "Delta32", "NegDelta32"), (3, "Delta64", "NegDelta64")] {
            // _c - _a + 100: _a is at P - 4.
            let file = difference(arch, length, 100, (2, 0)).read();
            let edge = edges(&file, 0).unwrap()[0];
            assert!(kind_name(arch, &edge).starts_with(delta), "{}", kind_name(arch, &edge));
            assert_eq!(target(&file, &edge), ("_c".into(), 104));
            // _a - _c - 100.
            let file = difference(arch, length, -100, (0, 2)).read();
            let edge = edges(&file, 0).unwrap()[0];
            assert_eq!(kind_name(arch, &edge), negative);
            assert_eq!(target(&file, &edge), ("_c".into(), -104));
            // _b - _a, _b being in the other section at 4.
            let file = difference(arch, length, 0, (1, 0)).read();
            assert_eq!(target(&file, &edges(&file, 0).unwrap()[0]), ("piece 1".into(), 8));
        }
    }
}

#[test]
fn differences_of_two_symbols_elsewhere_are_refused() {
    for (minuend, subtrahend) in [(1, 2), (2, 1), (2, 2)] {
        let file = difference(X86_64, 3, 0, (minuend, subtrahend)).read();
        let error = edges(&file, 0).expect_err("refused").to_string();
        assert!(error.contains("X86_64_RELOC_SUBTRACTOR subtracts two symbols"), "{error}");
    }
}

#[test]
fn halves_of_pairs_and_wrong_pairs_are_refused() {
    let refused = |relocations: &[object::macho::RelocationInfo], expected: &str| {
        let mut section = text(&[0x90; 16]);
        section.relocations.extend(relocations);
        let file = TestFile::new(Aarch64, vec![section], vec![TestSymbol("_t", EXT, 0, 0, 0)]).read();
        let error = edges(&file, 0).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    };
    let addend = relocation(0, ADDEND, false, 2, false, 4);
    let minus = relocation(8, 1, false, 3, true, 0);
    refused(&[addend], "ARM64_RELOC_ADDEND is the first of a pair, whose second is missing");
    refused(&[minus], "ARM64_RELOC_SUBTRACTOR is the first of a pair, whose second is missing");
    refused(&[addend, relocation(4, 3, true, 2, true, 0)], "whose second is missing");
    refused(&[addend, relocation(0, UNSIGNED, false, 3, true, 0)], "takes no addend");
    refused(&[minus, relocation(8, UNSIGNED, false, 2, true, 0)], "nothing can be subtracted from");
    refused(&[minus, minus], "nothing can be subtracted from");
}

#[test]
fn relocations_outside_of_pieces_and_tables_are_refused() {
    let refused = |info: object::macho::RelocationInfo, expected: &str| {
        let mut section = data(&[0; 16]);
        section.relocations.push(info);
        let file = TestFile::new(X86_64, vec![section], vec![TestSymbol("_t", SECT, 1, 0, 8)]).read();
        let all: Vec<_> = (0..2).map(|piece| edges(&file, piece)).collect();
        let error = all.into_iter().find_map(Result::err).expect("refused").to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(
        relocation(4, UNSIGNED, false, 3, true, 0),
        "does not lie in one piece of the section: this one has the bytes 0x0 to 0x8",
    );
    refused(
        relocation(12, UNSIGNED, false, 3, true, 0),
        "does not lie in one piece of the section: this one has the bytes 0x8 to 0x10",
    );
    refused(relocation(100, UNSIGNED, false, 3, true, 0), "does not lie in one piece");
    refused(relocation(0x8000_0000, UNSIGNED, false, 3, true, 0), "is a scattered relocation");
    refused(relocation(0, UNSIGNED, false, 3, true, 1), "refers to symbol 1, which does not exist");
    refused(relocation(0, UNSIGNED, false, 3, false, 2), "refers to section 2, which does not exist");
    refused(relocation(0, 3, true, 2, false, 1), "names a section, but needs a symbol");
}

#[test]
fn relocations_of_zero_filled_sections_are_refused() {
    let mut section = TestSection { zero_fill: 8, flags: 1, ..data(&[]) };
    section.relocations.push(relocation(0, UNSIGNED, false, 3, true, 0));
    let file = TestFile::new(X86_64, vec![section], vec![TestSymbol("_t", EXT, 0, 0, 0)]).read();
    assert!(edges(&file, 0).expect_err("refused").to_string().contains("a section without content"));
}

#[test]
fn absolute_pointers_need_nothing() {
    let mut section = data(&[7; 8]);
    section.relocations.push(relocation(0, UNSIGNED, false, 3, false, 0));
    assert!(edges(&TestFile::new(X86_64, vec![section], Vec::new()).read(), 0).unwrap().is_empty());
}

#[test]
fn edges_are_ascending_whatever_the_order_in_the_file() {
    let mut section = data(&[0; 32]);
    section.relocations.extend([24, 0, 16, 8].map(|at| relocation(at, UNSIGNED, false, 3, true, 0)));
    let file =
        TestFile::new(X86_64, vec![section], vec![TestSymbol("_t", EXT, 0, 0, 0), TestSymbol("_s", SECT, 1, 0, 16)]);
    let read = file.read();
    let offsets: Vec<Vec<u32>> = (0..2).map(|p| edges(&read, p).unwrap().iter().map(|e| e.offset).collect()).collect();
    assert_eq!(offsets, [[0, 8], [0, 8]]);
}

#[test]
fn descriptors_of_variables_hold_offsets_of_their_initial_values() {
    for arch in [X86_64, Aarch64] {
        let mut vars = TestSection { flags: 0x13, name: "__thread_vars", ..data(&[0; 24]) };
        vars.relocations.push(relocation(16, UNSIGNED, false, 3, true, 1));
        vars.relocations.push(relocation(0, UNSIGNED, false, 3, true, 0));
        let init = TestSection { flags: 0x11, name: "__thread_data", ..data(&[0; 8]) };
        let symbols = vec![TestSymbol("__tlv_bootstrap", EXT, 0, 0, 0), TestSymbol("_x$tlv$init", SECT, 2, 0, 28)];
        let file = TestFile::new(arch, vec![vars, init], symbols).read();
        let edges = edges(&file, 0).unwrap();
        let found: Vec<_> = edges.iter().map(|e| (e.offset, kind_name(arch, e), target(&file, e))).collect();
        let expected = [
            (0, "Pointer64", ("__tlv_bootstrap".to_string(), 0)),
            (16, "ThreadPointerDelta64", ("piece 1".to_string(), 4)),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn only_bare_pointers_of_32_bits_want_low_addresses() {
    let wants = |relocations: &[object::macho::RelocationInfo], mut budget: usize| {
        let mut section = data(&[0; 16]);
        section.relocations.extend(relocations);
        let file = TestFile::new(X86_64, vec![section], vec![TestSymbol("_t", SECT, 1, 0x200, 0)]).read();
        let kinds = arch::of(X86_64).unwrap().edge_kinds();
        let mut is_low = |kind: EdgeKind, _| kinds[usize::from(kind.0)].class == EdgeClass::LowAddress;
        (file.has_edge(file.view(), &mut budget, &mut is_low), budget)
    };
    let (pointer, narrow) = (relocation(0, UNSIGNED, false, 3, true, 0), relocation(8, UNSIGNED, false, 2, true, 0));
    let minus = relocation(8, 5, false, 2, true, 0);
    assert_eq!(wants(&[pointer, minus, narrow], 10), (false, 7));
    assert!(wants(&[pointer, narrow], 10).0);
    assert_eq!(wants(&[pointer, narrow], 1), (false, 0));
}

#[test]
fn the_inside_of_a_function_is_a_place_in_its_piece() {
    let inside = |arch: Arch, content: &[u8], relocations: &[object::macho::RelocationInfo]| {
        let mut code = text(content);
        code.relocations.extend(relocations);
        let other = TestSection { name: "__more", ..text(&[0x90; 8]) };
        let file = TestFile::new(arch, vec![code, other], vec![TestSymbol("_f", SECT | EXT, 2, 0, 16)]).read();
        let edge = edges(&file, 0).unwrap()[0];
        (file.symbols.at(edge.symbol as usize).name.is_empty(), edge.addend)
    };
    let branch = relocation(0, 2, true, 2, true, 0);
    assert_eq!(inside(X86_64, &0i32.to_le_bytes(), &[branch]), (false, -4));
    assert_eq!(inside(X86_64, &1i32.to_le_bytes(), &[branch]), (true, -3));
    // An immediate of 4 bytes behind the displacement: the function itself, and its second byte.
    let signed4 = relocation(0, 8, true, 2, true, 0);
    assert_eq!(inside(X86_64, &(-4i32).to_le_bytes(), &[signed4]), (false, -8));
    assert_eq!(inside(X86_64, &(-3i32).to_le_bytes(), &[signed4]), (true, -7));
    let bl = 0x9400_0000u32.to_le_bytes();
    assert_eq!(inside(Aarch64, &bl, &[branch]), (false, 0));
    assert_eq!(inside(Aarch64, &bl, &[relocation(0, ADDEND, false, 2, false, 4), branch]), (true, 4));
}
