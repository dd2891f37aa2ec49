//! Code that is part of a function made of pieces: `.init` and `.fini`.
//!
//! A static linker lays the sections of that name one behind another. The C library's start files are the first and the last one: they
//! begin a function and end it, and the pieces between them are run in turn. Here each piece gets a beginning and an end of its own,
//! which is the same to it: it has the stack to itself and is left at its end. The start files' own pieces, should somebody link with
//! them, are not run: what they do is done by those beginnings and ends.

use super::closure::Expansion;
use super::error::SessionError;
use super::part::{Publish, UnitPart};
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use crate::link::arch::FRAGMENT_PROLOGUE;
use crate::link::object_file::{ObjectPlace, SectionKind};
use crate::link::{BlockId, Content, LinkError};
use std::sync::Arc;

/// The blocks of one piece are one contiguous set; those of a file's sections begin with this number.
pub(super) const FIRST_SET: u32 = 1 << 31;

/// Whether sections of this kind are pieces of a function.
pub(super) fn is_fragment(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::InitializerCode | SectionKind::FinalizerCode)
}

/// Whether `section` of `unit`, a piece, is to be run: not if the function itself begins there.
pub(super) fn is_run(unit: &MaterializationUnit, section: u32) -> bool {
    let begins = |name: &[u8]| matches!(name, b"_init" | b"_fini");
    unit.file.sections.at(section as usize).size != 0
        && !unit.file.symbols.iter().any(|s| s.place == ObjectPlace::Section(section) && begins(s.name))
}

/// The function made of the piece that is linked at `address`.
pub(super) fn function(address: ExecutorAddr) -> ExecutorAddr {
    ExecutorAddr(address.0.wrapping_sub(FRAGMENT_PROLOGUE))
}

impl Expansion<'_, '_> {
    /// The block of `section`, a piece, between those that make it a function.
    pub(super) fn fragment(&mut self, unit: &Arc<MaterializationUnit>, section: u32) -> Result<BlockId, SessionError> {
        let s = unit.file.sections.at(section as usize);
        if self.closure.relocatable {
            let what = "its pieces of .init and .fini cannot be part of an image";
            return Err(LinkError::unsuitable(&unit.file.name, what).into());
        }
        let (before, after) = self.closure.arch.fragment_frame();
        let graph = &mut self.part.graph;
        let id = graph.add_section(s.name, s.prot);
        let add = |graph: &mut crate::link::LinkGraph, bytes: &'static [u8], align| {
            let block = graph.add_block(id, Content::Borrowed(bytes), bytes.len() as u64, align);
            graph.blocks[block.index()].contiguous = Some(FIRST_SET + section);
            block
        };
        add(graph, before, FRAGMENT_PROLOGUE);
        // No gap may be between the pieces, whatever the file asks for.
        let block = add(graph, s.content, s.align.min(FRAGMENT_PROLOGUE));
        add(graph, after, 1);
        debug_assert_eq!(self.unit_part().blocks[section as usize], UnitPart::NONE);
        self.unit_part().blocks[section as usize] = block.0;
        self.part.published.push((block, Publish::Section(section)));
        Ok(block)
    }
}
