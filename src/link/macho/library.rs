//! Shared libraries (`MH_DYLIB`), by themselves or in universal files: the names they export.

use crate::base::{Arch, Target};
use crate::link::error::{LinkError, Result};
use goblin::mach::constants::cputype::{CPU_TYPE_ARM64, CPU_TYPE_X86_64};
use goblin::mach::symbols::{N_EXT, N_STAB, N_TYPE, N_UNDF};
use goblin::mach::{Mach, MachO, SingleArch};

/// The names that the shared library `data`, called `name` in messages, exports for `target`.
///
/// Errors: that it is damaged, or not for the target's processor.
pub fn exported_names(name: &str, data: &[u8], target: Target) -> Result<Vec<String>> {
    let malformed = |error: goblin::error::Error| LinkError::malformed(name, "Mach-O header", error);
    let cpu_type = match target.arch {
        Arch::X86_64 => CPU_TYPE_X86_64,
        Arch::Aarch64 => CPU_TYPE_ARM64,
        Arch::Riscv64 => {
            return Err(LinkError::unsuitable(name, format_args!("is for another processor than {target}")));
        }
    };
    let library = match Mach::parse(data).map_err(malformed)? {
        Mach::Binary(library) => Some(library),
        Mach::Fat(slices) => {
            let slices = slices.into_iter().filter_map(std::result::Result::ok);
            let mut libraries = slices.filter_map(|slice| match slice {
                SingleArch::MachO(library) => Some(library),
                SingleArch::Archive(_) => None,
            });
            libraries.find(|library| library.header.cputype() == cpu_type)
        }
    };
    match library.filter(|library| library.header.cputype() == cpu_type) {
        Some(library) => Ok(names_of(&library)),
        None => Err(LinkError::unsuitable(name, format_args!("is not for {target}"))),
    }
}

fn names_of(library: &MachO<'_>) -> Vec<String> {
    let symbols = library.symbols().filter_map(std::result::Result::ok);
    let exported = symbols.filter(|(_, symbol)| {
        let kind = symbol.n_type;
        kind & N_STAB == 0 && kind & N_EXT != 0 && kind & N_TYPE != N_UNDF
    });
    exported.map(|(name, _)| name.to_string()).collect()
}
