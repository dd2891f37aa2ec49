//! Symbols of the process, by the names that symbol tables have.

use crate::base::ExecutorAddr;
use crate::rt::executor::ExecutorProcessControl;

/// What the process says about `name`, as a symbol table has it.
pub(super) fn lookup(executor: &dyn ExecutorProcessControl, name: &[u8]) -> Option<ExecutorAddr> {
    let (name, version) = split_version(name);
    executor.lookup(name, version)
}

/// A name and the version asked for with it (`name@VERSION`, written by `.symver`).
pub(super) fn split_version(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|&b| b == b'@') {
        Some(at) => {
            let version = &name[at..];
            let skip = version.iter().take_while(|&&b| b == b'@').count();
            (&name[..at], Some(&version[skip..]))
        }
        None => (name, None),
    }
}
