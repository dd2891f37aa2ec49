//! What people and their tools want to see of linked code: debuggers, profilers, backtraces, traces, statistics.
//!
//! Everything here is a [`Plugin`](crate::lazy::Plugin) of the session or reads what plugins have noted; nothing of it costs anything
//! unless it is asked for.
//!
//! `debug_info` puts together the DWARF of files as a linker would, `symfile` the object file that debuggers read, `debugger` gives it to
//! them. `perf` writes what Linux's profiler reads, `crash` says where a program has died,
//! `trace`, `stats` and `times` how long what took, `dot` shows graphs, `lazy_order` records first calls,
//! `progress_bar` keeps people patient.
#![forbid(unsafe_code)]

mod crash;
mod debug_info;
mod debugger;
mod dot;
mod functions;
mod json;
mod lazy_order;
mod lines;
mod perf;
mod progress_bar;
mod stats;
mod symfile;
mod times;
mod trace;

pub use crash::{LinkedCode, crash_report};
pub use debug_info::DebugInfo;
pub use debugger::DebuggerSupport;
pub use dot::DotGraphs;
pub use lazy_order::{LazyOrder, read_lazy_order};
pub use perf::{JitDump, PerfMap};
pub use progress_bar::show_progress;
pub use stats::Stats;
pub use times::{Phase, PhaseTimes};
pub use trace::TimeTrace;
