//! Running what was linked: memory, the process's symbols, calls into linked code and its calls back.
//!
//! `memory` and `executor` are the seams, without any operating system; `in_process*` is the executor that is this process,
//! `slab` the memory of an executor that runs nothing. Everything unsafe is in `sys`.
#![deny(unsafe_code)]

pub mod executor;
pub mod gate;
mod in_process;
mod in_process_memory;
pub mod libraries;
pub mod linker_script;
pub mod memory;
pub mod program;
pub mod runtime_archive;
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
pub use memory::{Bounds, MemoryError, MemoryManager, Placement, Segment, SegmentRequest};
pub use program::{ProgramSymbol, ProgramSymbols};
pub use slab::SlabMemoryManager;
pub use sys::map_file;
pub use thread_local::{PretendReserve, ThreadLocalMemory, ThreadLocalPlace};
