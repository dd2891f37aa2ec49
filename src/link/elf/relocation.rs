//! What ELF relocation types mean: the question each architecture's crossing file answers.

use super::{aarch64, x86_64};
use crate::base::Arch;
use crate::link::edge::EdgeKind;
use std::fmt::Debug;

/// What an ELF relocation type means to the linker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Translation {
    /// Nothing is to be done; the relocation's symbol is not even referred to.
    Nothing,
    /// An edge of this kind, to the relocation's symbol, with the relocation's addend as it is.
    Edge(EdgeKind),
    /// The same, of kind `code` in code, of kind `data` elsewhere: one type for branches and for distances to a way into a function.
    ByPlace {
        /// The kind of a branch instruction's field.
        code: EdgeKind,
        /// The kind of a distance.
        data: EdgeKind,
    },
    /// An edge where the target's place in its module's thread-local memory is meant (`DTPOFF`, `DTPREL`).
    InModule(EdgeKind),
    /// Only dynamic linkers process it, or it needs a signed pointer or a feature that is not supported, or it is unknown.
    Unsupported,
}

/// The relocation types of one architecture. Implementations hold no state.
pub trait ElfArch: Sync + Debug {
    /// What `r_type` means.
    fn translate(&self, r_type: u32) -> Translation;
    /// Its name in the psABI, as in `R_X86_64_PC32`; `None` for a number the psABI does not know.
    fn name(&self, r_type: u32) -> Option<&'static str>;
}

/// The relocation types of `arch`; `None` for one that can only be named.
pub fn of(arch: Arch) -> Option<&'static dyn ElfArch> {
    match arch {
        Arch::X86_64 => Some(&x86_64::ElfX86_64),
        Arch::Aarch64 => Some(&aarch64::ElfAarch64),
        Arch::Riscv64 => None,
    }
}

/// Declares an architecture's relocations: `number "NAME" meaning;`, the name without the common prefix.
macro_rules! relocations {
    ($prefix:literal; $($number:literal $name:literal $meaning:expr;)*) => {
        /// Name and meaning of a relocation type.
        fn relocation(r_type: u32) -> Option<(&'static str, Translation)> {
            match r_type {
                $($number => Some((concat!($prefix, $name), $meaning)),)*
                _ => None,
            }
        }
    };
}
pub(super) use relocations;

#[cfg(test)]
mod tests;
