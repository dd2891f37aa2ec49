//! Names by the System V gABI, the GNU conventions that GNU ld's default linker scripts write down, and LLVM's ORC runtime for ELF.

use crate::link::conventions::{
    Conventions, Fallback, FallbackPlace, LinkerDefined, ProcessSymbol, RuntimeSymbols, SynthesizedNames,
};
use memchr::memchr;

/// The conventions of ELF systems.
#[derive(Debug)]
pub struct ElfConventions;

static RUNTIME: RuntimeSymbols = RuntimeSymbols {
    prefix: b"__orc_rt_",
    dispatch: b"__orc_rt_jit_dispatch",
    dispatch_context: b"__orc_rt_jit_dispatch_ctx",
    reentry: b"__orc_rt_reenter",
    resolve_tag: b"__orc_rt_resolve_tag",
    aliases: &[(b"__orc_rt_reenter", b"__orc_rt_sysv_reenter")],
};

static SYNTHESIZED: SynthesizedNames = SynthesizedNames {
    unwind_section: b".eh_frame",
    dso_handle_section: b".data.__dso_handle",
    dso_handle: b"__dso_handle",
    got: b"_GLOBAL_OFFSET_TABLE_",
};

impl Conventions for ElfConventions {
    /// "name@@VERSION" defines the default version of the name: a static program's references mean that one.
    fn definition_name<'a>(&self, name: &'a [u8]) -> &'a [u8] {
        match memchr(b'@', name) {
            Some(at) if name[at..].starts_with(b"@@") => &name[..at],
            _ => name,
        }
    }

    /// `name@VERSION`, written by `.symver`, asks for a version.
    fn process_symbol<'a>(&self, name: &'a [u8]) -> Option<ProcessSymbol<'a>> {
        let Some(at) = memchr(b'@', name) else {
            return Some(ProcessSymbol { name, version: None });
        };
        let version = &name[at..];
        let skip = version.iter().take_while(|&&b| b == b'@').count();
        Some(ProcessSymbol { name: &name[..at], version: Some(&version[skip..]) })
    }

    fn linker_defined(&self, name: &'static [u8]) -> Option<LinkerDefined> {
        let bound = |section: &'static [u8], end| LinkerDefined::SectionBound { section: section.into(), end };
        Some(match name {
            b"__dso_handle" => LinkerDefined::DsoHandle,
            b"_GLOBAL_OFFSET_TABLE_" => LinkerDefined::GotBase,
            b"_TLS_MODULE_BASE_" => LinkerDefined::ThreadLocalBase,
            _ => match name.strip_prefix(b"__start_") {
                Some(section) => bound(section, false),
                None => bound(name.strip_prefix(b"__stop_")?, true),
            },
        })
    }

    /// The ranges between the linker's own symbols are empty, since linked memory is no contiguous image, and initializers are the
    /// session's to run. There is no `_DYNAMIC`: it is null.
    fn fallback(&self, name: &[u8]) -> Option<Fallback> {
        let reserved = match name {
            b"end" | b"edata" | b"etext" => false,
            b"_end" | b"_edata" | b"_etext" | b"__etext" | b"__bss_start" | b"__executable_start" | b"_DYNAMIC" => true,
            b"__preinit_array_start" | b"__preinit_array_end" | b"__init_array_start" | b"__init_array_end" => true,
            b"__fini_array_start" | b"__fini_array_end" => true,
            _ => return None,
        };
        let place = match name {
            b"_DYNAMIC" => FallbackPlace::Null,
            b"__executable_start" => FallbackPlace::MemoryStart,
            _ if name.ends_with(b"_array_start") || name.ends_with(b"_array_end") => FallbackPlace::Handle,
            _ => FallbackPlace::MemoryEnd,
        };
        Some(Fallback { place, reserved })
    }

    fn runtime(&self) -> &'static RuntimeSymbols {
        &RUNTIME
    }

    fn synthesized(&self) -> &'static SynthesizedNames {
        &SYNTHESIZED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_no_part_of_names() {
        for (written, defined, name, version) in [
            (&b"f"[..], &b"f"[..], &b"f"[..], None),
            (b"f@@V1", b"f", b"f", Some(&b"V1"[..])),
            (b"f@V1", b"f@V1", b"f", Some(b"V1")),
        ] {
            assert_eq!(ElfConventions.definition_name(written), defined);
            assert_eq!(ElfConventions.process_symbol(written), Some(ProcessSymbol { name, version }));
        }
    }

    #[test]
    fn section_bounds_name_their_section() {
        let bound = |section: &'static [u8], end| Some(LinkerDefined::SectionBound { section: section.into(), end });
        assert_eq!(ElfConventions.linker_defined(b"__start_set"), bound(b"set", false));
        assert_eq!(ElfConventions.linker_defined(b"__stop_set"), bound(b"set", true));
        assert_eq!(ElfConventions.linker_defined(b"start_set"), None);
    }
}
