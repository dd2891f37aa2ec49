//! What Mach-O relocation types mean: the question each architecture's crossing file answers.

use super::{aarch64, x86_64};
use crate::base::Arch;
use crate::link::edge::EdgeKind;
use object::macho::RelocationInfo;
use std::fmt::Debug;

/// What a Mach-O relocation means to the linker. `v` is what stands in the place, sign-extended from its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Translation {
    /// An edge of this kind: to the relocation's symbol with addend `v`, or, if it names a section, to the place in it whose
    /// address in the file is `v`.
    Pointer(EdgeKind),
    /// An edge of this kind, which counts from `end` bytes behind the place: to the relocation's symbol with addend
    /// `v - 4`, or, if it names a section, to the place in it that is `v` bytes from there in the file.
    Displacement {
        /// What is computed.
        kind: EdgeKind,
        /// Where the instruction ends, in bytes from the place.
        end: u8,
    },
    /// An edge of this kind to the relocation's symbol, with the addend of the relocation in front.
    Instruction(EdgeKind),
    /// An edge of this kind to the relocation's symbol, with addend `v` and this.
    Symbol(EdgeKind, i64),
    /// The next relocation's target minus this one's symbol, by the kind for `T - P + A` or for `P - T + A`.
    Difference {
        /// `T - P + A`.
        delta: EdgeKind,
        /// `P - T + A`.
        negative: EdgeKind,
    },
    /// The addend of the next relocation.
    Addend,
    /// It cannot be linked, and why.
    Refused(&'static str),
}

/// The reason for refusing a relocation whose fields do not go together, or of an unknown type.
pub(super) const UNKNOWN: Translation =
    Translation::Refused("has a type, length or form that relocatable files do not use; compile the file again");

/// The relocation types of one architecture. Implementations hold no state.
pub trait MachOArch: Sync + Debug {
    /// What `relocation` means, whose place holds `word`, zero-extended from its length.
    fn translate(&self, relocation: &RelocationInfo, word: u64) -> Translation;
    /// The name of a type in `<mach-o/x86_64/reloc.h>`, `<mach-o/arm64/reloc.h>`; `None` for a number that is not there.
    fn name(&self, r_type: u8) -> Option<&'static str>;
    /// The kind of the third word of a thread-local variable's descriptor.
    fn thread_local_offset(&self) -> EdgeKind;
}

/// The relocation types of `arch`; `None` for one that Mach-O does not know.
pub fn of(arch: Arch) -> Option<&'static dyn MachOArch> {
    match arch {
        Arch::X86_64 => Some(&x86_64::MachOX86_64),
        Arch::Aarch64 => Some(&aarch64::MachOAarch64),
        Arch::Riscv64 => None,
    }
}
