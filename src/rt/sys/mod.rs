//! Everything unsafe of this layer, and everything that knows an operating system.
//!
//! Porting means writing one more file like `linux.rs`: the same names with the same promises. What is common to Unixes is
//! beside it. Ownership carries the safety arguments: an [`Extent`] owns addresses nobody else may map, a [`View`] owns
//! bytes nobody else may write.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as os;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as os;

#[cfg(target_os = "linux")]
mod allocator;
#[cfg(target_os = "linux")]
mod backtrace;
pub mod dispatch;
mod extent;
mod icache;
#[cfg(target_os = "linux")]
pub mod interpose;
mod interrupts;
#[cfg(target_os = "linux")]
mod loaded;
#[cfg(target_os = "linux")]
pub mod loader;
mod map;
pub mod process;
#[cfg(target_os = "macos")]
mod program_macos;
#[cfg(target_os = "linux")]
pub mod provider;
#[cfg(target_os = "linux")]
pub mod rebind;
mod stack;
#[cfg(target_os = "linux")]
#[path = "thread_local_linux.rs"]
pub mod thread_local;
#[cfg(target_os = "macos")]
#[path = "thread_local_macos.rs"]
pub mod thread_local;
#[cfg(target_os = "linux")]
mod thread_local_probe;

pub use extent::{Extent, View};
#[cfg(target_os = "macos")]
pub use macos::rebind;
pub use map::map_file;
pub use os::{Backing, PAGES_ARE_SHARED, finish, frame_records, largest_reservation, near_address};
#[cfg(target_os = "macos")]
pub use program_macos::{interpose, loader, provider};

/// The size of a page of this process in bytes.
pub fn page_size() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(0x1_0000).max(0x1000)
}

/// The id of this process, asked anew: it tells a child of `fork` from its parent however it was made.
pub fn process_id() -> u32 {
    std::process::id()
}

#[cfg(test)]
pub mod testing;
