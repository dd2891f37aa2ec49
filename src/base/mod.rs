//! The vocabulary every other layer uses: addresses, targets, memory protections.
//!
//! Nothing here knows what a linker does, allocates on a hot path, or touches the operating system.

mod addr;
mod protection;
mod target;

pub use addr::{AddrRange, ExecutorAddr, align_up};
pub use protection::MemProt;
pub use target::{Arch, Format, Target};
