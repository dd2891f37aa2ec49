//! The ORC runtime archives inside this binary: what code that is linked for a target needs beside
//! it to run lazily.
//!
//! `orc/build` makes them from the sources in `orc/`, and they are part of the repository: every
//! build of the linker contains the same bytes, for all targets, and needs no C compiler for them.

use crate::base::{Arch, Format, Target};

/// File name and contents of the archive `$name` in the repository.
macro_rules! archive {
    ($name:literal) => {
        ($name, include_bytes!(concat!("orc/archives/", $name)))
    };
}

/// Returns the runtime archive for `target`: a file name for messages (`liborc_rt-x86_64-elf.a`)
/// and the contents; `None` if there is no runtime for it.
///
/// ELF archives have the System V form, Mach-O ones the BSD form, both with a symbol index. Members
/// may begin at any even address, so they are for readers that need no alignment.
pub fn embedded(target: Target) -> Option<(&'static str, &'static [u8])> {
    if target.signed_pointers {
        return None;
    }
    match (target.arch, target.format) {
        (Arch::X86_64, Format::Elf) => Some(archive!("liborc_rt-x86_64-elf.a")),
        (Arch::Aarch64, Format::Elf) => Some(archive!("liborc_rt-aarch64-elf.a")),
        (Arch::X86_64, Format::MachO) => Some(archive!("liborc_rt-x86_64-macho.a")),
        (Arch::Aarch64, Format::MachO) => Some(archive!("liborc_rt-aarch64-macho.a")),
        (Arch::Riscv64, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Arch;
    use goblin::archive::Archive;
    use object::{Object as _, ObjectSymbol as _};
    use std::collections::BTreeSet;

    const FORMATS: [Format; 2] = [Format::Elf, Format::MachO];
    const ARCHES: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::Riscv64];

    /// Every archive there is, read.
    fn all() -> Vec<(Target, &'static [u8], Archive<'static>)> {
        let targets = FORMATS.iter().flat_map(|&format| ARCHES.map(|arch| Target::new(arch, format)));
        let archives = targets.filter_map(|target| Some((target, embedded(target)?.1)));
        archives
            .map(|(target, bytes)| (target, bytes, Archive::parse(bytes).expect("the archive can be read")))
            .collect()
    }

    /// The C name `name` as an object file for `target` spells it.
    fn symbol(target: Target, name: &str) -> String {
        let prefix = if target.format == Format::MachO { "_" } else { "" };
        format!("{prefix}{name}")
    }

    #[test]
    fn the_file_name_says_the_target() {
        for (arch, format) in
            [Arch::X86_64, Arch::Aarch64].iter().flat_map(|&arch| FORMATS.map(|format| (arch, format)))
        {
            let (name, _) =
                embedded(Target::new(arch, format)).expect("an archive for each target that programs run on");
            assert_eq!(name, format!("liborc_rt-{}-{}.a", arch.name(), format.name()));
        }
    }

    #[test]
    fn an_unknown_target_has_none() {
        assert!(embedded(Target::new(Arch::Riscv64, Format::Elf)).is_none());
    }

    #[test]
    fn the_index_leads_to_the_defining_member() {
        for (target, _, archive) in all() {
            for (name, member) in [
                ("__orc_rt_sysv_reenter", "reenter.o"),
                ("__orc_rt_reenter", "reenter.o"),
                ("__orc_rt_reentry", "reenter.o"),
                ("__orc_rt_sysv_reentry", "reenter.o"),
                ("__orc_rt_resolve", "resolve.o"),
                ("__orc_rt_resolve_tag", "resolve.o"),
                ("__orc_rt_resolve_failed", "resolve_failed.o"),
            ] {
                assert_eq!(archive.member_of_symbol(&symbol(target, name)), Some(member), "{target}: {name}");
            }
        }
    }

    #[test]
    fn the_index_lists_what_the_members_define() {
        for (target, bytes, archive) in all() {
            for (member, _, indexed) in archive.summarize() {
                let contents = archive.extract(member, bytes).expect("a listed member is there");
                let file = object::File::parse(contents).expect("a member is an object file");
                let globals = file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition());
                let defined: BTreeSet<_> = globals.map(|symbol| symbol.name().expect("a name")).collect();
                assert_eq!(indexed.into_iter().collect::<BTreeSet<_>>(), defined, "{target}: {member}");
            }
        }
    }

    #[test]
    fn the_members_take_little_from_the_process() {
        const ALLOWED: &[&str] = &["write", "abort", "free", "malloc", "__errno_location", "__error", "getauxval"];
        for (target, bytes, archive) in all() {
            let allowed: BTreeSet<_> = ALLOWED.iter().map(|name| symbol(target, name)).collect();
            for member in ["reenter.o", "resolve.o", "resolve_failed.o"] {
                let contents = archive.extract(member, bytes).expect("the member is there");
                let file = object::File::parse(contents).expect("a member is an object file");
                for undefined in file.symbols().filter(|symbol| symbol.is_undefined()) {
                    let name = undefined.name().expect("a name");
                    let ours = name.contains("__orc_rt_") || name.is_empty() || name == "_GLOBAL_OFFSET_TABLE_";
                    assert!(ours || allowed.contains(name), "{target}: {member} needs {name}");
                }
            }
        }
    }

    #[test]
    fn only_the_resolver_is_hidden() {
        for (target, bytes, archive) in all().into_iter().filter(|(target, ..)| target.format == Format::Elf) {
            for member in archive.members() {
                let contents = archive.extract(member, bytes).expect("the member is there");
                let file = object::File::parse(contents).expect("a member is an object file");
                for symbol in file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition()) {
                    let hidden = symbol.scope() != object::SymbolScope::Dynamic;
                    let name = symbol.name().expect("a name");
                    assert_eq!(hidden, name == "__orc_rt_resolve", "{target}: {name}");
                }
            }
        }
    }
}
