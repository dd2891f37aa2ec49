//! Mach-O relocatable files (Apple's `<mach-o/loader.h>`, `nlist.h`, `reloc.h`, `x86_64/reloc.h`, `arm64/reloc.h`).
//!
//! `read` checks the header and finds the load commands; `sections` brings the sections to [`crate::link::ObjectSection`]s, cut
//! up by `split`; `symbols` the symbol table; `edges` the relocations to edges, section by section; `relocation` says what the
//! relocation types of an architecture mean, in the crossing files `x86_64` and `aarch64`; `names` knows what is recognized by name.
//!
//! # What is what
//! - **Sections.** A file has one segment of up to 255 sections; the segment a section is meant for is part of its name:
//!   [`crate::link::ObjectSection::name`] is `__TEXT,__text`. A file with `MH_SUBSECTIONS_VIA_SYMBOLS` promises that every symbol but those
//!   marked `N_ALT_ENTRY` begins something that stands for itself: there each piece is an `ObjectSection` of its own, placed at
//!   the same remainder modulo the section's alignment as in the file. Without the flag a section is linked as a whole.
//! - **Symbols** keep their numbers in the file's symbol table; debugging entries (stabs) are placeholders. Behind them comes one
//!   nameless symbol for each `ObjectSection`, for relocations that name a place and no symbol, then those that indirect
//!   symbols (`N_INDR`) stand for.
//! - **Functions** have no mark of their own: what is in a section with instructions is one, unless `LC_DATA_IN_CODE` covers it.
//! - **Addends** stand in the place that is relocated, or, for instructions of arm64, in a relocation in front.
//!
//! # Thread-local variables
//! A variable is a descriptor in `__DATA,__thread_vars`, 24 bytes: a function that returns the variable's address in the calling
//! thread, given the descriptor's; a key for that function's use; where the variable is in the thread's copy of the initial values.
//! Code calls through the descriptor, whose address it loads as from a GOT entry (`TLVP` relocations): to the linker a variable's
//! symbol is ordinary data, and the descriptor an ordinary section. The initial values, `__thread_data` and `__thread_bss`, are of kind
//! [`crate::link::object_file::SectionKind::ThreadLocal`], whole; a descriptor's third word is an edge of class
//! [`crate::link::EdgeClass::ThreadLocal`] to them (`TP(T) + A`). So it holds, as a symbol in ELF would, the offset from the thread pointer
//! or from whatever the function in the first word adds it to. That function is `__tlv_bootstrap` in files.

pub mod aarch64;
mod edges;
mod names;
mod read;
pub mod relocation;
mod sections;
mod split;
mod symbols;
pub mod x86_64;

pub use read::{read, target_of};
