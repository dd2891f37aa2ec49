//! Thread-local memory for linked code: [`ThreadLocalMemory`], and the reserve of a process that runs nothing.
//!
//! Every thread has a copy of it, at the same distance from its thread pointer. That distance is what is given out here, and
//! what the address of a thread-local symbol is: an [`ExecutorAddr`] that is an offset modulo 2^64.

use std::sync::{Mutex, PoisonError};

use super::executor::ExecutorError;
use crate::base::{ExecutorAddr, align_up};

/// Where a thread-local variable of a library is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadLocalPlace {
    /// At this offset from every thread's pointer.
    Offset(ExecutorAddr),
    /// Where `__tls_get_addr` says.
    Dynamic {
        /// The dynamic loader's number of the library.
        module: u64,
        /// Bytes from the start of the library's thread-local memory.
        offset: u64,
    },
}

/// The thread-local memory of a process that linked code is given pieces of.
pub trait ThreadLocalMemory: Send + Sync {
    /// `size` bytes, aligned to `align` (a power of two) in every thread; answers their offset from the thread pointer.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalReserve`] when so much is not left, [`ExecutorError::ThreadLocalAlign`] when no piece is aligned so.
    fn allocate(&self, size: u64, align: u64) -> Result<ExecutorAddr, ExecutorError>;

    /// Makes `bytes` the initial value of the memory at `offset`, in the calling thread and in threads that start from now on; others
    /// keep the zeroes that were there. Once for each piece.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalTemplate`].
    fn initialize(&self, offset: ExecutorAddr, bytes: &[u8]) -> Result<(), ExecutorError>;
}

/// Pieces of one reserve, given out from its start. Nothing comes back: linked code stays.
#[derive(Debug)]
pub struct Reserve {
    used: Mutex<u64>,
}

impl Reserve {
    /// A reserve of which nothing is given out.
    pub const fn new() -> Reserve {
        Reserve { used: Mutex::new(0) }
    }

    /// The next `size` bytes of `total` that begin at a multiple of `align`: bytes from the start of the reserve.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalReserve`].
    pub fn take(&self, size: u64, align: u64, total: u64) -> Result<u64, ExecutorError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |start: &u64| start.checked_add(size).is_some_and(|end| end <= total);
        let Some(start) = align_up(*used, align).filter(fits) else {
            return Err(ExecutorError::ThreadLocalReserve { wanted: size, left: total - *used, total });
        };
        *used = start + size;
        Ok(start)
    }
}

/// The reserve of a process that runs nothing: offsets that fit the code of every architecture.
#[derive(Debug, Default)]
pub struct PretendReserve {
    reserve: Reserve,
}

impl Default for Reserve {
    fn default() -> Reserve {
        Reserve::new()
    }
}

impl PretendReserve {
    /// Where it begins: not at 0, which is nobody's offset, and aligned to whatever is asked of thread-local memory.
    const START: u64 = 0x1_0000;
    /// Where it ends: AArch64's usual code adds at most 24 bits to the thread pointer.
    const END: u64 = 1 << 24;
}

impl ThreadLocalMemory for PretendReserve {
    fn allocate(&self, size: u64, align: u64) -> Result<ExecutorAddr, ExecutorError> {
        if align > Self::START {
            return Err(ExecutorError::ThreadLocalAlign { wanted: align, most: Self::START });
        }
        let start = self.reserve.take(size, align, Self::END - Self::START)?;
        Ok(ExecutorAddr(Self::START + start))
    }

    fn initialize(&self, _offset: ExecutorAddr, _bytes: &[u8]) -> Result<(), ExecutorError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned_and_do_not_overlap() {
        let reserve = Reserve::new();
        let pieces = [(3, 1), (8, 8), (1, 1), (64, 64), (0, 16), (4, 4)];
        let starts = pieces.map(|(size, align)| reserve.take(size, align, 256).unwrap());
        assert_eq!(starts, [0, 8, 16, 64, 128, 128]);
    }

    #[test]
    fn a_full_reserve_says_how_much_is_left_and_goes_on_with_what_fits() {
        let reserve = Reserve::new();
        reserve.take(90, 1, 100).unwrap();
        for (size, align) in [(11, 1), (5, 32), (u64::MAX, 1), (1, 1 << 63)] {
            let error = reserve.take(size, align, 100).unwrap_err();
            assert!(matches!(error, ExecutorError::ThreadLocalReserve { left: 10, total: 100, .. }), "{size} {align}");
        }
        assert_eq!(reserve.take(10, 2, 100).unwrap(), 90);
    }

    #[test]
    fn pretended_offsets_are_never_null() {
        let reserve = PretendReserve::default();
        assert_eq!(reserve.allocate(4, 4).unwrap(), ExecutorAddr(0x1_0000));
        assert!(reserve.allocate(1, 1 << 20).is_err());
    }
}
