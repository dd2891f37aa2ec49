//! Mach-O relocations of x86-64 (`<mach-o/x86_64/reloc.h>`) as edges.
//!
//! Displacements count from the end of their four bytes. What stands there is the addend of the expression in the source, whatever
//! follows: code with an immediate behind the displacement has that much less in there. Only where a relocation
//! names a section does the linker have to know how long the immediate is: the place meant is then as far from the *instruction's* end
//! as the displacement says, and `SIGNED_1`, `SIGNED_2`, `SIGNED_4` tell.
//!
//! `GOT_LOAD` is a `movq` from a GOT entry, which may become a `leaq`; so is `TLV`, whose symbol is the variable's descriptor. `GOT` is any other use
//! of an entry. A call (`BRANCH`) may go through a stub.

use super::relocation::Translation::{self, Difference, Displacement, Pointer, Symbol};
use super::relocation::{MachOArch, UNKNOWN};
use crate::link::arch::x86_64::kind;
use crate::link::edge::EdgeKind;
use object::macho::{self, RelocationInfo};

/// The relocation types of x86-64.
#[derive(Debug)]
pub struct MachOX86_64;

const fn displacement(kind: EdgeKind, immediate: u8) -> Translation {
    Displacement { kind, end: 4 + immediate }
}

impl MachOArch for MachOX86_64 {
    fn translate(&self, relocation: &RelocationInfo, _word: u64) -> Translation {
        match (relocation.r_type, relocation.r_pcrel, relocation.r_length) {
            (macho::X86_64_RELOC_UNSIGNED, false, 3) => Pointer(kind::POINTER64),
            (macho::X86_64_RELOC_UNSIGNED, false, 2) => Pointer(kind::POINTER32),
            (macho::X86_64_RELOC_UNSIGNED, false, 1) => Pointer(kind::POINTER16),
            (macho::X86_64_RELOC_UNSIGNED, false, 0) => Pointer(kind::POINTER8),
            (macho::X86_64_RELOC_SUBTRACTOR, false, 3) => {
                Difference { delta: kind::DELTA64, negative: kind::NEG_DELTA64 }
            }
            (macho::X86_64_RELOC_SUBTRACTOR, false, 2) => {
                Difference { delta: kind::DELTA32, negative: kind::NEG_DELTA32 }
            }
            (macho::X86_64_RELOC_SIGNED, true, 2) => displacement(kind::DELTA32, 0),
            (macho::X86_64_RELOC_SIGNED_1, true, 2) => displacement(kind::DELTA32, 1),
            (macho::X86_64_RELOC_SIGNED_2, true, 2) => displacement(kind::DELTA32, 2),
            (macho::X86_64_RELOC_SIGNED_4, true, 2) => displacement(kind::DELTA32, 4),
            (macho::X86_64_RELOC_BRANCH, true, 2) => displacement(kind::BRANCH_PCREL32, 0),
            (macho::X86_64_RELOC_GOT_LOAD, true, 2) => Symbol(kind::REQUEST_GOT_LOAD_REX, -4),
            (macho::X86_64_RELOC_GOT, true, 2) => Symbol(kind::REQUEST_GOT_DELTA32, -4),
            (macho::X86_64_RELOC_TLV, true, 2) => Symbol(kind::REQUEST_GOT_LOAD_REX, -4),
            _ => UNKNOWN,
        }
    }

    fn name(&self, r_type: u8) -> Option<&'static str> {
        const NAMES: [&str; 10] = [
            "X86_64_RELOC_UNSIGNED",
            "X86_64_RELOC_SIGNED",
            "X86_64_RELOC_BRANCH",
            "X86_64_RELOC_GOT_LOAD",
            "X86_64_RELOC_GOT",
            "X86_64_RELOC_SUBTRACTOR",
            "X86_64_RELOC_SIGNED_1",
            "X86_64_RELOC_SIGNED_2",
            "X86_64_RELOC_SIGNED_4",
            "X86_64_RELOC_TLV",
        ];
        NAMES.get(usize::from(r_type)).copied()
    }

    fn thread_local_offset(&self) -> EdgeKind {
        kind::THREAD_POINTER_DELTA64
    }
}
