//! Mach-O.
mod conventions;
pub mod stub;
mod text_stub;
pub mod universal;

pub use conventions::MachOConventions;
