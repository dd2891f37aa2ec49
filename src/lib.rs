//! rjitlink: a lazy JIT linker for relocatable objects.
//!
//! Layers, each using only those above it: [`base`] (addresses, targets), [`link`] (one graph or one batch of graphs),
//! [`rt`] (memory and the process that runs the code), [`lazy`] (sessions: JITDylibs, lookup, lazy reexports).

pub mod base;
pub mod lazy;
pub mod link;
pub mod rt;
