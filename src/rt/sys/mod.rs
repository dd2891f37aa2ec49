//! Everything unsafe of this layer, and everything that knows an operating system.
//!
//! Porting means writing one more file like `linux.rs`: the same names with the same promises. What is common to Unixes is
//! beside it. Ownership carries the safety arguments: an [`Extent`] owns addresses nobody else may map, a [`View`] owns
//! bytes nobody else may write.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

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
pub mod crash;
mod crash_context;
pub mod crash_memory;
#[cfg(target_os = "linux")]
mod darwin_names;
pub mod dispatch;
mod entry;
mod extent;
mod fork_mark;
mod frame_records;
#[cfg(target_os = "linux")]
mod frame_section;
#[cfg(target_os = "linux")]
mod frame_table;
#[cfg(target_os = "linux")]
mod generated_library;
#[cfg(target_os = "linux")]
mod heap;
#[cfg(target_os = "linux")]
mod huge_pages;
mod icache;
pub mod image;
#[cfg(target_os = "linux")]
pub mod interpose;
pub mod interrupts;
pub mod jit_debug;
#[cfg(target_os = "linux")]
mod loaded;
#[cfg(target_os = "linux")]
pub mod loader;
#[cfg(target_os = "linux")]
mod main_thread;
mod map;
mod mapped;
mod marker;
#[cfg(target_os = "linux")]
mod open;
#[cfg(target_os = "linux")]
mod piece;
pub mod process;
#[cfg(target_os = "macos")]
mod program_macos;
#[cfg(target_os = "linux")]
pub mod provider;
#[cfg(target_os = "linux")]
pub mod rebind;
#[cfg(target_os = "linux")]
pub mod restart;
#[cfg(target_os = "linux")]
mod slot;
mod stack;
#[cfg(target_os = "linux")]
mod teardown;
pub mod test_result;
#[cfg(target_os = "linux")]
#[path = "thread_local_linux.rs"]
pub mod thread_local;
#[cfg(target_os = "linux")]
mod thread_local_blocks;
#[cfg(target_os = "linux")]
mod thread_local_descriptor;
#[cfg(target_os = "linux")]
mod thread_local_probe;
#[cfg(target_os = "linux")]
mod thread_local_reserve;
#[cfg(target_os = "linux")]
mod unwinder;

#[cfg(target_os = "linux")]
pub use darwin_names::provided;
pub use entry::c_arguments;
pub use extent::{Extent, View, ViewPages};
pub use fork_mark::ForkMark;
#[cfg(target_os = "linux")]
pub use heap::Heap;
#[cfg(target_os = "linux")]
pub use huge_pages::want_huge_pages;
#[cfg(target_os = "macos")]
pub use macos::{provided, rebind, register_frames, thread_local};
pub use map::{close_files, copy_file_part, map_file, mapped_bytes, set_aside_files};
pub use mapped::{check as check_file, file_at};
pub use marker::{map_marker, monotonic_nanoseconds};
pub use os::{Backing, PAGES_ARE_SHARED, core, finish, largest_reservation, near_address, seal};
#[cfg(target_os = "macos")]
pub use program_macos::{interpose, leave_memory_behind, loader, provider, restart};
/// The linker's heap is the system's.
#[cfg(target_os = "macos")]
pub use std::alloc::System as Heap;
#[cfg(target_os = "linux")]
pub use teardown::leave_memory_behind;
#[cfg(target_os = "linux")]
pub use unwinder::register_frames;

/// The size of a page of this process in bytes.
pub fn page_size() -> u64 {
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    let known = KNOWN.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: sysconf has no preconditions.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = u64::try_from(size).unwrap_or(0x1_0000).max(0x1000);
    KNOWN.store(size, Ordering::Relaxed);
    size
}

/// The id of this process, asked anew: it tells a child of `fork` from its parent however it was made.
pub fn process_id() -> u32 {
    std::process::id()
}

#[cfg(test)]
pub mod testing;
