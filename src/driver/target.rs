//! The target of `-triple`.

use crate::base::{Arch, Format, Target};
use anyhow::{Result, anyhow};

/// The target that `triple` names: processor, vendor, system, as `x86_64-unknown-linux-gnu`.
///
/// Errors: a processor that nothing is known of.
pub(super) fn parse(triple: &str) -> Result<Target> {
    let (processor, rest) = triple.split_once('-').unwrap_or((triple, ""));
    let arch = match processor {
        "x86_64" | "amd64" | "x86_64h" => Arch::X86_64,
        "aarch64" | "arm64" | "arm64e" => Arch::Aarch64,
        "riscv64" => Arch::Riscv64,
        _ => return Err(anyhow!("for the -triple option: Architecture not supported: '{triple}'")),
    };
    let apple = ["apple", "darwin", "macos", "ios", "macho"].iter().any(|name| rest.contains(name));
    let target = Target::new(arch, if apple { Format::MachO } else { Format::Elf });
    Ok(Target { signed_pointers: processor == "arm64e", ..target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_name_processor_and_format() {
        for (triple, arch, format) in [
            ("x86_64--", Arch::X86_64, Format::Elf),
            ("x86_64-unknown-linux-gnu", Arch::X86_64, Format::Elf),
            ("aarch64-linux-gnu", Arch::Aarch64, Format::Elf),
            ("arm64-apple-darwin", Arch::Aarch64, Format::MachO),
            ("x86_64-apple-macosx10.9", Arch::X86_64, Format::MachO),
        ] {
            assert_eq!(parse(triple).unwrap(), Target::new(arch, format), "{triple}");
        }
        let signed = parse("arm64e-apple-macosx").unwrap();
        assert_eq!(Some(signed), Target::new(Arch::Aarch64, Format::MachO).other_pointers());
        assert!(parse("sparc--").is_err());
    }
}
