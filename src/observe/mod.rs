//! What people and their tools want to see of linked code: debuggers, profilers, backtraces, traces, statistics.
//!
//! Everything here is a [`Plugin`](crate::lazy::Plugin) of the session or reads what plugins have noted; nothing of it costs anything
//! unless it is asked for.
//!
//! `debug_info` puts together the DWARF of files as a linker would, `symfile` the object file that debuggers read, `debugger` gives it to
//! them. `crash` says where a program has died.
#![forbid(unsafe_code)]

mod crash;
mod debug_info;
mod debugger;
mod symfile;

pub use crash::crash_report;
pub use debug_info::DebugInfo;
pub use debugger::DebuggerSupport;
