//! Addresses in the process that runs the linked code.

use std::fmt;

/// An address in the executor: the process that runs the linked code, which need not be this one.
///
/// Never dereferenced by the linker itself; only [`crate::rt`] may turn one into a pointer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ExecutorAddr(pub u64);

impl ExecutorAddr {
    /// The null address: what a weak undefined reference resolves to.
    pub const NULL: ExecutorAddr = ExecutorAddr(0);

    /// The address `bytes` further on, wrapping at 2^64 as address arithmetic of the psABIs does.
    pub fn offset(self, bytes: u64) -> ExecutorAddr {
        ExecutorAddr(self.0.wrapping_add(bytes))
    }

    /// Whether this is the null address.
    pub fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for ExecutorAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for ExecutorAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The addresses `start..end`, `end` excluded, as ORC's `ExecutorAddrRange`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AddrRange {
    /// The first address.
    pub start: ExecutorAddr,
    /// The first address behind the range; at least `start`.
    pub end: ExecutorAddr,
}

impl AddrRange {
    /// The range of `size` bytes at `start`.
    pub fn new(start: ExecutorAddr, size: u64) -> AddrRange {
        AddrRange { start, end: start.offset(size) }
    }

    /// Its length in bytes.
    pub fn size(self) -> u64 {
        self.end.0.wrapping_sub(self.start.0)
    }

    /// Whether `address` lies in it.
    pub fn contains(self, address: ExecutorAddr) -> bool {
        self.start <= address && address < self.end
    }
}

/// `value` rounded up to a multiple of `align` (a power of two, in bytes); `None` past 2^64.
pub fn align_up(value: u64, align: u64) -> Option<u64> {
    debug_assert!(align.is_power_of_two());
    Some(value.checked_add(align - 1)? & !(align - 1))
}
