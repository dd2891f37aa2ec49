//! What is known about distances before addresses are.
//!
//! Relaxation and the decision for a stub come before layout, because they change what is laid out. All linked memory
//! lies in known bounds by then, and so do the addresses of absolute symbols and of the process's symbols: that is
//! enough to say which references are *sure* to reach.

use crate::base::{AddrRange, ExecutorAddr};
use crate::link::graph::{LinkGraph, SymbolId, SymbolPlace};

/// Bounds of everything that is or will be linked, for questions about distance.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Where linked code lies, this batch included.
    pub code: AddrRange,
    /// Where all linked memory lies, code included, but for what may be out of reach.
    pub all: AddrRange,
    /// Whether references may be pointed at addresses that linking does not choose
    /// (false if the process's addresses say nothing about the executor's).
    pub absolute_known: bool,
    /// The addresses of the symbols of the graph in question, once they are there; the bounds are those of the graph then.
    pub addresses: Option<&'a [ExecutorAddr]>,
}

impl Reach<'static> {
    /// Nothing is sure to reach anything.
    pub const NONE: Reach<'static> = {
        let everywhere = AddrRange { start: ExecutorAddr(0), end: ExecutorAddr(u64::MAX) };
        Reach { code: everywhere, all: everywhere, absolute_known: false, addresses: None }
    };
}

impl Reach<'_> {
    /// The greatest distance in bytes there can be between a place in `from` and the target, addends left aside.
    fn farthest(&self, from: AddrRange, graph: &LinkGraph, target: SymbolId, to: AddrRange) -> u64 {
        if let Some(addresses) = self.addresses {
            return distance(from, AddrRange::new(addresses[target.index()], 0));
        }
        match graph.symbols[target.index()].place {
            SymbolPlace::Absolute(address) => {
                if self.absolute_known {
                    distance(from, AddrRange::new(address, 0))
                } else {
                    u64::MAX
                }
            }
            SymbolPlace::DynamicThreadLocal(_) | SymbolPlace::External { far: true, .. } => u64::MAX,
            SymbolPlace::Defined { block, .. } if graph.sections[graph.blocks[block.index()].section.index()].far => {
                u64::MAX
            }
            SymbolPlace::Defined { .. } | SymbolPlace::External { .. } => distance(from, to),
        }
    }

    /// Whether every place in linked code is within `limit` bytes of `target`, whatever it is.
    pub fn is_sure(&self, graph: &LinkGraph, target: SymbolId, limit: u64) -> bool {
        self.farthest(self.all, graph, target, self.all) < limit
    }

    /// Whether every branch from linked code to `target`, which is code, is within `limit` bytes.
    pub fn branch_is_sure(&self, graph: &LinkGraph, target: SymbolId, limit: u64) -> bool {
        self.farthest(self.code, graph, target, self.code) < limit
    }

    /// The address of `target` if linking does not choose it and it is known.
    pub fn absolute(&self, graph: &LinkGraph, target: SymbolId) -> Option<ExecutorAddr> {
        match graph.symbols[target.index()].place {
            SymbolPlace::Absolute(address) if self.absolute_known => Some(address),
            _ => None,
        }
    }
}

/// The greatest distance between an address in `a` and one in `b`.
fn distance(a: AddrRange, b: AddrRange) -> u64 {
    b.end.0.saturating_sub(a.start.0).max(a.end.0.saturating_sub(b.start.0))
}
