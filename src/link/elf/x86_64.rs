//! ELF relocations of x86-64 (System V psABI for x86-64, table 4.9 "Relocation Types") as edges.
//!
//! A relocation's `PLT` is a stub here and its `GOT` the session's; both come into being only where something needs them:
//! - `PLT32` says that the target is only called, which is what a branch edge says. `PLTOFF64` allows the function
//!   itself in the place of its PLT entry, and 64 bits always reach it.
//! - `GOTPLT64` allows a PLT entry to fill the GOT entry lazily; without a dynamic linker it is `GOT64`.
//! - The `GOTPC` types compute with the GOT alone, whatever symbol they name.
//! - The EVEX forms of GOT loads (`CODE_5`, `CODE_6`) are never rewritten; they remain loads from the GOT.
//! - Local dynamic accesses (`TLSLD`) of variables at constant offsets are rewritten to use the thread pointer in the place of the
//!   module's memory, so `DTPOFF` counts from there, as `TPOFF` does.
//! - The EVEX forms of descriptor accesses (`CODE_5_GOTPC32_TLSDESC`, `CODE_6_…`) are numbers for instructions that do not exist: only
//!   `lea` computes a descriptor's address. No assembler makes them.

use super::relocation::Translation::{self, ByPlace, Edge, InModule, Nothing, Unsupported};
use super::relocation::{ElfArch, relocations};
use crate::link::arch::x86_64::kind;

/// The relocation types of x86-64.
#[derive(Debug)]
pub struct ElfX86_64;

impl ElfArch for ElfX86_64 {
    fn translate(&self, r_type: u32) -> Translation {
        relocation(r_type).map_or(Unsupported, |(_, meaning)| meaning)
    }

    fn name(&self, r_type: u32) -> Option<&'static str> {
        relocation(r_type).map(|(name, _)| name)
    }
}

relocations! { "R_X86_64_";
    0 "NONE" Nothing;
    1 "64" Edge(kind::POINTER64);
    2 "PC32" Edge(kind::DELTA32);
    3 "GOT32" Edge(kind::REQUEST_GOT_DELTA32_FROM_GOT);
    4 "PLT32" ByPlace { code: kind::BRANCH_PCREL32, data: kind::FUNCTION_DELTA32 };
    5 "COPY" Unsupported;
    6 "GLOB_DAT" Unsupported;
    7 "JUMP_SLOT" Unsupported;
    8 "RELATIVE" Unsupported;
    9 "GOTPCREL" Edge(kind::REQUEST_GOT_DELTA32);
    10 "32" Edge(kind::POINTER32);
    11 "32S" Edge(kind::POINTER32_SIGNED);
    12 "16" Edge(kind::POINTER16);
    13 "PC16" Edge(kind::DELTA16);
    14 "8" Edge(kind::POINTER8);
    15 "PC8" Edge(kind::DELTA8);
    16 "DTPMOD64" Unsupported;
    17 "DTPOFF64" InModule(kind::THREAD_POINTER_DELTA64);
    18 "TPOFF64" Edge(kind::THREAD_POINTER_DELTA64);
    19 "TLSGD" Edge(kind::REQUEST_TLS_INDEX);
    20 "TLSLD" Edge(kind::REQUEST_TLS_MODULE);
    21 "DTPOFF32" InModule(kind::THREAD_POINTER_DELTA32);
    22 "GOTTPOFF" Edge(kind::REQUEST_TLS_OFFSET_REX);
    23 "TPOFF32" Edge(kind::THREAD_POINTER_DELTA32);
    24 "PC64" Edge(kind::DELTA64);
    25 "GOTOFF64" Edge(kind::DELTA64_FROM_GOT);
    26 "GOTPC32" Edge(kind::GOT_DELTA32);
    27 "GOT64" Edge(kind::REQUEST_GOT_DELTA64_FROM_GOT);
    28 "GOTPCREL64" Edge(kind::REQUEST_GOT_DELTA64);
    29 "GOTPC64" Edge(kind::GOT_DELTA64);
    30 "GOTPLT64" Edge(kind::REQUEST_GOT_DELTA64_FROM_GOT);
    31 "PLTOFF64" Edge(kind::DELTA64_FROM_GOT);
    32 "SIZE32" Edge(kind::SIZE32);
    33 "SIZE64" Edge(kind::SIZE64);
    34 "GOTPC32_TLSDESC" Edge(kind::REQUEST_TLS_DESCRIPTOR);
    35 "TLSDESC_CALL" Edge(kind::REQUEST_TLS_DESCRIPTOR_CALL);
    36 "TLSDESC" Unsupported;
    37 "IRELATIVE" Unsupported;
    38 "RELATIVE64" Unsupported;
    41 "GOTPCRELX" Edge(kind::REQUEST_GOT_LOAD);
    42 "REX_GOTPCRELX" Edge(kind::REQUEST_GOT_LOAD_REX);
    43 "CODE_4_GOTPCRELX" Edge(kind::REQUEST_GOT_LOAD_REX2);
    44 "CODE_4_GOTTPOFF" Edge(kind::REQUEST_TLS_OFFSET_REX2);
    45 "CODE_4_GOTPC32_TLSDESC" Edge(kind::REQUEST_TLS_DESCRIPTOR_REX2);
    46 "CODE_5_GOTPCRELX" Edge(kind::REQUEST_GOT_DELTA32);
    47 "CODE_5_GOTTPOFF" Edge(kind::REQUEST_TLS_OFFSET);
    48 "CODE_5_GOTPC32_TLSDESC" Unsupported;
    49 "CODE_6_GOTPCRELX" Edge(kind::REQUEST_GOT_DELTA32);
    50 "CODE_6_GOTTPOFF" Edge(kind::REQUEST_TLS_OFFSET);
    51 "CODE_6_GOTPC32_TLSDESC" Unsupported;
}
