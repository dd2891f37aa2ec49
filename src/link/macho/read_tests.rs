//! Reading whole files: what is refused, how sections fall into pieces, what symbols are.

use super::testing::*;
use crate::base::Arch::{self, Aarch64, X86_64};
use crate::base::MemProt;
use crate::link::object_file::{ObjectFile, ObjectPlace, SectionKind, SymbolKind};
use crate::link::{Linkage, Scope, read_object, target_of};
use object::macho;

/// `N_ALT_ENTRY`, `N_NO_DEAD_STRIP`, `N_WEAK_DEF`, `N_WEAK_REF`, `N_SYMBOL_RESOLVER`.
const ALT: u16 = 0x200;
const NO_DEAD_STRIP: u16 = 0x20;
const WEAK_DEF: u16 = 0x80;
const WEAK_REF: u16 = 0x40;
const RESOLVER: u16 = 0x100;
/// `N_ABS`, `N_INDR`, `N_PEXT`.
const ABS: u8 = 2;
const INDR: u8 = 0xa;
const PEXT: u8 = 0x10;

/// Offsets and sizes of the pieces of a file with one section.
fn pieces(file: &ObjectFile) -> Vec<(u64, u64)> {
    let mut at = 0;
    let piece = |size: u64| {
        at += size;
        (at - size, size)
    };
    file.sections.iter().map(|section| section.size).map(piece).collect()
}

/// Cuts `section` at symbols with these offsets and descriptions.
fn cut(section: TestSection, symbols: &[(u64, u16)]) -> TestFile {
    let symbol = |&(offset, desc): &(u64, u16)| TestSymbol("_s", SECT, 1, desc, offset);
    TestFile::new(X86_64, vec![section], symbols.iter().map(symbol).collect())
}

fn of_type(typ: u32, section: TestSection) -> TestSection {
    TestSection { flags: section.flags & !0xff | typ, ..section }
}

#[test]
fn both_architectures_are_recognized() {
    for arch in [X86_64, Aarch64] {
        let file = TestFile::new(arch, vec![text(&[0; 4])], Vec::new());
        assert_eq!(target_of(file.bytes()).map(|target| target.arch), Some(arch));
        assert_eq!(file.read().target.arch, arch);
    }
}

#[test]
fn other_kinds_of_files_are_refused_by_name() {
    let good = TestFile::new(Aarch64, vec![text(&[0; 4])], Vec::new());
    let of_type = |file_type| TestFile { file_type, ..good.clone() }.bytes().to_vec();
    let patched = |at: usize, byte: u8| {
        let mut bytes = good.bytes().to_vec();
        bytes[at] = byte;
        bytes
    };
    let rows = [
        (of_type(6), "is a dynamic library"),
        (of_type(2), "is an executable"),
        (of_type(8), "is a bundle"),
        (of_type(4), "is a core dump"),
        (of_type(10), "holds debug information only"),
        (of_type(77), "is a Mach-O file of another type"),
        (patched(4, 7), "is for x86_64"),
        (patched(4, 18), "Mach-O CPU type 0x1000012: Architecture not supported"),
        (patched(0, 0xce), "is a 32-bit Mach-O file"),
        (vec![0xfe, 0xed, 0xfa, 0xcf, 0, 0, 0, 0], "is a big-endian Mach-O file"),
        (good.bytes()[..20].to_vec(), "the file ends inside it"),
    ];
    for (bytes, expected) in rows {
        match read_object("file.o", bytes.leak()) {
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
            // The same file is a good one for the other architecture.
            Ok(file) => assert_eq!((expected, file.unwrap().target.arch), ("is for x86_64", X86_64)),
        }
    }
}

#[test]
fn sections_are_cut_at_symbols_only_where_the_file_says_so() {
    let file = cut(text(&[0x90; 24]), &[(0, 0), (8, 0), (8, 0), (12, ALT), (16, 0), (24, 0)]);
    assert_eq!(pieces(&file.read()), [(0, 8), (8, 8), (16, 8)]);
    assert_eq!(pieces(&TestFile { subsections: false, ..file }.read()), [(0, 24)]);
}

#[test]
fn what_comes_before_the_first_symbol_is_a_piece() {
    assert_eq!(pieces(&cut(data(&[0; 16]), &[(12, 0)]).read()), [(0, 12), (12, 4)]);
}

#[test]
fn sections_without_symbols_and_empty_ones_are_one_piece() {
    assert_eq!(pieces(&cut(data(&[0; 16]), &[]).read()), [(0, 16)]);
    assert_eq!(pieces(&cut(data(&[]), &[(0, 0)]).read()), [(0, 0)]);
}

#[test]
fn pieces_keep_their_place_modulo_the_alignment() {
    let read = cut(text(&[0x90; 40]), &[(0, 0), (20, 0), (32, 0)]).read();
    let places: Vec<_> = read.sections.iter().map(|section| (section.align, section.align_offset)).collect();
    assert_eq!(places, [(16, 0), (16, 4), (16, 0)]);
}

#[test]
fn strings_are_cut_behind_their_zeros() {
    let strings = TestSection { segment: "__TEXT", name: "__cstring", ..of_type(2, data(b"ab\0\0cde\0f")) };
    let file = cut(strings, &[(5, 0)]);
    assert_eq!(pieces(&file.read()), [(0, 3), (3, 1), (4, 1), (5, 3), (8, 1)]);
    assert_eq!(pieces(&TestFile { subsections: false, ..file }.read()), [(0, 9)]);
}

#[test]
fn literals_are_cut_by_their_size() {
    for (typ, size) in [(3, 4), (4, 8), (0xe, 16)] {
        let count = |length: u64| {
            pieces(&cut(of_type(typ, data(&vec![0; length as usize])), &[]).read())
                .iter()
                .map(|p| p.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(count(3 * size), [size; 3]);
        assert_eq!(count(size), [size]);
        // A section that ends inside a literal keeps the rest with the last one.
        assert_eq!(count(2 * size + 1), [size, size + 1]);
    }
}

#[test]
fn what_must_stay_together_is_not_cut() {
    // Initial values of thread-local variables, initializers, finalizers.
    for typ in [0x11, 9, 0xa] {
        assert_eq!(pieces(&cut(of_type(typ, data(&[0; 16])), &[(0, 0), (8, 0)]).read()), [(0, 16)]);
    }
}

#[test]
fn pieces_stay_if_their_section_or_a_symbol_in_them_says_so() {
    let kept = |file: TestFile| {
        let file = file.read();
        let stays = (0..file.sections.len() as u32).map(|section| !file.format.may_strip(section));
        stays.collect::<Vec<bool>>()
    };
    let symbols = [(0, 0), (4, NO_DEAD_STRIP), (8, 0), (12, ALT | NO_DEAD_STRIP)];
    assert_eq!(kept(cut(data(&[0; 16]), &symbols)), [false, true, true]);
    for (flags, stays) in [(0, false), (macho::S_ATTR_NO_DEAD_STRIP.0, true), (macho::S_ATTR_LIVE_SUPPORT.0, true)] {
        let section = TestSection { flags, ..data(&[0; 16]) };
        assert_eq!(kept(cut(section, &[(0, 0), (4, 0)])), [stays, stays], "{flags:#x}");
    }
}

#[test]
fn functions_for_each_thread_are_refused() {
    let file = cut(of_type(macho::S_THREAD_LOCAL_INIT_FUNCTION_POINTERS.0.into(), data(&[0; 8])), &[]);
    let message = read_object("file.o", file.bytes()).expect_err("refused").to_string();
    assert!(message.contains("(__DATA,__data): it lists functions to be called in each thread"), "{message}");
}

#[test]
fn zero_filled_sections_are_cut_and_have_no_content() {
    let section = TestSection { zero_fill: 24, ..of_type(1, data(&[])) };
    let read = cut(section, &[(0, 0), (8, 0)]).read();
    assert_eq!(pieces(&read), [(0, 8), (8, 16)]);
    assert!(read.sections.iter().all(|section| section.is_zero_fill() && section.prot == MemProt::ReadWrite));
}

/// Kind and protection of a section.
fn kind(segment: &'static str, name: &'static str, flags: u32) -> (SectionKind, MemProt) {
    let section = TestSection { segment, name, flags, ..data(&[0; 32]) };
    let read = TestFile::new(X86_64, vec![section], Vec::new()).read();
    (read.sections.at(0).kind, read.sections.at(0).prot)
}

#[test]
fn kinds_and_protections_follow_type_flags_and_name() {
    use MemProt::{Read, ReadExec, ReadWrite};
    use SectionKind::{Loaded, ThreadLocal, Unloaded, Unwind};
    for (segment, name, flags, expected, prot) in [
        ("__TEXT", "__text", 0x8000_0400, Loaded, ReadExec),
        ("__TEXT", "__hot", 0x400, Loaded, ReadExec),
        ("__TEXT", "__const", 0, Loaded, Read),
        ("__DATA", "__data", 0, Loaded, ReadWrite),
        ("__DATA", "__const", 0, Loaded, Read),
        ("__DATA_CONST", "__any", 0, Loaded, Read),
        ("__DATA", "__code", 0x8000_0000, Loaded, ReadExec),
        ("__DATA", "__thread_vars", 0x13, Loaded, ReadWrite),
        ("__DATA", "__thread_data", 0x11, ThreadLocal, ReadWrite),
        ("__TEXT", "__textcoal_nt", 0x8000_000b, Loaded, ReadExec),
        ("__DATA", "__datacoal_nt", 0xb, Loaded, ReadWrite),
        ("__DATA", "__keep", 0x1000_0000, Loaded, ReadWrite),
        ("__TEXT", "__eh_frame", 0x6800_000b, Unwind, Read),
        ("__LD", "__compact_unwind", 0x0200_0000, Unwind, ReadWrite),
        ("__LD", "__other", 0, Unloaded, ReadWrite),
        ("__DWARF", "__debug_info", 0x0200_0000, Unloaded, ReadWrite),
        ("__LLVM", "__bitcode", 0, Unloaded, ReadWrite),
    ] {
        let found = kind(segment, name, flags);
        assert_eq!(found.0, expected, "{name}");
        if expected != Unloaded && expected != Unwind {
            assert_eq!(found.1, prot, "{name}");
        }
    }
    assert!(matches!(kind("__DATA", "__mod_init_func", 9), (SectionKind::Initializers(_), Read)));
    assert!(matches!(kind("__DATA", "__mod_term_func", 0xa), (SectionKind::Finalizers(_), Read)));
}

#[test]
fn memory_that_is_writable_and_executable_is_refused() {
    let section = TestSection { flags: 0x8400_0400, ..text(&[0; 4]) };
    let bytes = TestFile::new(X86_64, vec![section], Vec::new()).bytes();
    let error = read_object("file.o", bytes).expect_err("refused").to_string();
    assert!(error.contains("section 1 (__TEXT,__text): it asks for memory that is writable and executable"), "{error}");
}

/// The symbol that `symbol` becomes, in a file whose section 1 has instructions and section 2 data.
fn symbol(symbol: TestSymbol) -> crate::link::ObjectSymbol {
    let sections = vec![text(&[0; 16]), data(&[0; 16])];
    TestFile::new(X86_64, sections, vec![symbol, TestSymbol("_next", SECT, 1, 0, 8)]).read().symbols.at(0)
}

#[test]
fn symbols_are_what_their_types_say() {
    use Linkage::{Strong, Weak};
    use Scope::{Default, Hidden, Local};
    for (given, place, scope, linkage, kind) in [
        (TestSymbol("_f", SECT | EXT, 1, 0, 0), ObjectPlace::Section(0), Default, Strong, SymbolKind::Function),
        (TestSymbol("_f", SECT, 1, 0, 0), ObjectPlace::Section(0), Local, Strong, SymbolKind::Function),
        (TestSymbol("_f", SECT | EXT, 1, WEAK_DEF, 0), ObjectPlace::Section(0), Default, Weak, SymbolKind::Function),
        (TestSymbol("_f", SECT, 1, WEAK_DEF, 0), ObjectPlace::Section(0), Local, Weak, SymbolKind::Function),
        (TestSymbol("_f", SECT | EXT | PEXT, 1, 0, 0), ObjectPlace::Section(0), Hidden, Strong, SymbolKind::Function),
        (TestSymbol("_f", SECT | PEXT, 1, 0, 0), ObjectPlace::Section(0), Local, Strong, SymbolKind::Function),
        (TestSymbol("l_f", SECT | EXT, 1, 0, 0), ObjectPlace::Section(0), Hidden, Strong, SymbolKind::Function),
        (
            TestSymbol("_r", SECT | EXT, 1, RESOLVER, 0),
            ObjectPlace::Section(0),
            Default,
            Strong,
            SymbolKind::IndirectFunction,
        ),
        (TestSymbol("_d", SECT | EXT, 2, 0, 16), ObjectPlace::Section(2), Default, Strong, SymbolKind::Data),
        (TestSymbol("_a", ABS | EXT, 0, 0, 0x123), ObjectPlace::Absolute, Default, Strong, SymbolKind::Data),
        (TestSymbol("_u", EXT, 0, 0, 0), ObjectPlace::Undefined, Default, Strong, SymbolKind::Data),
        (TestSymbol("_u", EXT, 0, WEAK_REF, 0), ObjectPlace::Undefined, Default, Weak, SymbolKind::Data),
    ] {
        let found = symbol(given);
        let TestSymbol(name, ..) = given;
        assert_eq!(found.name, name.as_bytes());
        assert_eq!((found.place, found.scope, found.linkage, found.kind), (place, scope, linkage, kind), "{name}");
    }
    assert_eq!(symbol(TestSymbol("_a", ABS | EXT, 0, 0, 0x123)).value, 0x123);
    assert_eq!(symbol(TestSymbol("_f", SECT | EXT, 1, 0, 0)).size, 8);
}

#[test]
fn common_symbols_get_memory_with_their_alignment() {
    for (desc, size, align) in [(0x300, 12, 8), (0xf00, 1, 1 << 15), (0, 1, 1), (0, 12, 16), (0, 100, 16)] {
        let file = TestFile::new(X86_64, vec![data(&[0; 4])], vec![TestSymbol("_c", EXT, 0, desc, size)]).read();
        assert_eq!(file.symbols.at(0).place, ObjectPlace::Common(1));
        let section = file.sections.at(1);
        assert_eq!((section.kind, section.size, section.align), (SectionKind::Common, size, align));
        assert!(section.is_zero_fill());
    }
}

#[test]
fn indirect_symbols_stand_for_others() {
    // The value is where the other's name is in the string table: behind those of the first two.
    let names = |other| TestFile::new(X86_64, vec![data(&[0; 4])], vec![TestSymbol("_a", INDR | EXT, 0, 0, 4), other]);
    let file = names(TestSymbol("_b", EXT, 0, 0, 0)).read();
    assert_eq!(file.symbols.at(0).place, ObjectPlace::Alias(1));
    // Without a symbol of that name there is one in the end.
    let file = names(TestSymbol("__b", EXT, 0, 0, 0));
    let file = TestFile { symbols: vec![TestSymbol("_a", INDR | EXT, 0, 0, 5), file.symbols[1]], ..file }.read();
    let last = file.symbols.len() - 1;
    assert_eq!(file.symbols.at(0).place, ObjectPlace::Alias(last as u32));
    assert_eq!((file.symbols.at(last).name, file.symbols.at(last).place), (&b"_b"[..], ObjectPlace::Undefined));
    let file = TestFile::new(X86_64, vec![data(&[0; 4])], vec![TestSymbol("_a", INDR | EXT, 0, 0, 99)]);
    assert!(read_object("file.o", file.bytes()).is_err());
}

#[test]
fn debugging_entries_are_placeholders_that_keep_numbers() {
    let file = TestFile::new(
        X86_64,
        vec![text(&[0; 8])],
        vec![TestSymbol("/src", 0x64, 0, 0, 0), TestSymbol("_f", SECT | EXT, 1, 0, 4)],
    );
    let read = file.read();
    assert!(!read.symbols.at(0).is_global() && read.symbols.at(0).name.is_empty());
    assert_eq!(read.symbols.at(1).name, b"_f");
    // One more for each piece.
    assert_eq!(read.symbols.len(), 2 + 2);
}

#[test]
fn data_among_instructions_is_no_function() {
    let symbols = vec![TestSymbol("_f", SECT | EXT, 1, 0, 0), TestSymbol("_table", SECT | EXT, 1, 0, 8)];
    let mut file = TestFile::new(Aarch64, vec![text(&[0; 16])], symbols);
    file.data_in_code.push((8, 8));
    let kinds: Vec<_> = file.read().symbols.iter().take(2).map(|symbol| symbol.kind).collect();
    assert_eq!(kinds, [SymbolKind::Function, SymbolKind::Data]);
}

#[test]
fn symbols_in_no_section_or_outside_of_theirs_are_errors() {
    for (symbol, expected) in [
        (TestSymbol("_s", SECT, 9, 0, 0), "it is in section 9, which does not exist"),
        (TestSymbol("_s", SECT, 0, 0, 0), "it is in section 0, which does not exist"),
        (TestSymbol("_s", SECT, 1, 0, 17), "its address 0x11 is outside of section 1"),
        (TestSymbol("_s", 4, 0, 0, 0), "its type 0x4 is unknown"),
    ] {
        let bytes = TestFile::new(X86_64, vec![text(&[0; 16])], vec![symbol]).bytes();
        let error = read_object("file.o", bytes).expect_err("refused").to_string();
        assert!(error.starts_with("In file.o, symbol 0") && error.contains(expected), "{error}");
    }
}

#[test]
fn damaged_sections_are_errors() {
    let section = |change: fn(&mut TestSection)| {
        let mut section = data(&[0; 16]);
        change(&mut section);
        TestFile::new(X86_64, vec![section], Vec::new())
    };
    let error = |file: TestFile| read_object("file.o", file.bytes()).expect_err("refused").to_string();
    assert!(error(section(|s| s.align_log = 31)).contains("alignment 2^31"));
    assert!(error(section(|s| s.zero_fill = 1 << 40)).contains("it leaves the file"));
    assert!(error(section(|s| (s.zero_fill, s.flags) = (1 << 48, 1))).contains("exceed any address space"));
    // A row of pointers without its part of the indirect symbol table.
    assert!(error(section(|s| s.flags = 6)).contains("indirect symbol"));
}

#[test]
fn rows_of_pointers_refer_to_the_symbols_of_the_indirect_table() {
    let section = TestSection { flags: 6, indirect: 1, ..data(&[0; 16]) };
    let symbols = vec![TestSymbol("_a", EXT, 0, 0, 0), TestSymbol("_b", EXT, 0, 0, 0)];
    let file = TestFile { indirect: vec![9, 1, 0], ..TestFile::new(X86_64, vec![section], symbols) };
    let read = file.read();
    let targets: Vec<_> =
        (0..2).map(|piece| edges(&read, piece).unwrap()).map(|e| (e.len(), e[0].offset, e[0].symbol)).collect();
    assert_eq!(targets, [(1, 0, 1), (1, 0, 0)]);
    assert_eq!(kind_name(X86_64, &edges(&read, 0).unwrap()[0]), "Pointer64");
    for entry in [2, 0x8000_0000] {
        let file = TestFile { indirect: vec![9, 1, entry], ..file.clone() };
        assert!(edges(&file.read(), 1).is_err(), "{entry:#x}");
    }
}

#[test]
fn offsets_of_initializers_become_pointers() {
    let mut section = TestSection { flags: 0x16, name: "__init_offsets", ..data(&[0; 8]) };
    for (offset, symbol) in [(0, 0), (4, 1)] {
        section.relocations.push(relocation(offset, 5, false, 2, true, 2));
        section.relocations.push(relocation(offset, 0, false, 2, true, symbol));
    }
    let symbols = ["_a", "_b", "___dso_handle"].map(|name| TestSymbol(name, EXT, 0, 0, 0));
    let read = TestFile::new(X86_64, vec![section], symbols.to_vec()).read();
    assert!(matches!(read.sections.at(0).kind, SectionKind::Initializers(_)));
    assert_eq!((read.sections.at(0).size, read.sections.at(0).content), (16, &[0; 16][..]));
    let edges = edges(&read, 0).unwrap();
    let found: Vec<_> = edges.iter().map(|e| (kind_name(X86_64, e), e.offset, e.symbol, e.addend)).collect();
    assert_eq!(found, [("Pointer64", 0, 0, 0), ("Pointer64", 8, 1, 0)]);
}

#[test]
fn every_architecture_reads_an_empty_file() {
    for arch in [X86_64, Aarch64] {
        let read = TestFile::new(arch, Vec::new(), Vec::new()).read();
        assert!(read.sections.is_empty() && read.symbols.is_empty());
    }
    assert!(super::relocation::of(Arch::Riscv64).is_none());
}
