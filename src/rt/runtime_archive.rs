//! The ORC runtime archives inside this binary: what code linked for a target needs beside it to run lazily.
//!
//! The build script makes them from the sources in `orc/`. The one for the machine the linker runs on is always there;
//! others only if a compiler that makes them was at hand when the linker was built.

use crate::base::{Format, Target};

/// Architecture, format, file name, contents; made by the build script.
static ARCHIVES: &[(&str, &str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/runtime_archives.rs"));

/// The runtime archive for `target`: a file name for messages (`liborc_rt-x86_64-elf.a`) and the contents.
///
/// ELF archives have the System V form, Mach-O ones the BSD form, both with a symbol index. Members may begin at any
/// even address, so they are for readers that need no alignment. `None`: no archive for `target` was built in.
pub fn embedded(target: Target) -> Option<(&'static str, &'static [u8])> {
    if target.signed_pointers {
        return None;
    }
    let format = match target.format {
        Format::Elf => "elf",
        Format::MachO => "macho",
    };
    let mut archives = ARCHIVES.iter();
    let found = archives.find(|(arch, its_format, ..)| *arch == target.arch.name() && *its_format == format);
    found.map(|&(_, _, name, bytes)| (name, bytes))
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

    fn host() -> Target {
        let format = if cfg!(target_vendor = "apple") { Format::MachO } else { Format::Elf };
        Target::new(Arch::host().expect("tests run where the linker runs"), format)
    }

    #[test]
    fn the_host_has_an_archive() {
        assert!(embedded(host()).is_some());
    }

    #[test]
    fn the_file_name_says_the_target() {
        let (name, _) = embedded(host()).expect("the host's archive");
        assert_eq!(name, format!("liborc_rt-{}-{}.a", host().arch.name(), host().format.name()));
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
