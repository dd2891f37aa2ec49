//! Where addresses for linked code are reserved: near the process's libraries, or low.

use std::io;

use super::memory::MemoryError;
use super::sys::{self, Extent};
use crate::base::{AddrRange, ExecutorAddr};

/// What a reservation is shrunk to when address space is scarce.
pub(super) const SMALLEST_RESERVATION: u64 = 64 << 20;
/// Sizes of reservations are multiples of this, so that fractions of them are whole pages of any size.
pub(super) const GRANULE: u64 = 1 << 20;
/// Left free between the reservation and the libraries: a sixteenth of the reservation, but at most this.
pub(super) const GAP: u64 = 64 << 20;
/// The farthest that signed 32-bit distances reach, less a page table's worth for addends.
pub(super) const REACH: u64 = (1 << 31) - (2 << 20);
/// What no function's address may be a multiple of; see [`side_of_boundary`].
const BOUNDARY: u64 = 1 << 32;

/// Reserves `size` bytes within reach of the shared libraries; anywhere if there is no room.
pub(super) fn reserve_near_libraries(size: u64) -> Result<Extent, MemoryError> {
    // A sixteenth is left free beside it.
    let size = size.next_multiple_of(16 * sys::page_size());
    let found = reserve_near(sys::near_address(), size, size)?;
    if first_boundary(&range_of(&found)).is_none() {
        return Ok(found);
    }
    found.release();
    // Of more than twice as much, one side of the boundary is enough.
    let whole = 2 * size + 16 * sys::page_size();
    let mut found = reserve_near(sys::near_address(), whole, whole)?;
    let (given_up, _) = side_of_boundary(&range_of(&found), size, false);
    found.take_front(given_up).release();
    let kept = found.take_front(size);
    found.release();
    Ok(kept)
}

/// Gives up so much of `free` that the next `size` bytes taken from it can be code, and returns how many more than those can be. The system
/// does not get those addresses back: nobody else's mappings may lie among linked memory.
pub(super) fn make_room_for_code(free: &mut Extent, size: u64, downwards: bool) -> u64 {
    let (given_up, room) = side_of_boundary(&range_of(free), size, downwards);
    if downwards {
        free.take_back(given_up)
    } else {
        free.take_front(given_up)
    };
    room
}

fn range_of(extent: &Extent) -> AddrRange {
    AddrRange::new(ExecutorAddr(extent.start()), extent.size())
}

/// The lowest multiple of 4 GiB in `range`.
fn first_boundary(range: &AddrRange) -> Option<u64> {
    let boundary = range.start.0.checked_next_multiple_of(BOUNDARY);
    boundary.filter(|&boundary| range.contains(ExecutorAddr(boundary)))
}

/// Where in `free` the next code can lie: `(given_up, room)`, the bytes to give up first, at the high end of `free` if `downwards` and else
/// at its low one, and how many bytes then follow that hold no multiple of 4 GiB, `size` or more.
///
/// Code must not begin there: libgcc's unwinder takes a record of code whose address has 32 zero bits at the end, of as many as the
/// record's distances have, for one that a linker has thrown away, and does not find it. Code that fits on no side of a boundary
/// lies across it: most likely no function begins right there, and if one does it runs all the same.
fn side_of_boundary(free: &AddrRange, size: u64, downwards: bool) -> (u64, u64) {
    let (start, end) = (free.start.0, free.end.0);
    // There is no other: in a reservation everything reaches everything with 32 bits.
    let Some(boundary) = first_boundary(free) else { return (0, end - start) };
    // The page at the boundary is on neither side.
    let sides = (boundary - start, end - boundary - sys::page_size());
    let (first, second) = if downwards { (sides.1, sides.0) } else { sides };
    if first >= size {
        (0, first)
    } else if second >= size {
        (first + sys::page_size(), second)
    } else {
        log::warn!(
            "{size:#x} bytes of code lie across {boundary:#x}: exceptions do not pass a function that begins there"
        );
        (0, end - start)
    }
}

/// Reserves up to `size` bytes, at least `needed`, within reach of `near`; anywhere if there is no room.
pub(super) fn reserve_near(near: u64, size: u64, needed: u64) -> Result<Extent, MemoryError> {
    for size in halves(size, needed) {
        let gap = (size / 16).min(GAP);
        // The system puts new mappings right below the libraries, so mostly there is nothing to look for.
        let Ok(mut found) = Extent::reserve(size + gap, None) else {
            continue;
        };
        if in_reach(near, &found) {
            let gap = if found.start() < near { found.take_back(gap) } else { found.take_front(gap) };
            gap.release();
            return Ok(found);
        }
        found.release();
        if let Some(found) = probe_near(near, size) {
            return Ok(found);
        }
    }
    let mut last = io::ErrorKind::OutOfMemory.into();
    for size in halves(size, needed) {
        match Extent::reserve(size, None) {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(MemoryError::NoRoom { size: needed, place: "anywhere", reason: last })
}

/// `size`, a half of it, a quarter and so on; none below `least`, but always `size` itself.
fn halves(size: u64, least: u64) -> impl Iterator<Item = u64> {
    let least = least.max(SMALLEST_RESERVATION);
    let next = move |size: &u64| Some((size / 2) & !(GRANULE - 1)).filter(|&half| half >= least);
    std::iter::successors(Some(size), next)
}

fn in_reach(near: u64, extent: &Extent) -> bool {
    let end = extent.start() + extent.size();
    near.abs_diff(extent.start()).max(near.abs_diff(end)) <= REACH
}

/// Tries addresses on both sides of `near`, closest first.
fn probe_near(near: u64, size: u64) -> Option<Extent> {
    let base = near & !(GAP - 1);
    (1..16).find_map(|step| {
        let below = base.checked_sub(size + step * GAP);
        let above = base.checked_add(step * GAP + GAP);
        [below, above].into_iter().flatten().find_map(|at| {
            let found = Extent::reserve(size, Some(at)).ok()?;
            if in_reach(near, &found) {
                return Some(found);
            }
            found.release();
            None
        })
    })
}

/// Reserves up to `size` bytes, at least `needed`, below 2 GiB.
pub(super) fn reserve_low(size: u64, needed: u64) -> Result<Extent, MemoryError> {
    const STEP: usize = 64 << 20;
    const END: u64 = 1 << 31;
    let mut last = io::ErrorKind::OutOfMemory.into();
    for size in halves(size, needed) {
        for at in (STEP as u64..=END.saturating_sub(size)).step_by(STEP) {
            match Extent::reserve(size, Some(at)) {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
    }
    Err(MemoryError::NoRoom {
        size: needed,
        place: "below 2 GiB, where absolute 32-bit relocations need it; recompile the inputs with -fPIE or -fPIC",
        reason: last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_lies_on_the_next_side_that_has_room() {
        const MIB: u64 = 1 << 20;
        let page = sys::page_size();
        // Of addresses that begin `before` a boundary and end `behind` it, `size` bytes are to be taken.
        for (before, behind, size, downwards, upwards) in [
            (10 * MIB, 10 * MIB, 5 * MIB, (0, 10 * MIB - page), (0, 10 * MIB)),
            (10 * MIB, 10 * MIB, 10 * MIB, (10 * MIB, 10 * MIB), (0, 10 * MIB)),
            (10 * MIB, 20 * MIB, 11 * MIB, (0, 20 * MIB - page), (10 * MIB + page, 20 * MIB - page)),
            (10 * MIB, 5 * MIB, 6 * MIB, (5 * MIB, 10 * MIB), (0, 10 * MIB)),
            (10 * MIB, 10 * MIB, 15 * MIB, (0, 20 * MIB), (0, 20 * MIB)),
            (10 * MIB, 0, 5 * MIB, (0, 10 * MIB), (0, 10 * MIB)),
            (0, 10 * MIB, 5 * MIB, (0, 10 * MIB - page), (page, 10 * MIB - page)),
            (0, 5 * MIB, 5 * MIB, (0, 5 * MIB), (0, 5 * MIB)),
        ] {
            let free = AddrRange::new(ExecutorAddr(3 * BOUNDARY - before), before + behind);
            let found = [true, false].map(|down| side_of_boundary(&free, size, down));
            assert_eq!(found, [downwards, upwards], "{size:#x} of {free:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn images_lie_on_one_side_of_a_boundary() {
        for size in [1, 1 << 20, 1 << 30] {
            let found = reserve_near_libraries(size).unwrap();
            let boundary = found.start().next_multiple_of(BOUNDARY);
            assert!(found.size() >= size && boundary - found.start() >= found.size() && boundary != found.start());
            found.release();
        }
    }
}
