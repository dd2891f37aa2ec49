//! A lazy JIT linker for relocatable object files.

pub mod base;
pub mod link;
