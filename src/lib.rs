//! A lazy JIT linker as a library.
pub mod base;
pub mod rt;
