//! RedirectableSymbolManager: functions whose implementation can be changed while they are being called.
//!
//! Each is a pointer in data and a stub that jumps through it. Redirecting is one atomic store to the pointer: neither code nor
//! callers change. Made in bulk, one graph `<indirect stubs graph #N>` for all entry points of a file.

use super::trampolines::{STUBS_SECTION, add_pointers, add_row};
use crate::base::{ExecutorAddr, MemProt};
use crate::link::arch::Architecture;
use crate::link::{BlockId, LinkGraph, SymbolId};
use crate::rt::ExecutorProcessControl;
use std::sync::atomic::{AtomicU32, Ordering};

/// Name of the section that the pointers are in, as LLVM's.
const POINTERS_SECTION: &[u8] = b"__orc_stub_ptrs";

/// Makes redirectable stubs, numbers their graphs, and redirects them.
#[derive(Debug, Default)]
pub struct RedirectableSymbolManager {
    graphs: AtomicU32,
}

/// The blocks of a row of redirectable stubs.
#[derive(Clone, Copy, Debug)]
pub struct RedirectableStubs {
    /// 8-byte pointers, one behind another.
    pub pointers: BlockId,
    /// Stubs, [`RedirectableSymbolManager::stride`] apart.
    pub stubs: BlockId,
}

impl RedirectableSymbolManager {
    /// The name of the next graph: `<indirect stubs graph #1>`, …
    pub fn next_graph_name(&self) -> String {
        format!("<indirect stubs graph #{}>", self.graphs.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Adds `count` stubs to `graph`; stub `n` first goes to the symbol, and bytes behind it, that `initial` names.
    pub fn build(
        arch: &dyn Architecture,
        graph: &mut LinkGraph,
        count: u32,
        initial: impl Fn(u32) -> (SymbolId, i64),
    ) -> RedirectableStubs {
        let data = graph.add_section(POINTERS_SECTION, MemProt::ReadWrite);
        let pointers = add_pointers(arch, graph, data, count, initial);
        let pointer = graph.add_anonymous_symbol(pointers, 0, u64::from(count) * 8);
        let code = graph.add_section(STUBS_SECTION, MemProt::ReadExec);
        let stubs = add_row(graph, code, arch.pointer_jump_stub(), count, |n| (pointer, i64::from(n) * 8));
        RedirectableStubs { pointers, stubs }
    }

    /// Distance in bytes between two stubs of a block.
    pub fn stride(arch: &dyn Architecture) -> u64 {
        u64::from(arch.pointer_jump_stub().stride)
    }

    /// Makes the stub whose pointer is at `pointer` go to `implementation`, at once for all threads.
    pub fn redirect(executor: &dyn ExecutorProcessControl, pointer: ExecutorAddr, implementation: ExecutorAddr) {
        executor.write_pointer(pointer, implementation);
    }
}
