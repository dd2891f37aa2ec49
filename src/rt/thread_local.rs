//! Thread-local memory for linked code: [`ThreadLocalMemory`], and the reserve of a process that runs nothing.
//!
//! Every thread has a copy of it, at the same distance from its thread pointer. That distance is what is given out here, and
//! what the address of a thread-local symbol is: an [`ExecutorAddr`] that is an offset modulo 2^64. What has no room there goes into
//! blocks, which threads get when they first ask for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::executor::ExecutorError;
use crate::base::{ExecutorAddr, align_up};
use crate::link::tables::AT_THREAD_POINTER;

/// Where a thread-local variable is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadLocalPlace {
    /// At this offset from every thread's pointer.
    Offset(ExecutorAddr),
    /// Where `__tls_get_addr` says.
    Dynamic {
        /// The dynamic loader's number of a library, or that of a block ([`ThreadLocalMemory::allocate_dynamic`]).
        module: u64,
        /// Bytes from the start of the library's thread-local memory, or of the block.
        offset: u64,
    },
}

/// The thread-local memory of a process that linked code is given pieces of.
pub trait ThreadLocalMemory: Send + Sync {
    /// Memory for `pieces`, sizes in bytes and alignments (powers of two), at constant offsets: those, one for each piece. All or none.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalReserve`] when so much is not left, [`ExecutorError::ThreadLocalAlign`] when no piece is aligned so.
    fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError>;

    /// A block of `size` bytes aligned to `align` (a power of two) that a thread gets when it first asks `__tls_get_addr` or the
    /// resolver for it: the module number by which they know it.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalDynamic`], [`ExecutorError::ThreadLocalUnsupported`].
    fn allocate_dynamic(&self, size: u64, align: u64) -> Result<u64, ExecutorError>;

    /// The function that descriptors of variables in blocks name.
    fn descriptor_resolver(&self) -> ExecutorAddr;

    /// Makes `bytes` the initial value of the memory at `place`. At a constant offset: in the calling thread and in threads that start
    /// from now on; others keep the zeroes that were there. In a block: everywhere. Once for each piece.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalTemplate`].
    fn initialize(&self, place: ThreadLocalPlace, bytes: &[u8]) -> Result<(), ExecutorError>;
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

    /// The next bytes of `total` for `pieces`, sizes and alignments: where each begins, in bytes from the start of the reserve. All or
    /// none.
    ///
    /// # Errors
    /// [`ExecutorError::ThreadLocalReserve`].
    pub fn take(&self, pieces: &[(u64, u64)], total: u64) -> Result<Vec<u64>, ExecutorError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut end = *used;
        let mut starts = Vec::with_capacity(pieces.len());
        for &(size, align) in pieces {
            let next = align_up(end, align).and_then(|start| Some((start, start.checked_add(size)?)));
            let Some((start, next)) = next.filter(|&(_, next)| next <= total) else {
                let wanted = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.0));
                return Err(ExecutorError::ThreadLocalReserve { wanted, left: total - *used, total });
            };
            starts.push(start);
            end = next;
        }
        *used = end;
        Ok(starts)
    }
}

/// The reserve of a process that runs nothing: offsets that fit the code of every architecture.
#[derive(Debug, Default)]
pub struct PretendReserve {
    reserve: Reserve,
    blocks: AtomicU64,
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
    fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        check_alignment(pieces, Self::START)?;
        let starts = self.reserve.take(pieces, Self::END - Self::START)?;
        Ok(starts.into_iter().map(|start| ExecutorAddr(Self::START + start)).collect())
    }

    fn allocate_dynamic(&self, _size: u64, _align: u64) -> Result<u64, ExecutorError> {
        Ok(AT_THREAD_POINTER | (self.blocks.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn descriptor_resolver(&self) -> ExecutorAddr {
        ExecutorAddr::NULL
    }

    fn initialize(&self, _place: ThreadLocalPlace, _bytes: &[u8]) -> Result<(), ExecutorError> {
        Ok(())
    }
}

/// Refuses pieces that are aligned more than `most`.
pub(in crate::rt) fn check_alignment(pieces: &[(u64, u64)], most: u64) -> Result<(), ExecutorError> {
    match pieces.iter().find(|piece| piece.1 > most) {
        Some(&(_, wanted)) => Err(ExecutorError::ThreadLocalAlign { wanted, most }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned_and_do_not_overlap() {
        let reserve = Reserve::new();
        let pieces = [(3, 1), (8, 8), (1, 1), (64, 64), (0, 16), (4, 4)];
        let starts = pieces.map(|piece| reserve.take(&[piece], 256).unwrap()[0]);
        assert_eq!(starts, [0, 8, 16, 64, 128, 128]);
        assert_eq!(Reserve::new().take(&pieces, 256).unwrap(), starts);
    }

    #[test]
    fn a_full_reserve_says_how_much_is_left_and_goes_on_with_what_fits() {
        let reserve = Reserve::new();
        reserve.take(&[(90, 1)], 100).unwrap();
        for (size, align) in [(10, 1), (5, 32), (u64::MAX, 1), (1, 1 << 63)] {
            let error = reserve.take(&[(1, 1), (size, align)], 100).unwrap_err();
            assert!(matches!(error, ExecutorError::ThreadLocalReserve { left: 10, total: 100, .. }), "{size} {align}");
        }
        assert_eq!(reserve.take(&[(10, 2)], 100).unwrap(), [90]);
    }

    #[test]
    fn pretended_offsets_are_never_null() {
        let reserve = PretendReserve::default();
        assert_eq!(reserve.allocate(&[(4, 4)]).unwrap(), [ExecutorAddr(0x1_0000)]);
        assert!(reserve.allocate(&[(1, 1 << 20)]).is_err());
    }
}
