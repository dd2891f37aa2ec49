//! Symbols of the process, by the names that symbol tables have.

use crate::base::{Arch, ExecutorAddr, Target};
use crate::link;
use crate::rt::executor::ExecutorProcessControl;

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
