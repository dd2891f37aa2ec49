//! Thread-local memory of this process: a reserve at constant offsets from the thread pointer, and blocks for what does not fit.
//!
//! The reserve is carved out of every thread's stack, as all thread-local memory is that the loader knows from the start, and copied
//! when a thread starts. For a thread whose stack size the program chose, [`pthread_create`] adds what the reserve takes.

use std::ffi::{c_int, c_void};
use std::io;

pub use super::thread_local_probe::ask;
use super::{thread_local_blocks as blocks, thread_local_descriptor as descriptor, thread_local_reserve as reserve};
use crate::base::ExecutorAddr;
use crate::rt::executor::ExecutorError;
use crate::rt::thread_local::{ThreadLocalMemory, ThreadLocalPlace};

/// The thread-local memory of this process's threads.
#[derive(Debug)]
pub struct ProcessThreadLocals;

impl ThreadLocalMemory for ProcessThreadLocals {
    fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        reserve::area().ok_or(ExecutorError::ThreadLocalDynamic)?.allocate(pieces)
    }

    fn allocate_dynamic(&self, size: u64, align: u64) -> Result<u64, ExecutorError> {
        blocks::allocate(size, align)
    }

    fn descriptor_resolver(&self) -> ExecutorAddr {
        descriptor::resolver()
    }

    fn initialize(&self, place: ThreadLocalPlace, bytes: &[u8]) -> Result<(), ExecutorError> {
        if bytes.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let result = match place {
            ThreadLocalPlace::Dynamic { module, offset } => blocks::initialize(module, offset, bytes),
            ThreadLocalPlace::Offset(offset) => match reserve::area() {
                Some(area) => area.initialize(offset, bytes),
                None => Err(io::ErrorKind::InvalidInput.into()),
            },
        };
        result.map_err(|reason| ExecutorError::ThreadLocalTemplate { reason })
    }
}

/// Where what is at `place` is in the calling thread.
pub fn address(place: ThreadLocalPlace) -> ExecutorAddr {
    blocks::address(place)
}

/// What linked code gets in the place of the C library's function `name`.
pub fn replacement(name: &[u8]) -> Option<ExecutorAddr> {
    match name {
        b"pthread_create" => Some(ExecutorAddr(pthread_create as *const () as u64)),
        b"__tls_get_addr" => Some(ExecutorAddr(blocks::tls_get_addr as *const () as u64)),
        _ => None,
    }
}

/// Stacks of at least so many times the bytes that the reserve takes have room for it.
const SMALL_STACK: usize = 24;

/// Of a reserve that takes no more than this, stacks of the usual size have plenty.
const ORDINARY_COST: usize = 256 << 10;

unsafe extern "C" {
    fn pthread_attr_getstack(attributes: *const libc::pthread_attr_t, start: *mut u64, size: *mut usize) -> c_int;
}

/// The C library's function, but threads for which the program chose a small stack get as much of it as without the reserve.
///
/// # Safety
/// That of the C library's function.
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    if !attributes.is_null() || reserve::cost() > ORDINARY_COST {
        // SAFETY: the caller's attributes, or those that the C library takes when there are none.
        return unsafe {
            let mut default = std::mem::MaybeUninit::uninit();
            if attributes.is_null() && libc::pthread_attr_init(default.as_mut_ptr()) != 0 {
                return libc::EAGAIN;
            }
            let attributes = if attributes.is_null() { default.as_ptr() } else { attributes };
            let larger = with_larger_stack(attributes);
            libc::pthread_create(thread, larger.as_ref().map_or(attributes, std::ptr::from_ref), start, argument)
        };
    }
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_create(thread, attributes, start, argument) }
}

/// Attributes for a stack that is larger by what the reserve takes; `None` if the stack is large or the program's own memory.
fn with_larger_stack(attributes: *const libc::pthread_attr_t) -> Option<libc::pthread_attr_t> {
    let (mut size, mut start, mut length) = (0, 0u64, 0);
    // SAFETY: the attributes are initialized, and only read. Copied bytes stay valid while the original does, which is longer
    // than the call they are for; the copy is not destroyed.
    unsafe {
        let cost = reserve::cost();
        if libc::pthread_attr_getstacksize(attributes, &mut size) != 0 || size >= cost.saturating_mul(SMALL_STACK) {
            return None;
        }
        // Without memory of its own, the stack "ends" at the null pointer, or there is an error.
        if pthread_attr_getstack(attributes, &mut start, &mut length) == 0 && start.wrapping_add(length as u64) != 0 {
            return None;
        }
        let mut copy = attributes.read();
        (libc::pthread_attr_setstacksize(&mut copy, size.saturating_add(cost)) == 0).then_some(copy)
    }
}

#[cfg(test)]
#[path = "thread_local_tests.rs"]
mod tests;
