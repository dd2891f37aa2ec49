//! DWARF of several files, put together and relocated, as it would be in a statically linked program.
//!
//! Sections of one name are put one behind another; references between them become offsets in the whole, references to code and data
//! addresses. What describes code that is not linked gets the addresses that static linkers use for discarded code, which debuggers
//! skip: 0, and 1 in lists that end with a pair of zeroes.

use crate::base::ExecutorAddr;
use crate::link::arch::{self, Fixup};
use crate::link::object_file::{DebugSection, ObjectFile, ObjectPlace};
use crate::link::{EdgeClass, LinkError};
use rustc_hash::FxHashMap;

/// Sections of debug information; empty at first.
#[derive(Clone, Debug, Default)]
pub struct DebugInfo {
    sections: Vec<(&'static [u8], Vec<u8>)>,
}

impl DebugInfo {
    /// Adds that of `file`, whose section `n` is at `address(n)`, if it is linked. Says whether there was any.
    ///
    /// Errors: that it cannot be read. Nothing is added then.
    pub fn add(&mut self, file: &ObjectFile, address: impl Fn(u32) -> Option<ExecutorAddr>) -> Result<bool, LinkError> {
        let mut sections = file.debug_sections()?;
        let Some(arch) = arch::of(file.target.arch) else {
            return Ok(false);
        };
        let mut starts: FxHashMap<u32, u64> = FxHashMap::default();
        let mut sizes: FxHashMap<&[u8], u64> =
            self.sections.iter().map(|(name, bytes)| (*name, bytes.len() as u64)).collect();
        for section in &sections {
            let size = sizes.entry(section.name).or_default();
            starts.insert(section.section, *size);
            *size += section.content.len() as u64;
        }
        let target = |symbol: u32| {
            let symbol = &file.symbols[symbol as usize];
            match symbol.place {
                ObjectPlace::Section(section) | ObjectPlace::Common(section) => {
                    let start = starts.get(&section).copied().or_else(|| address(section).map(|a| a.0))?;
                    Some(start.wrapping_add(symbol.value))
                }
                ObjectPlace::Absolute => Some(symbol.value),
                ObjectPlace::Undefined => None,
            }
        };
        for section in &mut sections {
            relocate(arch, section, &target).map_err(|(offset, what)| LinkError::Relocation {
                file: file.name.clone(),
                section: String::from_utf8_lossy(section.name).into_owned(),
                offset,
                what,
            })?;
        }
        let any = !sections.is_empty();
        for section in sections {
            match self.sections.iter_mut().find(|(name, _)| *name == section.name) {
                Some((_, bytes)) => bytes.extend_from_slice(&section.content),
                None => self.sections.push((section.name, section.content)),
            }
        }
        Ok(any)
    }

    /// Names and bytes of the sections.
    pub fn sections(&self) -> impl Iterator<Item = (&'static [u8], &[u8])> {
        self.sections.iter().map(|(name, bytes)| (*name, &bytes[..]))
    }

    /// The bytes of section `name`; empty if there is none.
    pub fn section(&self, name: &[u8]) -> &[u8] {
        self.sections().find(|(other, _)| *other == name).map_or(&[], |(_, bytes)| bytes)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }
}

/// Applies the relocations of `section`; `target` answers for symbols of what is linked. In error the offset and what is wrong there.
fn relocate(
    arch: &dyn arch::Architecture,
    section: &mut DebugSection,
    target: &impl Fn(u32) -> Option<u64>,
) -> Result<(), (u64, String)> {
    let kinds = arch.edge_kinds();
    let discarded = u64::from(matches!(section.name, b".debug_loc" | b".debug_ranges"));
    for edge in &section.edges {
        let info = &kinds[usize::from(edge.kind.0)];
        let plain = matches!(info.class, EdgeClass::Address | EdgeClass::LowAddress);
        // Offsets of thread-local variables mean nothing to debuggers here.
        let (target, addend) = match target(edge.symbol).filter(|_| plain) {
            Some(target) => (target, edge.addend),
            None => (discarded, 0),
        };
        let offset = edge.offset as usize;
        let bytes = &mut section.content[offset..offset + usize::from(info.width)];
        if plain {
            let fixup = Fixup { kind: edge.kind, offset: 0, address: 0, target, addend, got: 0, size: 0 };
            arch.apply(&fixup, bytes).map_err(|error| (u64::from(edge.offset), error.to_string()))?;
        } else {
            bytes.fill(0);
        }
    }
    Ok(())
}
