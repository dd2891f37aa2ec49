//! Mach-O relocations of arm64 (`<mach-o/arm64/reloc.h>`) as edges.
//!
//! Instructions hold no addends: their immediate fields are zero in a file, and an addend is a relocation of its own in front,
//! `ADDEND`. `PAGEOFF12` serves additions and loads of all sizes alike; which it is, and by what the offset is divided, is
//! read off the instruction. `GOT_LOAD_PAGE21` and `GOT_LOAD_PAGEOFF12` load a GOT entry, and may become an address computation; so do
//! `TLVP_LOAD_PAGE21` and `TLVP_LOAD_PAGEOFF12`, whose symbol is the variable's descriptor.
//!
//! `AUTHENTICATED_POINTER` asks for a signed pointer. It is refused: storing the bare pointer instead would fail at run time, far from
//! the cause. arm64e files without one can be linked, but not run, since their instructions sign pointers and check them.

use super::compact_unwind::{self, CallFrame, CommonEntry};
use super::relocation::Translation::{self, Addend, Difference, Instruction, Pointer, Refused};
use super::relocation::{MachOArch, UNKNOWN};
use crate::link::arch::aarch64::{kind, page_offset_kind};
use crate::link::edge::EdgeKind;
use object::macho::{self, RelocationInfo};

/// The relocation types of arm64.
#[derive(Debug)]
pub struct MachOAarch64;

/// What is wrong with an `AUTHENTICATED_POINTER`; JITLink's words first.
pub(super) const SIGNED_POINTER: &str = "unsupported edge kind Pointer64Authenticated: a signed pointer is made by the processor \
    that runs the code; compile for arm64, not arm64e";

/// The immediate field of `b` and `bl`.
const IMM26: u32 = 0x03ff_ffff;
/// The immediate fields of `adrp`.
const IMM21: u32 = 0x60ff_ffe0;
/// The immediate field of `add`, `ldr` and `str`.
const IMM12: u32 = 0x003f_fc00;

/// An instruction that `kind` changes, if its immediate field `field` is zero.
fn instruction(kind: EdgeKind, word: u64, field: u32) -> Translation {
    if word as u32 & field == 0 {
        Instruction(kind)
    } else {
        Refused(
            "is at an instruction with an addend of its own, which should be an ARM64_RELOC_ADDEND; compile the file again",
        )
    }
}

impl MachOArch for MachOAarch64 {
    fn translate(&self, relocation: &RelocationInfo, word: u64) -> Translation {
        match (relocation.r_type, relocation.r_pcrel, relocation.r_length) {
            (macho::ARM64_RELOC_UNSIGNED, false, 3) => Pointer(kind::POINTER64),
            (macho::ARM64_RELOC_UNSIGNED, false, 2) => Pointer(kind::POINTER32),
            (macho::ARM64_RELOC_UNSIGNED, false, 1) => Pointer(kind::POINTER16),
            (macho::ARM64_RELOC_SUBTRACTOR, false, 3) => {
                Difference { delta: kind::DELTA64, negative: kind::NEG_DELTA64 }
            }
            (macho::ARM64_RELOC_SUBTRACTOR, false, 2) => {
                Difference { delta: kind::DELTA32_SIGNED, negative: kind::NEG_DELTA32 }
            }
            (macho::ARM64_RELOC_BRANCH26, true, 2) => instruction(kind::BRANCH26, word, IMM26),
            (macho::ARM64_RELOC_PAGE21, true, 2) => instruction(kind::PAGE21, word, IMM21),
            (macho::ARM64_RELOC_PAGEOFF12, false, 2) => match page_offset_kind(word as u32) {
                Some(kind) => instruction(kind, word, IMM12),
                None => Refused("is at an instruction that is neither ADD nor LDR/STR with a 12-bit immediate"),
            },
            (macho::ARM64_RELOC_GOT_LOAD_PAGE21 | macho::ARM64_RELOC_TLVP_LOAD_PAGE21, true, 2) => {
                instruction(kind::REQUEST_GOT_PAGE21, word, IMM21)
            }
            (macho::ARM64_RELOC_GOT_LOAD_PAGEOFF12 | macho::ARM64_RELOC_TLVP_LOAD_PAGEOFF12, false, 2) => {
                instruction(kind::REQUEST_GOT_PAGE_OFFSET12, word, IMM12)
            }
            (macho::ARM64_RELOC_POINTER_TO_GOT, true, 2) => Instruction(kind::REQUEST_GOT_DELTA32),
            (macho::ARM64_RELOC_POINTER_TO_GOT, false, 3) => Instruction(kind::REQUEST_GOT_POINTER64),
            (macho::ARM64_RELOC_ADDEND, false, 2) => Addend,
            (macho::ARM64_RELOC_AUTHENTICATED_POINTER, ..) => Refused(SIGNED_POINTER),
            _ => UNKNOWN,
        }
    }

    fn name(&self, r_type: u8) -> Option<&'static str> {
        const NAMES: [&str; 12] = [
            "ARM64_RELOC_UNSIGNED",
            "ARM64_RELOC_SUBTRACTOR",
            "ARM64_RELOC_BRANCH26",
            "ARM64_RELOC_PAGE21",
            "ARM64_RELOC_PAGEOFF12",
            "ARM64_RELOC_GOT_LOAD_PAGE21",
            "ARM64_RELOC_GOT_LOAD_PAGEOFF12",
            "ARM64_RELOC_POINTER_TO_GOT",
            "ARM64_RELOC_TLVP_LOAD_PAGE21",
            "ARM64_RELOC_TLVP_LOAD_PAGEOFF12",
            "ARM64_RELOC_ADDEND",
            "ARM64_RELOC_AUTHENTICATED_POINTER",
        ];
        NAMES.get(usize::from(r_type)).copied()
    }

    fn thread_local_offset(&self) -> EdgeKind {
        kind::THREAD_POINTER_DELTA64
    }

    fn pc_relative(&self, size: usize) -> Option<EdgeKind> {
        match size {
            4 => Some(kind::DELTA32_SIGNED),
            8 => Some(kind::DELTA64),
            _ => None,
        }
    }

    fn call_frame(&self, encoding: u32, _code: &[u8]) -> CallFrame {
        compact_unwind::aarch64::call_frame(encoding)
    }

    fn common_entry(&self) -> CommonEntry {
        compact_unwind::aarch64::COMMON
    }
}
