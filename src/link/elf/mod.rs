//! ELF relocatable files (System V gABI chapter 4, x86-64 psABI, AAELF64).
//!
//! `read` brings a file's section headers and symbol table to an [`crate::link::ObjectFile`]; `edges` its
//! relocations to edges, section by section; `debug` finds debug information; `relocation` says what the relocation types of an architecture mean, in the
//! crossing files `x86_64` and `aarch64`; `names` knows sections that
//! are recognized by name, `conventions` the names that ELF systems agree on.

pub mod aarch64;
mod conventions;
mod debug;
mod edges;
mod names;
mod numbering;
mod read;
pub mod relocation;
mod tables;
pub mod x86_64;

pub use conventions::ElfConventions;
pub use read::{read, target_of};
pub use tables::TableCopies;
