//! Symbols of the process, by the names that symbol tables have.

use crate::base::{ExecutorAddr, Format};
use crate::link;
use crate::rt::executor::ExecutorProcessControl;

/// What the process says about `name`, as a symbol table of `format` has it.
pub(super) fn lookup(format: Format, executor: &dyn ExecutorProcessControl, name: &[u8]) -> Option<ExecutorAddr> {
    let symbol = link::conventions(format).process_symbol(name)?;
    executor.provided(format, symbol.name).or_else(|| executor.lookup(symbol.name, symbol.version))
}
