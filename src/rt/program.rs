//! The linked program as the rest of the process sees it: what an executable's dynamic symbol table is to a loader.

use super::thread_local::ThreadLocalPlace;
use crate::base::{AddrRange, ExecutorAddr, MemProt};

/// The symbols of a program that others may use. Asked from any thread at any time, inside the fork gate.
pub trait ProgramSymbols: Send + Sync {
    /// Whether the program defines `name` for others too.
    fn exports(&self, name: &[u8]) -> bool;

    /// The address of an exported symbol, linked if it is not yet; a lazy function's is its entry point. `None` if there is none, and if it
    /// cannot be linked.
    fn find(&self, name: &[u8]) -> Option<ExecutorAddr>;

    /// Where the exported thread-local variable `name` is.
    fn thread_local(&self, name: &[u8]) -> Option<ThreadLocalPlace> {
        let _ = name;
        None
    }

    /// The program's memory as it is mapped by now, with its protection.
    fn mapped(&self) -> Vec<(AddrRange, MemProt)>;

    /// Libraries have been loaded that may have symbols which the program lacks. For a thread that does not link.
    fn libraries_were_loaded(&self) {}

    /// The exported symbol that `address` is in, if that is linked.
    fn symbol_at(&self, address: ExecutorAddr) -> Option<ProgramSymbol>;
}

/// A symbol of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProgramSymbol {
    /// Its name.
    pub name: &'static [u8],
    /// Where it begins: the entry point or the body of a lazy function, whichever was asked for.
    pub address: ExecutorAddr,
}
