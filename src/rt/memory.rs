//! Where linked memory comes from: the [`MemoryManager`] seam, with nothing of any operating system in it.
//!
//! A batch asks three times. [`MemoryManager::bounds`], before layout, says where its memory and everything it may refer to
//! will lie, so that indirections which no distance can need are left out. [`MemoryManager::allocate`] gives addresses and
//! *working memory*: a writable view of the bytes, which need not be at the final address. [`MemoryManager::finalize`]
//! makes the bytes what the program sees.

use std::fmt;

use super::sys::View;
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::link::arch::TINY;

/// How many bytes of code lie close enough for every direct branch of every architecture (AArch64: ±128 MiB).
pub const BRANCH_WINDOW: u64 = 120 << 20;

/// What [`MemoryManager::extent`] leaves out, in bytes: memory that is used last, if at all.
pub const EXTENT_MARGIN: u64 = 16;

/// One piece of memory wanted: all blocks of a batch that share a protection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentRequest {
    /// What the program may do with it.
    pub prot: MemProt,
    /// Bytes that will be written: the size of the working memory.
    pub content_size: u64,
    /// All bytes; at least `content_size`. The rest is zero, and only [`MemProt::ReadWrite`] segments may have one.
    pub size: u64,
    /// Alignment of the address in bytes, a power of two.
    pub align: u64,
}

/// One piece of memory given for a [`SegmentRequest`].
pub struct Segment {
    /// Where the program sees it.
    pub address: ExecutorAddr,
    /// Its size in bytes, as requested.
    pub size: u64,
    /// Its protection once finalized.
    pub prot: MemProt,
    /// Whether its pages are nobody else's and get that protection when it is finalized.
    pub(super) own_pages: bool,
    working: Working,
}

/// The bytes through which a segment is written.
enum Working {
    /// Of this process, where the program sees them or elsewhere.
    View(View),
    /// Whatever a memory manager has instead.
    Other(Box<dyn AsMut<[u8]> + Send + Sync>),
}

impl Segment {
    /// A segment whose `working` memory is as long as the content that was requested, and zero.
    pub fn new(
        address: ExecutorAddr,
        size: u64,
        prot: MemProt,
        working: Box<dyn AsMut<[u8]> + Send + Sync>,
    ) -> Segment {
        Segment { address, size, prot, own_pages: false, working: Working::Other(working) }
    }

    /// The same for memory of this process.
    pub(super) fn of_view(address: ExecutorAddr, size: u64, prot: MemProt, working: View) -> Segment {
        Segment { address, size, prot, own_pages: false, working: Working::View(working) }
    }

    /// The content, writable, `content_size` bytes long, zero at first. Not at [`Segment::address`]: the same bytes
    /// appear there (at once or at [`MemoryManager::finalize`]). Not to be written after finalization.
    pub fn working_memory(&mut self) -> &mut [u8] {
        match &mut self.working {
            Working::View(view) => view.as_mut(),
            Working::Other(other) => (**other).as_mut(),
        }
    }

    /// The addresses it takes.
    pub fn range(&self) -> AddrRange {
        AddrRange::new(self.address, self.size)
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({} {}, {:#x} bytes)", self.address, self.prot, self.size)
    }
}

/// Which addresses will do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// Any; as near to the process's shared libraries as can be had.
    Anywhere,
    /// Everything below 2 GiB: inputs hold absolute 32-bit relocations.
    Low,
    /// As [`Placement::Anywhere`], and what is asked for first within [`TINY`] bytes, each protection in a share of its own: bytes, by
    /// [`MemProt::index`]. See [`tiny_shares`].
    Tiny([u64; 3]),
}

/// The shares of [`TINY`] bytes for a program that needs `sizes` bytes of each protection, by [`MemProt::index`]; `None` if they are too few.
pub fn tiny_shares(sizes: [u64; 3]) -> Option<[u64; 3]> {
    // Whole pages of any size.
    const PAGE: u64 = 1 << 16;
    const SPARE: u64 = TINY - 3 * PAGE;
    let wanted = sizes.iter().fold(1u64, |sum, &size| sum.saturating_add(size));
    let share = |size: u64| (SPARE / PAGE).saturating_mul(size) / wanted * PAGE + PAGE;
    let shares = sizes.map(share);
    (wanted < TINY && sizes.iter().zip(shares).all(|(&size, share)| size <= share)).then_some(shares)
}

/// What else than run it somebody wants to do with code in this process's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CodeMemory {
    /// Nothing.
    #[default]
    Plain,
    /// A debugger puts breakpoints into it. Each batch's code takes whole pages then.
    Breakpoints,
    /// A profiler looks it up by address: there must be no file behind it.
    Nameless,
}

/// Where memory lies: see [`MemoryManager::bounds`] for what is promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// All code.
    pub code: AddrRange,
    /// All memory, `code` included.
    pub all: AddrRange,
}

/// Why there is no memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The span in which everything can reach everything is full.
    #[error(
        "cannot allocate {wanted:#x} bytes: {left:#x} bytes are left in the {span:#x} bytes reserved at {base:#x} for linked memory; \
         large variables can lie elsewhere if the code that refers to them is compiled with -fPIC or -mcmodel=medium"
    )]
    Exhausted {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes left.
        left: u64,
        /// First address of the span.
        base: u64,
        /// Size of the span in bytes.
        span: u64,
    },
    /// Others took the room between [`MemoryManager::bounds`] and [`MemoryManager::allocate`]: ask for bounds again, lay
    /// out again, and try again.
    #[error("{wanted:#x} bytes of code do not fit where bounds() said they would: ask again")]
    BoundsMoved {
        /// Bytes of code asked for.
        wanted: u64,
    },
    /// [`MemoryManager::place`] came after the first allocation and contradicts it.
    #[error("memory was already placed at {base:#x}, which contradicts placement {wanted:?}")]
    AlreadyPlaced {
        /// The base of what is there.
        base: u64,
        /// What was asked for.
        wanted: Placement,
    },
    /// No free addresses of the kind asked for.
    #[error("no {size:#x} bytes of free addresses {place}: {reason}")]
    NoRoom {
        /// Bytes looked for.
        size: u64,
        /// Where.
        place: &'static str,
        /// What the operating system said last.
        reason: std::io::Error,
    },
    /// A request that contradicts itself.
    #[error("bad request for {prot} memory: {what} (content {content_size:#x}, size {size:#x}, alignment {align:#x})")]
    BadRequest {
        /// Protection asked for.
        prot: MemProt,
        /// What is wrong.
        what: &'static str,
        /// Bytes of content asked for.
        content_size: u64,
        /// Bytes asked for in all.
        size: u64,
        /// Alignment asked for.
        align: u64,
    },
    /// The operating system refused.
    #[error("cannot {what} for linked memory: {reason}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// Its answer.
        reason: std::io::Error,
    },
}

impl SegmentRequest {
    /// Checks what every memory manager relies on.
    ///
    /// # Errors
    /// [`MemoryError::BadRequest`].
    pub fn check(&self) -> Result<(), MemoryError> {
        let what = if !self.align.is_power_of_two() {
            "the alignment is no power of two"
        } else if self.content_size > self.size {
            "the content is larger than the segment"
        } else if self.prot != MemProt::ReadWrite && self.content_size != self.size {
            "only rw- memory can have zero fill"
        } else if usize::try_from(self.size).is_err() {
            "larger than any address space"
        } else {
            return Ok(());
        };
        Err(MemoryError::BadRequest {
            prot: self.prot,
            what,
            content_size: self.content_size,
            size: self.size,
            align: self.align,
        })
    }
}

/// Gives memory to batches. Every method may be called from any thread at any time.
///
/// Memory is never given back: linked code may be running, or on some thread's stack, until the process ends.
pub trait MemoryManager: Send + Sync + fmt::Debug {
    /// Chooses the placement. Nothing is mapped yet; that happens when memory is first needed.
    ///
    /// # Errors
    /// [`MemoryError::AlreadyPlaced`] when memory is in use that contradicts it.
    fn place(&self, placement: Placement) -> Result<(), MemoryError>;

    /// The memory that the program sees, as ranges of one protection; unused ends of them included. Nothing where nothing is mapped.
    fn mapped(&self) -> Vec<(AddrRange, MemProt)> {
        Vec::new()
    }

    /// Where memory lies, for a batch that will want at most `code_bytes` of code and `other_bytes` of data, both with
    /// their padding.
    ///
    /// What is promised:
    /// - `all` never changes: everything ever allocated lies in it, by this batch and by others, before and after, but for what
    ///   [`MemoryManager::allocate_far`] gives.
    /// - `code` holds all code allocated so far, and the code of an [`MemoryManager::allocate`] call that is given these
    ///   bounds (or that call fails with [`MemoryError::BoundsMoved`]).
    /// - `code` is at most [`BRANCH_WINDOW`] long or equal to `all`, and it goes from the one to the other once, for good.
    ///   That is announced ahead: `bounds` answers `all` while there is still room for an eighth of the window beyond what
    ///   the caller asks for. Code of *other* batches, of which a caller holding the short window does not know the addresses
    ///   yet, may lie elsewhere nevertheless: its branches to that need stubs.
    ///
    /// # Errors
    /// [`MemoryError::Exhausted`] when so much cannot be had, [`MemoryError::NoRoom`] when no addresses can.
    fn bounds(&self, code_bytes: u64, other_bytes: u64) -> Result<Bounds, MemoryError>;

    /// Memory for each request, in order. With `promised` bounds, inside them.
    ///
    /// # Errors
    /// [`MemoryError::BadRequest`], [`MemoryError::Exhausted`], [`MemoryError::BoundsMoved`] and what the operating system
    /// refuses. Nothing is given then.
    fn allocate(&self, requests: &[SegmentRequest], promised: Option<&Bounds>) -> Result<Vec<Segment>, MemoryError>;

    /// The addresses that linked memory can have, for who wants to tell its own from others: `bounds().all`, less some bytes at the end,
    /// so that the end is an address like others. The first bytes can be read.
    ///
    /// # Errors
    /// [`MemoryError::NoRoom`] and what the operating system refuses.
    fn extent(&self) -> Result<AddrRange, MemoryError>;

    /// How many bytes `bounds().all` has at most.
    fn capacity(&self) -> u64;

    /// `size` bytes of `rw-` memory anywhere, out of `bounds().all`, aligned to `align`, of which the first `content_size` are written
    /// and the rest are zero. For data that code can refer to wherever it is.
    ///
    /// # Errors
    /// [`MemoryError::BadRequest`], [`MemoryError::NoRoom`].
    fn allocate_far(&self, content_size: u64, size: u64, align: u64) -> Result<Segment, MemoryError>;

    /// Makes the content final: protections hold, and processors see the code. After this it may run.
    ///
    /// # Errors
    /// [`MemoryError::Os`].
    fn finalize(&self, segments: &mut [Segment]) -> Result<(), MemoryError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_programs_have_room_for_each_protection() {
        for sizes in [[0, 0, 0], [1000, 200_000, 3000], [300_000; 3], [0, 800_000, 0], [50_000, 50_000, 700_000]] {
            let shares = tiny_shares(sizes).unwrap();
            assert!(shares.iter().sum::<u64>() <= TINY, "{sizes:?} {shares:?}");
            assert!(sizes.iter().zip(shares).all(|(size, share)| *size <= share), "{sizes:?} {shares:?}");
        }
        for sizes in [[0, TINY, 0], [400_000; 3], [u64::MAX; 3]] {
            assert_eq!(tiny_shares(sizes), None, "{sizes:?}");
        }
    }

    #[test]
    fn requests_that_contradict_themselves_are_refused() {
        let good = SegmentRequest { prot: MemProt::ReadWrite, content_size: 8, size: 16, align: 8 };
        assert!(good.check().is_ok());
        for bad in [
            SegmentRequest { align: 0, ..good },
            SegmentRequest { align: 12, ..good },
            SegmentRequest { content_size: 17, ..good },
            SegmentRequest { prot: MemProt::Read, ..good },
            SegmentRequest { prot: MemProt::ReadExec, ..good },
        ] {
            assert!(matches!(bad.check(), Err(MemoryError::BadRequest { .. })), "{bad:?}");
        }
    }
}
