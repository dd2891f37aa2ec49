//! Running what was linked: memory, the process's symbols, calls into linked code and its calls back.
//!
//! `memory` and `executor` are the seams, without any operating system; `in_process*` is the executor that is this process,
//! `slab` the memory of an executor that runs nothing. Everything unsafe is in `sys`.
#![deny(unsafe_code)]

mod chunk;
pub mod crash;
pub mod executor;
pub mod gate;
pub mod image;
pub mod image_process;
mod in_process;
mod in_process_memory;
pub mod libraries;
pub mod linker_script;
pub mod memory;
mod pool;
pub mod program;
mod reservation;
mod room;
pub mod runtime_archive;
pub(crate) mod shard;
mod slab;
mod sys;
pub mod thread_local;
pub mod wrapper;

pub use executor::{
    DispatchHandler, DispatchResult, ExecutorError, ExecutorProcessControl, JitDispatch, ProcessObject, Rebinding,
};
pub use gate::forked;
pub use in_process::InProcess;
pub use in_process_memory::InProcessMemoryManager;
pub use memory::{Bounds, CodeMemory, MemoryError, MemoryManager, Placement, Segment, SegmentRequest};
#[doc(hidden)]
pub use pool::{
    do_own_job, end_pool, in_place_scope, in_place_scope_fifo, in_pool, is_pool_in_use, join_pool, offer, pool_size,
    use_pool,
};
pub use program::{ProgramSymbol, ProgramSymbols};
pub use slab::SlabMemoryManager;
pub use sys::c_arguments;
pub use sys::crash::catch as catch_crashes;
pub use sys::crash_memory::CrashSafeAllocator;
pub use sys::jit_debug::{Registration, debugger_listens};
pub use sys::process::in_child;
pub use sys::process::{at_exit_of_this_process, background_thread, library_symbol, processor_times, thread_id};
pub use sys::restart::{enlarge_thread_local_reserve, resume, start_with_executable_stacks};
pub use sys::{
    check_file, close_files, copy_file_part, file_at, leave_memory_behind, map_file, map_marker, mapped_bytes,
    monotonic_nanoseconds, page_size, set_aside_files,
};
pub use thread_local::{PretendReserve, ThreadLocalMemory, ThreadLocalPlace};
