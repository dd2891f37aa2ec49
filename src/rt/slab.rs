//! Memory that only pretends to have addresses: reproducible output for any target, with nothing to run.

use std::sync::{Mutex, PoisonError};

use super::memory::{
    BRANCH_WINDOW, Bounds, EXTENT_MARGIN, MemoryError, MemoryManager, Placement, Segment, SegmentRequest,
};
use crate::base::{AddrRange, ExecutorAddr, MemProt, align_up};

/// How far a slab without a limit reaches: as far as everything reaches everything in the small code models.
const DEFAULT_LIMIT: u64 = 0x7000_0000;

/// Hands out ascending addresses from a base; the bytes live in ordinary vectors. What `-slab-address` selects.
///
/// The same requests in the same order get the same addresses. Segments start on page boundaries, as they do in LLVM's.
#[derive(Debug)]
pub struct SlabMemoryManager {
    range: AddrRange,
    page_size: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Behind the slab: where far memory goes on.
    next_far: u64,
    widened: bool,
}

impl SlabMemoryManager {
    /// A slab of `limit` bytes (1.75 GiB if `None`) at `base`, cut into pages of `page_size` bytes (a power of two).
    ///
    /// # Errors
    /// [`MemoryError::NoRoom`] when the slab would wrap around the end of the address space.
    pub fn new(base: ExecutorAddr, page_size: u64, limit: Option<u64>) -> Result<SlabMemoryManager, MemoryError> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if base.0.checked_add(limit).is_none() || !page_size.is_power_of_two() {
            return Err(MemoryError::NoRoom {
                size: limit,
                place: "from the slab address on",
                reason: std::io::ErrorKind::InvalidInput.into(),
            });
        }
        Ok(SlabMemoryManager {
            range: AddrRange::new(base, limit),
            page_size,
            state: Mutex::new(State { next: base.0, next_far: base.0 + limit, widened: false }),
        })
    }

    fn exhausted(&self, wanted: u64, next: u64) -> MemoryError {
        MemoryError::Exhausted {
            wanted,
            left: self.range.end.0.saturating_sub(next),
            base: self.range.start.0,
            span: self.range.size(),
        }
    }

    fn window(&self) -> AddrRange {
        AddrRange::new(self.range.start, self.range.size().min(BRANCH_WINDOW))
    }
}

impl MemoryManager for SlabMemoryManager {
    fn place(&self, placement: Placement) -> Result<(), MemoryError> {
        match placement {
            Placement::Low if self.range.start.0 >= 1 << 31 => {
                Err(MemoryError::AlreadyPlaced { base: self.range.start.0, wanted: placement })
            }
            Placement::Tiny(_) => Err(MemoryError::AlreadyPlaced { base: self.range.start.0, wanted: placement }),
            _ => Ok(()),
        }
    }

    fn bounds(&self, code_bytes: u64, other_bytes: u64) -> Result<Bounds, MemoryError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let window = self.window();
        let wanted = code_bytes.saturating_add(other_bytes);
        if wanted > self.range.end.0 - state.next {
            return Err(self.exhausted(wanted, state.next));
        }
        let margin = window.size() / 8;
        let fits = wanted.saturating_add(margin) <= window.end.0.saturating_sub(state.next);
        state.widened |= !fits && window != self.range;
        Ok(Bounds { code: if state.widened { self.range } else { window }, all: self.range })
    }

    fn allocate(&self, requests: &[SegmentRequest], promised: Option<&Bounds>) -> Result<Vec<Segment>, MemoryError> {
        for request in requests {
            request.check()?;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = state.next;
        let mut starts = Vec::with_capacity(requests.len());
        for request in requests {
            let end = align_up(next, request.align.max(self.page_size)).and_then(|start| {
                starts.push(start);
                start.checked_add(request.size)
            });
            match end {
                Some(end) if end <= self.range.end.0 => next = end,
                _ => return Err(self.exhausted(request.size, next)),
            }
        }
        let window = self.window();
        let inside = next <= window.end.0;
        if !inside && promised.is_some_and(|bounds| bounds.code == window && bounds.code != self.range) {
            return Err(MemoryError::BoundsMoved { wanted: next - state.next });
        }
        state.widened |= !inside;
        state.next = next;
        drop(state);
        Ok(requests
            .iter()
            .zip(starts)
            .map(|(request, start)| {
                let content = vec![0u8; request.content_size as usize];
                Segment::new(ExecutorAddr(start), request.size, request.prot, Box::new(content))
            })
            .collect())
    }

    fn extent(&self) -> Result<AddrRange, MemoryError> {
        Ok(AddrRange::new(self.range.start, self.range.size().saturating_sub(EXTENT_MARGIN)))
    }

    fn capacity(&self) -> u64 {
        self.range.size()
    }

    fn allocate_far(&self, content_size: u64, size: u64, align: u64) -> Result<Segment, MemoryError> {
        let request = SegmentRequest { prot: MemProt::ReadWrite, content_size, size, align };
        request.check()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = align_up(state.next_far, align.max(self.page_size));
        let placed = start.and_then(|start| Some((start, start.checked_add(size)?)));
        let (start, end) = placed.ok_or_else(|| self.exhausted(size, state.next_far))?;
        state.next_far = end;
        Ok(Segment::new(ExecutorAddr(start), size, MemProt::ReadWrite, Box::new(vec![0u8; content_size as usize])))
    }

    fn finalize(&self, _segments: &mut [Segment]) -> Result<(), MemoryError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(prot: MemProt, size: u64) -> SegmentRequest {
        SegmentRequest { prot, content_size: size, size, align: 16 }
    }

    #[test]
    fn the_same_requests_get_the_same_addresses() {
        let addresses = || {
            let slab = SlabMemoryManager::new(ExecutorAddr(0x10_0000), 0x1000, None).unwrap();
            let mut found = Vec::new();
            for size in [1, 0x1001, 8] {
                for segment in slab.allocate(&MemProt::ALL.map(|p| request(p, size)), None).unwrap() {
                    found.push(segment.address.0);
                }
            }
            found
        };
        assert_eq!(addresses()[..4], [0x10_0000, 0x10_1000, 0x10_2000, 0x10_3000]);
        assert_eq!(addresses()[4], 0x10_5000);
        assert_eq!(addresses(), addresses());
    }

    #[test]
    fn the_page_size_is_the_one_asked_for() {
        let slab = SlabMemoryManager::new(ExecutorAddr(0), 0x4000, None).unwrap();
        let segments = slab.allocate(&[request(MemProt::Read, 1), request(MemProt::ReadExec, 1)], None).unwrap();
        assert_eq!(segments[1].address, ExecutorAddr(0x4000));
    }

    #[test]
    fn the_limit_is_an_error() {
        let slab = SlabMemoryManager::new(ExecutorAddr(0x1000), 0x1000, Some(0x2000)).unwrap();
        assert!(slab.allocate(&[request(MemProt::Read, 0x2000)], None).is_ok());
        assert!(matches!(
            slab.allocate(&[request(MemProt::Read, 1)], None),
            Err(MemoryError::Exhausted { left: 0, .. })
        ));
        assert!(slab.bounds(1, 0).is_err());
    }

    #[test]
    fn a_slab_past_the_end_of_the_address_space_is_an_error() {
        assert!(SlabMemoryManager::new(ExecutorAddr(u64::MAX - 4), 0x1000, None).is_err());
    }

    #[test]
    fn zero_fill_takes_addresses_but_no_memory() {
        let slab = SlabMemoryManager::new(ExecutorAddr(0x1000), 0x1000, None).unwrap();
        let bss = SegmentRequest { size: 0x6000_0000, ..request(MemProt::ReadWrite, 4) };
        let mut segments = slab.allocate(&[bss], None).unwrap();
        assert_eq!(segments[0].working_memory(), [0; 4]);
        assert_eq!(segments[0].size, 0x6000_0000);
    }

    #[test]
    fn far_memory_is_behind_the_slab() {
        let slab = SlabMemoryManager::new(ExecutorAddr(0x1000), 0x1000, Some(0x2000)).unwrap();
        let far = [(4, 1 << 33, 16), (0, 8, 0x4000)]
            .map(|(content, size, align)| slab.allocate_far(content, size, align).unwrap());
        assert_eq!(far.each_ref().map(|segment| segment.address.0), [0x3000, 0x2_0000_4000]);
        assert!(slab.allocate_far(0, u64::MAX, 1).is_err());
    }

    #[test]
    fn code_bounds_widen_once_and_for_good() {
        let slab = SlabMemoryManager::new(ExecutorAddr(0x1000), 0x1000, None).unwrap();
        let narrow = slab.bounds(0x1000, 0x1000).unwrap();
        assert_eq!(narrow.code.size(), BRANCH_WINDOW);
        let wide = slab.bounds(BRANCH_WINDOW, 0).unwrap();
        assert_eq!(wide.code, wide.all);
        assert_eq!(slab.bounds(1, 0).unwrap(), wide);
        let large = [SegmentRequest { content_size: 0, size: BRANCH_WINDOW, ..request(MemProt::ReadWrite, 0) }];
        slab.allocate(&large, Some(&wide)).unwrap();
        assert!(matches!(
            slab.allocate(&[request(MemProt::ReadExec, 1)], Some(&narrow)),
            Err(MemoryError::BoundsMoved { .. })
        ));
    }
}
