//! Links one graph or one batch of graphs: read, passes, layout, fixup. Knows no session and no operating system.
//!
//! A *format* folder (`elf`, `macho`) reads files into [`ObjectFile`]s and their relocations into edges; an *architecture* file
//! (`arch/x86_64.rs` …) says what the edge kinds compute, applies them, relaxes and shapes stubs. Only the crossing files
//! (`elf/x86_64.rs` …) know both. Everything else in here knows neither.
#![forbid(unsafe_code)]

pub mod arch;
pub mod archive;
pub mod conventions;
pub mod edge;
pub mod elf;
mod error;
pub mod file_view;
pub mod fixup;
pub mod graph;
mod intermediate_code;
pub mod layout;
pub mod macho;
pub mod object_file;
pub mod packed;
mod raw_section;
mod read;
pub mod tables;
pub mod unwind;

pub use edge::{Edge, EdgeClass, EdgeKind, EdgeKindInfo};
pub use elf::TableCopies;
pub use error::{FailedFixup, LinkError, LinkErrorKind, Result};
pub use graph::{
    Block, BlockId, Content, DynamicThreadLocal, LinkGraph, Linkage, OptionalSymbol, Scope, Section, SectionId, Symbol,
    SymbolId, SymbolPlace,
};
pub use object_file::{ObjectFile, ObjectSection, ObjectSymbol};
pub use raw_section::raw_section;
pub use read::{exported_names, part_for, read_object, read_object_through, target_of, targets_of};

use crate::base::Format;

/// What the systems that use `format` agree on.
pub fn conventions(format: Format) -> &'static dyn conventions::Conventions {
    match format {
        Format::Elf => &elf::ElfConventions,
        Format::MachO => &macho::MachOConventions,
    }
}
