//! Names by Apple's ld and dyld, and LLVM's ORC runtime for Mach-O.
//!
//! A C name has an underscore in front of it in a file, and the runtime's C symbols have it too. Only the names that the JIT
//! linker itself asks for are written without: `__orc_rt_reenter` by trampolines, `__orc_rt_resolve_tag` by the session; LLVM's
//! linker makes them aliases of the C symbols, `__orc_rt_reentry` being the first one's older name.
//!
//! `section$start$SEGMENT$section` and `section$end$…` bracket sections (ld(1)); without such a section they are one address.
//! So are always `segment$start$SEGMENT` and `segment$end$SEGMENT`: linked memory has no segments of those names.

use crate::link::conventions::{
    Conventions, Fallback, FallbackPlace, LinkerDefined, ProcessSymbol, RuntimeSymbols, SynthesizedNames,
};

/// The conventions of Darwin.
#[derive(Debug)]
pub struct MachOConventions;

static RUNTIME: RuntimeSymbols = RuntimeSymbols {
    prefix: b"___orc_rt_",
    dispatch: b"___orc_rt_jit_dispatch",
    dispatch_context: b"___orc_rt_jit_dispatch_ctx",
    reentry: b"__orc_rt_reenter",
    resolve_tag: b"___orc_rt_resolve_tag",
    aliases: &[
        (b"__orc_rt_reenter", b"___orc_rt_sysv_reenter"),
        (b"__orc_rt_reentry", b"___orc_rt_sysv_reentry"),
        (b"__orc_rt_resolve_tag", b"___orc_rt_resolve_tag"),
    ],
};

static SYNTHESIZED: SynthesizedNames = SynthesizedNames {
    unwind_section: b"__TEXT,__eh_frame",
    dso_handle_section: b"__DATA_CONST,__dso_handle",
    dso_handle: b"___dso_handle",
    got: b"",
};

/// A section bound's section, as files name it, and which bound it is.
fn section_bound(name: &[u8]) -> Option<(Vec<u8>, bool)> {
    let (rest, end) = match name.strip_prefix(b"section$start$") {
        Some(rest) => (rest, false),
        None => (name.strip_prefix(b"section$end$")?, true),
    };
    let at = rest.iter().position(|&b| b == b'$')?;
    Some(([&rest[..at], b",", &rest[at + 1..]].concat(), end))
}

impl Conventions for MachOConventions {
    fn definition_name<'a>(&self, name: &'a [u8]) -> &'a [u8] {
        name
    }

    fn process_symbol<'a>(&self, name: &'a [u8]) -> Option<ProcessSymbol<'a>> {
        Some(ProcessSymbol { name: name.strip_prefix(b"_")?, version: None })
    }

    fn linker_defined(&self, name: &'static [u8]) -> Option<LinkerDefined> {
        match name {
            // dyld's image of the program has its header there; what code does with it is to compare addresses.
            b"___dso_handle" | b"__mh_execute_header" => Some(LinkerDefined::DsoHandle),
            _ => {
                let (section, end) = section_bound(name)?;
                Some(LinkerDefined::SectionBound { section: section.into(), end })
            }
        }
    }

    fn fallback(&self, name: &[u8]) -> Option<Fallback> {
        let is_bound = name.starts_with(b"segment$start$") || name.starts_with(b"segment$end$");
        (is_bound || section_bound(name).is_some()).then_some(Fallback { place: FallbackPlace::Handle, reserved: true })
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
    fn process_symbols_lose_their_underscore() {
        for (written, name) in [
            (&b"_main"[..], Some(&b"main"[..])),
            (b"__orc", Some(b"_orc")),
            (b"_f@V", Some(b"f@V")),
            (b"main", None),
            (b"", None),
        ] {
            let expected = name.map(|name| ProcessSymbol { name, version: None });
            assert_eq!(MachOConventions.process_symbol(written), expected);
        }
    }

    #[test]
    fn section_bounds_name_their_section() {
        for (name, section, end) in
            [(&b"section$start$__DATA$__set"[..], &b"__DATA,__set"[..], false), (b"section$end$A$b", b"A,b", true)]
        {
            let expected = LinkerDefined::SectionBound { section: section.into(), end };
            assert_eq!(MachOConventions.linker_defined(name), Some(expected));
            assert!(MachOConventions.fallback(name).is_some());
        }
        for name in [&b"segment$start$A"[..], b"segment$end$A"] {
            assert_eq!(MachOConventions.linker_defined(name), None);
            assert!(MachOConventions.fallback(name).is_some());
        }
        for name in [&b"section$start$__DATA"[..], b"_section$start$A$b", b"_segment$start$A"] {
            assert_eq!(MachOConventions.linker_defined(name), None);
            assert_eq!(MachOConventions.fallback(name), None);
        }
    }
}
