//! Thread-local memory on macOS: none. Mach-O's variables have descriptors, whose functions allocate (see dyld's tlv_get_addr).

use crate::base::ExecutorAddr;
use crate::rt::executor::ExecutorError;
use crate::rt::thread_local::{ThreadLocalMemory, ThreadLocalPlace};

/// Has nothing to give.
#[derive(Debug)]
pub struct ProcessThreadLocals;

impl ThreadLocalMemory for ProcessThreadLocals {
    fn allocate(&self, _pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }

    fn allocate_dynamic(&self, _size: u64, _align: u64) -> Result<u64, ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }

    fn descriptor_resolver(&self) -> ExecutorAddr {
        ExecutorAddr::NULL
    }

    fn initialize(&self, _place: ThreadLocalPlace, _bytes: &[u8]) -> Result<(), ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }
}

/// Refuses: there is no reserve to be enlarged.
pub fn enlarge_reserve(_size: u64) -> Result<(), ExecutorError> {
    Err(ExecutorError::ThreadLocalUnsupported)
}

/// Where a library's thread-local variable is: not known here.
pub fn ask(_name: &[u8]) -> Option<ThreadLocalPlace> {
    None
}

/// What linked code gets in the place of the C library's function `name`: nothing here.
pub fn replacement(_name: &[u8]) -> Option<ExecutorAddr> {
    None
}
