//! DWARF of several files, put together and relocated, as it would be in a statically linked program.
//!
//! Sections of one name are put one behind another; references between them become offsets in the whole, references to code and data
//! addresses. What describes code that is not linked has the addresses that static linkers use for discarded code, which debuggers
//! skip: 0, and 1 in lists that end with a pair of zeroes. When more of a file is linked, only what refers to that is relocated again.

use crate::base::ExecutorAddr;
use crate::link::arch::{self, Architecture, Fixup};
use crate::link::object_file::{DebugSection, ObjectEdge, ObjectFile, ObjectPlace};
use crate::link::{EdgeClass, LinkError, LinkErrorKind};
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
        let sizes = self.sections.iter().map(|(name, bytes)| (*name, bytes.len() as u64)).collect();
        let mut of_file = FileDebugInfo::read_behind(file, sizes)?;
        for section in 0..file.sections.len() as u32 {
            if let Some(address) = address(section) {
                of_file.link(file, section, address)?;
            }
        }
        let any = !of_file.is_empty();
        self.append(of_file.sections.into_iter().map(|section| (section.name, section.content)));
        Ok(any)
    }

    fn append(&mut self, sections: impl Iterator<Item = (&'static [u8], Vec<u8>)>) {
        for (name, content) in sections {
            match self.sections.iter_mut().find(|(other, _)| *other == name) {
                Some((_, bytes)) => bytes.extend_from_slice(&content),
                None => self.sections.push((name, content)),
            }
        }
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

/// Debug information of one file, of which more and more is linked.
#[derive(Debug)]
pub(super) struct FileDebugInfo {
    sections: Vec<DebugSection>,
    /// What refers to a section that is not linked.
    waiting: FxHashMap<u32, Vec<Reference>>,
}

#[derive(Clone, Copy, Debug)]
struct Reference {
    /// Index of the debug section.
    from: usize,
    edge: ObjectEdge,
    /// Where in its section the symbol is.
    value: u64,
}

impl FileDebugInfo {
    /// That of `file`, of which nothing is linked.
    ///
    /// Errors: that it cannot be read.
    pub fn read(file: &ObjectFile) -> Result<FileDebugInfo, LinkError> {
        FileDebugInfo::read_behind(file, FxHashMap::default())
    }

    /// As [`FileDebugInfo::read`], with sections that begin behind so many bytes of other files.
    fn read_behind(file: &ObjectFile, mut sizes: FxHashMap<&[u8], u64>) -> Result<FileDebugInfo, LinkError> {
        let mut info = FileDebugInfo { sections: file.debug_sections()?, waiting: FxHashMap::default() };
        let Some(arch) = arch::of(file.target.arch) else {
            return Ok(info);
        };
        let mut starts: FxHashMap<u32, u64> = FxHashMap::default();
        for section in &info.sections {
            let size = sizes.entry(section.name).or_default();
            starts.insert(section.section, *size);
            *size += section.content.len() as u64;
        }
        let kinds = arch.edge_kinds();
        for (from, section) in info.sections.iter_mut().enumerate() {
            let discarded = u64::from(matches!(section.name, b".debug_loc" | b".debug_ranges"));
            for edge in std::mem::take(&mut section.edges) {
                let symbol = file.symbols.at(edge.symbol as usize);
                let kind = &kinds[usize::from(edge.kind.0)];
                let known = match symbol.place {
                    // Offsets of thread-local variables mean nothing to debuggers here.
                    _ if !matches!(kind.class, EdgeClass::Address | EdgeClass::LowAddress) => {
                        let start = edge.offset as usize;
                        section.content[start..start + usize::from(kind.width)].fill(0);
                        continue;
                    }
                    ObjectPlace::Section(to) | ObjectPlace::Common(to) => match starts.get(&to) {
                        Some(start) => Some(start.wrapping_add(symbol.value)),
                        None => {
                            let reference = Reference { from, edge, value: symbol.value };
                            info.waiting.entry(to).or_default().push(reference);
                            None
                        }
                    },
                    ObjectPlace::Absolute => Some(symbol.value),
                    ObjectPlace::Undefined | ObjectPlace::Alias(_) => None,
                };
                let (target, addend) = known.map_or((discarded, 0), |target| (target, edge.addend));
                relocate(file, arch, section, &ObjectEdge { addend, ..edge }, target)?;
            }
        }
        Ok(info)
    }

    /// Section `section` of `file`, the same as before, is linked at `address`.
    ///
    /// Errors: a reference that cannot be relocated.
    pub fn link(&mut self, file: &ObjectFile, section: u32, address: ExecutorAddr) -> Result<(), LinkError> {
        let Some(arch) = arch::of(file.target.arch) else {
            return Ok(());
        };
        for reference in self.waiting.remove(&section).unwrap_or_default() {
            let target = address.0.wrapping_add(reference.value);
            relocate(file, arch, &mut self.sections[reference.from], &reference.edge, target)?;
        }
        Ok(())
    }

    /// A copy as it is now.
    pub fn to_debug_info(&self) -> DebugInfo {
        let mut info = DebugInfo::default();
        info.append(self.sections.iter().map(|section| (section.name, section.content.clone())));
        info
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }
}

/// Writes the value of `edge`, which leads to `target`, into `section`.
fn relocate(
    file: &ObjectFile,
    arch: &dyn Architecture,
    section: &mut DebugSection,
    edge: &ObjectEdge,
    target: u64,
) -> Result<(), LinkError> {
    let fixup = Fixup {
        kind: edge.kind,
        offset: edge.offset as usize,
        address: u64::from(edge.offset),
        target,
        addend: edge.addend,
        got: 0,
        size: 0,
    };
    arch.apply(&fixup, &mut section.content).map_err(|error| {
        let kind = LinkErrorKind::Relocation {
            file: file.name.clone(),
            section: String::from_utf8_lossy(section.name).into_owned(),
            offset: u64::from(edge.offset),
            what: error.to_string(),
        };
        kind.into()
    })
}
