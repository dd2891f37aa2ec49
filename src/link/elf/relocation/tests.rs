//! The tables against the numbers of the `object` package and the kinds' names.

use super::{Translation, of};
use crate::base::Arch;
use crate::link::TableCopies;
use crate::link::arch;
use crate::link::edge::{EdgeClass, EdgeKind};
use object::elf;

/// What a relocation type means, in words.
fn meaning(arch: Arch, r_type: u32) -> &'static str {
    match of(arch).unwrap().translate(r_type) {
        Translation::Nothing => "nothing",
        Translation::Edge(kind) | Translation::InModule(kind) | Translation::ByPlace { code: kind, .. } => {
            arch::of(arch).unwrap().edge_kinds()[usize::from(kind.0)].name
        }
        Translation::Unsupported => "unsupported",
    }
}

/// A relocation type's name, number and meaning.
type Row = (&'static str, u32, &'static str);

/// Rows from names and meanings.
macro_rules! meanings {
    ($($constant:ident $meaning:literal;)*) => {
        &[$((stringify!($constant), elf::$constant.0, $meaning)),*]
    };
}

const X86_64: &[Row] = meanings! {
    R_X86_64_NONE "nothing";
    R_X86_64_64 "Pointer64";
    R_X86_64_PC32 "Delta32";
    R_X86_64_GOT32 "RequestGOTAndTransformToDelta32FromGOT";
    R_X86_64_PLT32 "BranchPCRel32";
    R_X86_64_COPY "unsupported";
    R_X86_64_GLOB_DAT "unsupported";
    R_X86_64_JUMP_SLOT "unsupported";
    R_X86_64_RELATIVE "unsupported";
    R_X86_64_GOTPCREL "RequestGOTAndTransformToDelta32";
    R_X86_64_32 "Pointer32";
    R_X86_64_32S "Pointer32Signed";
    R_X86_64_16 "Pointer16";
    R_X86_64_PC16 "Delta16";
    R_X86_64_8 "Pointer8";
    R_X86_64_PC8 "Delta8";
    R_X86_64_DTPMOD64 "unsupported";
    R_X86_64_DTPOFF64 "ThreadPointerDelta64";
    R_X86_64_TPOFF64 "ThreadPointerDelta64";
    R_X86_64_TLSGD "RequestTLSIndexInGOTAndTransformToDelta32";
    R_X86_64_TLSLD "RequestTLSModuleInGOTAndTransformToDelta32";
    R_X86_64_DTPOFF32 "ThreadPointerDelta32";
    R_X86_64_GOTTPOFF "RequestTLSOffsetInGOTAndTransformToDelta32REXRelaxable";
    R_X86_64_TPOFF32 "ThreadPointerDelta32";
    R_X86_64_PC64 "Delta64";
    R_X86_64_GOTOFF64 "Delta64FromGOT";
    R_X86_64_GOTPC32 "GOTDelta32";
    R_X86_64_GOT64 "RequestGOTAndTransformToDelta64FromGOT";
    R_X86_64_GOTPCREL64 "RequestGOTAndTransformToDelta64";
    R_X86_64_GOTPC64 "GOTDelta64";
    R_X86_64_GOTPLT64 "RequestGOTAndTransformToDelta64FromGOT";
    R_X86_64_PLTOFF64 "Delta64FromGOT";
    R_X86_64_SIZE32 "Size32";
    R_X86_64_SIZE64 "Size64";
    R_X86_64_GOTPC32_TLSDESC "RequestTLSDescInGOTAndTransformToDelta32";
    R_X86_64_TLSDESC_CALL "RequestTLSDescInGOTForCall";
    R_X86_64_TLSDESC "unsupported";
    R_X86_64_IRELATIVE "unsupported";
    R_X86_64_RELATIVE64 "unsupported";
    R_X86_64_GOTPCRELX "RequestGOTAndTransformToPCRel32GOTLoadRelaxable";
    R_X86_64_REX_GOTPCRELX "RequestGOTAndTransformToPCRel32GOTLoadREXRelaxable";
    R_X86_64_CODE_4_GOTPCRELX "RequestGOTAndTransformToPCRel32GOTLoadREX2Relaxable";
    R_X86_64_CODE_4_GOTTPOFF "RequestTLSOffsetInGOTAndTransformToDelta32REX2Relaxable";
    R_X86_64_CODE_4_GOTPC32_TLSDESC "RequestTLSDescInGOTAndTransformToDelta32REX2Relaxable";
    R_X86_64_CODE_5_GOTPCRELX "RequestGOTAndTransformToDelta32";
    R_X86_64_CODE_5_GOTTPOFF "RequestTLSOffsetInGOTAndTransformToDelta32";
    R_X86_64_CODE_5_GOTPC32_TLSDESC "unsupported";
    R_X86_64_CODE_6_GOTPCRELX "RequestGOTAndTransformToDelta32";
    R_X86_64_CODE_6_GOTTPOFF "RequestTLSOffsetInGOTAndTransformToDelta32";
    R_X86_64_CODE_6_GOTPC32_TLSDESC "unsupported";
};

const AARCH64: &[Row] = meanings! {
    R_AARCH64_NONE "nothing";
    R_AARCH64_ABS64 "Pointer64";
    R_AARCH64_ABS32 "Pointer32";
    R_AARCH64_ABS16 "Pointer16";
    R_AARCH64_PREL64 "Delta64";
    R_AARCH64_PREL32 "Delta32";
    R_AARCH64_PREL16 "Delta16";
    R_AARCH64_MOVW_UABS_G0 "MoveWide16G0";
    R_AARCH64_MOVW_UABS_G0_NC "MoveWide16G0NoCheck";
    R_AARCH64_MOVW_UABS_G1 "MoveWide16G1";
    R_AARCH64_MOVW_UABS_G1_NC "MoveWide16G1NoCheck";
    R_AARCH64_MOVW_UABS_G2 "MoveWide16G2";
    R_AARCH64_MOVW_UABS_G2_NC "MoveWide16G2NoCheck";
    R_AARCH64_MOVW_UABS_G3 "MoveWide16G3";
    R_AARCH64_MOVW_SABS_G0 "MoveWide16SignedG0";
    R_AARCH64_MOVW_SABS_G1 "MoveWide16SignedG1";
    R_AARCH64_MOVW_SABS_G2 "MoveWide16SignedG2";
    R_AARCH64_LD_PREL_LO19 "LDRLiteral19";
    R_AARCH64_ADR_PREL_LO21 "ADRLiteral21";
    R_AARCH64_ADR_PREL_PG_HI21 "Page21";
    R_AARCH64_ADR_PREL_PG_HI21_NC "Page21NoCheck";
    R_AARCH64_ADD_ABS_LO12_NC "PageOffset12";
    R_AARCH64_LDST8_ABS_LO12_NC "PageOffset12LDST8";
    R_AARCH64_TSTBR14 "TestAndBranch14PCRel";
    R_AARCH64_CONDBR19 "CondBranch19PCRel";
    R_AARCH64_JUMP26 "Branch26PCRel";
    R_AARCH64_CALL26 "Branch26PCRel";
    R_AARCH64_LDST16_ABS_LO12_NC "PageOffset12LDST16";
    R_AARCH64_LDST32_ABS_LO12_NC "PageOffset12LDST32";
    R_AARCH64_LDST64_ABS_LO12_NC "PageOffset12LDST64";
    R_AARCH64_MOVW_PREL_G0 "MoveWide16PCRelG0";
    R_AARCH64_MOVW_PREL_G0_NC "MoveWide16PCRelG0NoCheck";
    R_AARCH64_MOVW_PREL_G1 "MoveWide16PCRelG1";
    R_AARCH64_MOVW_PREL_G1_NC "MoveWide16PCRelG1NoCheck";
    R_AARCH64_MOVW_PREL_G2 "MoveWide16PCRelG2";
    R_AARCH64_MOVW_PREL_G2_NC "MoveWide16PCRelG2NoCheck";
    R_AARCH64_MOVW_PREL_G3 "MoveWide16PCRelG3";
    R_AARCH64_LDST128_ABS_LO12_NC "PageOffset12LDST128";
    R_AARCH64_MOVW_GOTOFF_G0 "RequestGOTAndTransformToMoveWide16G0";
    R_AARCH64_MOVW_GOTOFF_G0_NC "RequestGOTAndTransformToMoveWide16G0NoCheck";
    R_AARCH64_MOVW_GOTOFF_G1 "RequestGOTAndTransformToMoveWide16G1";
    R_AARCH64_MOVW_GOTOFF_G1_NC "RequestGOTAndTransformToMoveWide16G1NoCheck";
    R_AARCH64_MOVW_GOTOFF_G2 "RequestGOTAndTransformToMoveWide16G2";
    R_AARCH64_MOVW_GOTOFF_G2_NC "RequestGOTAndTransformToMoveWide16G2NoCheck";
    R_AARCH64_MOVW_GOTOFF_G3 "RequestGOTAndTransformToMoveWide16G3";
    R_AARCH64_GOTREL64 "Delta64FromGOT";
    R_AARCH64_GOTREL32 "Delta32FromGOT";
    R_AARCH64_GOT_LD_PREL19 "RequestGOTAndTransformToLDRLiteral19";
    R_AARCH64_LD64_GOTOFF_LO15 "RequestGOTAndTransformToOffset15";
    R_AARCH64_ADR_GOT_PAGE "RequestGOTAndTransformToPage21";
    R_AARCH64_LD64_GOT_LO12_NC "RequestGOTAndTransformToPageOffset12";
    R_AARCH64_LD64_GOTPAGE_LO15 "RequestGOTAndTransformToPageOffset15";
    R_AARCH64_PLT32 "FunctionDelta32";
    R_AARCH64_GOTPCREL32 "RequestGOTAndTransformToDelta32";
    R_AARCH64_TLSGD_ADR_PREL21 "RequestTLSIndexInGOTAndTransformToADRLiteral21";
    R_AARCH64_TLSGD_ADR_PAGE21 "RequestTLSIndexInGOTAndTransformToPage21";
    R_AARCH64_TLSGD_ADD_LO12_NC "RequestTLSIndexInGOTAndTransformToPageOffset12";
    R_AARCH64_TLSGD_MOVW_G1 "RequestTLSIndexInGOTAndTransformToMoveWide16G1";
    R_AARCH64_TLSGD_MOVW_G0_NC "RequestTLSIndexInGOTAndTransformToMoveWide16G0NoCheck";
    R_AARCH64_TLSLD_ADR_PREL21 "RequestTLSModuleInGOTAndTransformToADRLiteral21";
    R_AARCH64_TLSLD_ADR_PAGE21 "RequestTLSModuleInGOTAndTransformToPage21";
    R_AARCH64_TLSLD_ADD_LO12_NC "RequestTLSModuleInGOTAndTransformToPageOffset12";
    R_AARCH64_TLSLD_MOVW_G1 "RequestTLSModuleInGOTAndTransformToMoveWide16G1";
    R_AARCH64_TLSLD_MOVW_G0_NC "RequestTLSModuleInGOTAndTransformToMoveWide16G0NoCheck";
    R_AARCH64_TLSLD_LD_PREL19 "RequestTLSModuleInGOTAndTransformToLDRLiteral19";
    R_AARCH64_TLSLD_MOVW_DTPREL_G2 "ThreadPointerOffsetMoveWide16G2";
    R_AARCH64_TLSLD_MOVW_DTPREL_G1 "ThreadPointerOffsetMoveWide16G1";
    R_AARCH64_TLSLD_MOVW_DTPREL_G1_NC "ThreadPointerOffsetMoveWide16G1NoCheck";
    R_AARCH64_TLSLD_MOVW_DTPREL_G0 "ThreadPointerOffsetMoveWide16G0";
    R_AARCH64_TLSLD_MOVW_DTPREL_G0_NC "ThreadPointerOffsetMoveWide16G0NoCheck";
    R_AARCH64_TLSLD_ADD_DTPREL_HI12 "ThreadPointerOffsetHigh12";
    R_AARCH64_TLSLD_ADD_DTPREL_LO12 "ThreadPointerOffset12";
    R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC "ThreadPointerOffset12NoCheck";
    R_AARCH64_TLSLD_LDST8_DTPREL_LO12 "ThreadPointerOffset12LDST8";
    R_AARCH64_TLSLD_LDST8_DTPREL_LO12_NC "ThreadPointerOffset12LDST8NoCheck";
    R_AARCH64_TLSLD_LDST16_DTPREL_LO12 "ThreadPointerOffset12LDST16";
    R_AARCH64_TLSLD_LDST16_DTPREL_LO12_NC "ThreadPointerOffset12LDST16NoCheck";
    R_AARCH64_TLSLD_LDST32_DTPREL_LO12 "ThreadPointerOffset12LDST32";
    R_AARCH64_TLSLD_LDST32_DTPREL_LO12_NC "ThreadPointerOffset12LDST32NoCheck";
    R_AARCH64_TLSLD_LDST64_DTPREL_LO12 "ThreadPointerOffset12LDST64";
    R_AARCH64_TLSLD_LDST64_DTPREL_LO12_NC "ThreadPointerOffset12LDST64NoCheck";
    R_AARCH64_TLSIE_MOVW_GOTTPREL_G1 "RequestTLSOffsetInGOTAndTransformToMoveWide16G1";
    R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC "RequestTLSOffsetInGOTAndTransformToMoveWide16G0NoCheck";
    R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21 "RequestTLSOffsetInGOTAndTransformToPage21";
    R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC "RequestTLSOffsetInGOTAndTransformToPageOffset12";
    R_AARCH64_TLSIE_LD_GOTTPREL_PREL19 "RequestTLSOffsetInGOTAndTransformToLDRLiteral19";
    R_AARCH64_TLSLE_MOVW_TPREL_G2 "ThreadPointerOffsetMoveWide16G2";
    R_AARCH64_TLSLE_MOVW_TPREL_G1 "ThreadPointerOffsetMoveWide16G1";
    R_AARCH64_TLSLE_MOVW_TPREL_G1_NC "ThreadPointerOffsetMoveWide16G1NoCheck";
    R_AARCH64_TLSLE_MOVW_TPREL_G0 "ThreadPointerOffsetMoveWide16G0";
    R_AARCH64_TLSLE_MOVW_TPREL_G0_NC "ThreadPointerOffsetMoveWide16G0NoCheck";
    R_AARCH64_TLSLE_ADD_TPREL_HI12 "ThreadPointerOffsetHigh12";
    R_AARCH64_TLSLE_ADD_TPREL_LO12 "ThreadPointerOffset12";
    R_AARCH64_TLSLE_ADD_TPREL_LO12_NC "ThreadPointerOffset12NoCheck";
    R_AARCH64_TLSLE_LDST8_TPREL_LO12 "ThreadPointerOffset12LDST8";
    R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC "ThreadPointerOffset12LDST8NoCheck";
    R_AARCH64_TLSLE_LDST16_TPREL_LO12 "ThreadPointerOffset12LDST16";
    R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC "ThreadPointerOffset12LDST16NoCheck";
    R_AARCH64_TLSLE_LDST32_TPREL_LO12 "ThreadPointerOffset12LDST32";
    R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC "ThreadPointerOffset12LDST32NoCheck";
    R_AARCH64_TLSLE_LDST64_TPREL_LO12 "ThreadPointerOffset12LDST64";
    R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC "ThreadPointerOffset12LDST64NoCheck";
    R_AARCH64_TLSDESC_LD_PREL19 "RequestTLSDescInGOTAndTransformToLDRLiteral19";
    R_AARCH64_TLSDESC_ADR_PREL21 "RequestTLSDescInGOTAndTransformToADRLiteral21";
    R_AARCH64_TLSDESC_ADR_PAGE21 "RequestTLSDescInGOTAndTransformToPage21";
    R_AARCH64_TLSDESC_LD64_LO12 "RequestTLSDescInGOTAndTransformToPageOffset12LDST64";
    R_AARCH64_TLSDESC_ADD_LO12 "RequestTLSDescInGOTAndTransformToPageOffset12";
    R_AARCH64_TLSDESC_OFF_G1 "RequestTLSDescInGOTAndTransformToMoveWide16G1";
    R_AARCH64_TLSDESC_OFF_G0_NC "RequestTLSDescInGOTAndTransformToMoveWide16G0NoCheck";
    R_AARCH64_TLSDESC_LDR "RequestTLSDescInGOTForRegister";
    R_AARCH64_TLSDESC_ADD "RequestTLSDescInGOTForRegister";
    R_AARCH64_TLSDESC_CALL "RequestTLSDescInGOTForCall";
    R_AARCH64_TLSLE_LDST128_TPREL_LO12 "ThreadPointerOffset12LDST128";
    R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC "ThreadPointerOffset12LDST128NoCheck";
    R_AARCH64_TLSLD_LDST128_DTPREL_LO12 "ThreadPointerOffset12LDST128";
    R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC "ThreadPointerOffset12LDST128NoCheck";
    R_AARCH64_COPY "unsupported";
    R_AARCH64_GLOB_DAT "unsupported";
    R_AARCH64_JUMP_SLOT "unsupported";
    R_AARCH64_RELATIVE "unsupported";
    R_AARCH64_TLSDESC "unsupported";
    R_AARCH64_TLS_DTPMOD "unsupported";
    R_AARCH64_TLS_DTPREL "unsupported";
    R_AARCH64_TLS_TPREL "unsupported";
    R_AARCH64_IRELATIVE "unsupported";
};

const TABLES: [(Arch, &[Row]); 2] = [(Arch::X86_64, X86_64), (Arch::Aarch64, AARCH64)];

#[test]
fn every_type_means_what_the_psabi_says() {
    for (arch, table) in TABLES {
        for &(name, r_type, expected) in table {
            assert_eq!(meaning(arch, r_type), expected, "{name}");
        }
    }
}

#[test]
fn every_type_has_its_name() {
    for (arch, table) in TABLES {
        for &(name, r_type, _) in table {
            assert_eq!(of(arch).unwrap().name(r_type), Some(name));
        }
    }
}

#[test]
fn unknown_numbers_are_unsupported_and_nameless() {
    for (arch, table) in TABLES {
        let elf_arch = of(arch).unwrap();
        for r_type in (0..0x2000).chain([u32::MAX]) {
            let known = table.iter().any(|row| row.1 == r_type);
            match elf_arch.name(r_type) {
                None => {
                    assert!(!known, "{r_type}");
                    assert_eq!(elf_arch.translate(r_type), Translation::Unsupported, "{r_type}");
                }
                // Later than the `object` package: pointer authentication and the like; and a second number of NONE.
                Some(name) => assert!(known || LATER.iter().any(|part| name.contains(part)), "{name}"),
            }
        }
    }
}

/// Parts of names that the `object` package does not have.
const LATER: &[&str] = &["_AUTH_", "PATCHINST", "FUNCINIT64", "R_AARCH64_NONE"];

#[test]
fn types_with_thread_local_names_are_thread_local_edges() {
    let parts = ["TLS", "TPOFF", "DTPMOD", "DTPOFF", "TPREL"];
    for (arch, table) in TABLES {
        let kinds = arch::of(arch).unwrap().edge_kinds();
        for &(name, r_type, _) in table {
            if let Translation::Edge(kind) | Translation::InModule(kind) = of(arch).unwrap().translate(r_type) {
                let is_thread_local = kinds[usize::from(kind.0)].class.is_thread_local();
                assert_eq!(is_thread_local, parts.iter().any(|part| name.contains(part)), "{name}");
            }
        }
    }
}

#[test]
fn both_numbers_of_none_mean_nothing() {
    assert_eq!([0, 256].map(|r_type| meaning(Arch::Aarch64, r_type)), ["nothing"; 2]);
}

#[test]
fn an_architecture_that_can_only_be_named_has_no_types() {
    assert!(of(Arch::Riscv64).is_none());
}

/// Position-independent code in several sections, with relocations in each.
const PIC_OBJECT: &[u8] = include_bytes!("../../../../Inputs/robustness/x86_64-gcc.o");

/// [`PIC_OBJECT`] with absolute 32-bit relocations in the place of those of its table `table`.
fn with_absolute_relocations(table: &str) -> &'static [u8] {
    use object::LittleEndian as LE;
    use object::read::elf::FileHeader;
    let mut bytes = PIC_OBJECT.to_vec();
    let sections = object::elf::FileHeader64::<LE>::parse(PIC_OBJECT).unwrap().sections(LE, PIC_OBJECT).unwrap();
    let header = sections.section_by_name(LE, table.as_bytes()).unwrap().1;
    let (start, size) = (header.sh_offset.get(LE) as usize, header.sh_size.get(LE) as usize);
    for entry in bytes[start..start + size].chunks_mut(24) {
        entry[8..12].copy_from_slice(&11u32.to_le_bytes());
    }
    bytes.leak()
}

fn wants_low(data: &'static [u8], mut budget: usize) -> (bool, usize) {
    let file = crate::link::read_object("file.o", data).unwrap().unwrap();
    let kinds = arch::of(file.target.arch).unwrap().edge_kinds();
    let mut is_low = |kind: EdgeKind, _| kinds[usize::from(kind.0)].class == EdgeClass::LowAddress;
    let mut copies = TableCopies::default();
    let read_at = |copy: &mut [u8], offset: usize| {
        copy.copy_from_slice(&data[offset..][..copy.len()]);
        true
    };
    assert!(copies.read(data.len(), budget, &read_at));
    let mut rest = budget;
    let wanted = file.has_edge(copies.view(data), &mut rest, &mut is_low);
    let found = (file.has_edge(file.view(), &mut budget, &mut is_low), budget);
    assert_eq!((wanted, rest), found, "the first relocations are among the copies of tables");
    found
}

#[test]
fn position_independent_files_want_no_low_addresses() {
    let (wants, left) = wants_low(PIC_OBJECT, 1000);
    assert!(!wants && left < 990, "{left}");
}

#[test]
fn files_with_absolute_code_or_data_want_low_addresses() {
    for table in [".rela.text.local", ".rela.text.main", ".rela.data.rel", ".rela.eh_frame"] {
        assert!(wants_low(with_absolute_relocations(table), 1000).0, "{table}");
    }
}

#[test]
fn no_more_relocations_are_looked_at_than_asked_for() {
    assert_eq!(wants_low(with_absolute_relocations(".rela.text.main"), 1), (false, 0));
    // Code comes first, wherever it is in the file.
    assert_eq!(wants_low(with_absolute_relocations(".rela.init_array"), 2), (false, 0));
}
