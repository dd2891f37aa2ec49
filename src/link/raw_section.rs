//! An object file that is not read but made: one section of given bytes, with symbols.

use super::edge::EdgeKind;
use super::error::Result;
use super::file_view::FileView;
use super::graph::{Linkage, Scope};
use super::object_file::{
    ObjectEdge, ObjectFile, ObjectFormat, ObjectPlace, ObjectSection, ObjectSymbol, SectionKind, SymbolKind,
};
use super::packed::{ObjectSections, ObjectSymbols};
use crate::base::{MemProt, Target};

/// The alignment of such a section in bytes, as llvm-jitlink's `-sectcreate` has it.
const ALIGN: u64 = 16;

/// A file called `name` with a read-only section `section` that holds `content`, and global symbols at offsets, which may lie past its
/// end.
pub fn raw_section(
    name: String,
    target: Target,
    section: &'static [u8],
    content: &'static [u8],
    symbols: &[(&'static [u8], u64)],
) -> ObjectFile {
    let symbol = |&(name, value): &(&'static [u8], u64)| ObjectSymbol {
        name,
        place: ObjectPlace::Section(0),
        value,
        size: (content.len() as u64).saturating_sub(value),
        kind: SymbolKind::Data,
        linkage: Linkage::Strong,
        scope: Scope::Default,
    };
    ObjectFile {
        name,
        target,
        sections: ObjectSections::of(
            content,
            [ObjectSection {
                name: section,
                kind: SectionKind::Loaded,
                prot: MemProt::Read,
                content,
                size: content.len() as u64,
                align: ALIGN,
                align_offset: 0,
                linked_to: None,
            }],
        ),
        symbols: ObjectSymbols::of(content, symbols.iter().map(symbol)),
        groups: Vec::new(),
        group_members: Vec::new(),
        format: Box::new(NoRelocations),
    }
}

/// The format of files that refer to nothing.
#[derive(Debug)]
struct NoRelocations;

impl ObjectFormat for NoRelocations {
    fn edges(&self, _: &ObjectFile, _: u32, _: &mut Vec<ObjectEdge>) -> Result<()> {
        Ok(())
    }

    fn has_edge(
        &self,
        _: &ObjectFile,
        _: FileView<'_>,
        _: &mut usize,
        _: &mut dyn FnMut(EdgeKind, bool) -> bool,
    ) -> bool {
        false
    }
}
