//! ELF relocatable files (System V gABI, chapter 4; x86-64 psABI; AAELF64).

pub mod aarch64;
pub mod relocation;
pub mod x86_64;
