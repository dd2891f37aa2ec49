//! macOS: libraries keep the definitions that the loader has found for them, and the loader's functions do not see the program.

/// The loader's functions.
pub mod loader {
    use crate::base::ExecutorAddr;
    use crate::rt::program::ProgramSymbols;
    use std::ffi::CStr;
    use std::sync::Arc;

    /// A program that runs in this process.
    pub struct Program {
        /// Its symbols.
        pub symbols: Arc<dyn ProgramSymbols>,
        /// What it is called: `argv[0]`.
        pub name: &'static CStr,
    }

    /// Nothing asks for it.
    pub fn publish(program: Program) {
        log::debug!("{:?} with {:?}: not seen by the loader", program.name, program.symbols.mapped());
    }

    /// The same function.
    pub fn stand_in(function: ExecutorAddr) -> ExecutorAddr {
        function
    }
}

/// Symbol interposition.
pub mod interpose {
    use crate::base::ExecutorAddr;
    use std::collections::BTreeMap;
    use std::io;

    /// None.
    pub fn references(_wanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Nothing to do.
    ///
    /// # Errors
    /// None here.
    pub fn bind(_definitions: &BTreeMap<Vec<u8>, ExecutorAddr>) -> io::Result<()> {
        Ok(())
    }
}

/// Symbols of the program for libraries that are loaded before it is linked.
pub mod provider {
    use crate::base::ExecutorAddr;
    use std::collections::BTreeSet;

    /// Nothing can be provided.
    pub fn provide_missing(
        _reason: &str,
        _tried: &mut BTreeSet<Vec<u8>>,
        _provide: &dyn Fn(&[u8]) -> Option<ExecutorAddr>,
    ) -> bool {
        false
    }

    /// No file of this system asks for that.
    ///
    /// # Errors
    /// Always.
    pub fn make_stacks_executable() -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// No address.
    pub fn too_early() -> ExecutorAddr {
        ExecutorAddr::NULL
    }
}

/// Nothing is to be had by starting again.
pub mod restart {
    use crate::rt::executor::ExecutorError;

    /// Does nothing: no process was started again.
    ///
    /// # Errors
    /// None here.
    pub fn resume() -> Result<(), ExecutorError> {
        Ok(())
    }

    /// Refuses: the size of a thread's block is fixed.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalUnsupported`].
    pub fn enlarge_thread_local_reserve(_size: u64) -> Result<(), ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }

    /// Refuses: no process of this system has executable stacks.
    ///
    /// # Errors
    /// [`ExecutorError::ExecutableStack`] with `reason`.
    pub fn start_with_executable_stacks(reason: &str) -> ExecutorError {
        ExecutorError::ExecutableStack(reason.to_string())
    }
}

/// Nothing: this system has no processes that share memory.
pub fn leave_memory_behind() {}
