//! Symbols of the process, by the names that symbol tables have.

use crate::base::{Arch, ExecutorAddr, Target};
use crate::link;
use crate::rt::executor::ExecutorProcessControl;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the process says about `name`, as a symbol table for `target` has it.
///
/// Nothing is run where the process is for another architecture: its addresses are only numbers there, such as code of the target can
/// refer to.
pub(super) fn lookup(target: Target, executor: &dyn ExecutorProcessControl, name: &[u8]) -> Option<ExecutorAddr> {
    let symbol = link::conventions(target.format).process_symbol(name)?;
    let provided = executor.provided(target.format, symbol.name);
    let found = provided.or_else(|| executor.lookup(symbol.name, symbol.version))?;
    Some(if Arch::host() == Some(target.arch) { found } else { ExecutorAddr(found.0 & !15) })
}

/// What the process has said about a symbol: nothing yet at first.
#[derive(Debug)]
pub(super) struct ProcessAnswer(AtomicU64);

/// Addresses that no symbol has, which say that nobody has asked, and that there is none.
const NOT_ASKED: u64 = u64::MAX;
const NONE: u64 = u64::MAX - 1;

impl Default for ProcessAnswer {
    fn default() -> ProcessAnswer {
        ProcessAnswer(AtomicU64::new(NOT_ASKED))
    }
}

impl ProcessAnswer {
    /// What was answered, if somebody has asked.
    pub fn get(&self) -> Option<Option<ExecutorAddr>> {
        match self.0.load(Ordering::Acquire) {
            NOT_ASKED => None,
            NONE => Some(None),
            address => Some(Some(ExecutorAddr(address))),
        }
    }

    /// What was answered first; `ask` is asked if there is no answer yet, by several threads perhaps.
    pub fn get_or_ask(&self, ask: impl FnOnce() -> Option<ExecutorAddr>) -> Option<ExecutorAddr> {
        self.get().unwrap_or_else(|| {
            let answer = ask();
            let word = answer.map_or(NONE, |address| address.0);
            match self.0.compare_exchange(NOT_ASKED, word, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => answer,
                Err(_) => self.get().flatten(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_stays() {
        for first in [None, Some(ExecutorAddr(0)), Some(ExecutorAddr(8))] {
            let process = ProcessAnswer::default();
            assert_eq!(process.get(), None);
            assert_eq!(process.get_or_ask(|| first), first);
            assert_eq!(process.get_or_ask(|| Some(ExecutorAddr(16))), first);
            assert_eq!(process.get(), Some(first));
        }
    }
}
