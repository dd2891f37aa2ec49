//! Memory of this process for linked code: one reservation, filled by bump allocation per protection.
//!
//! ```text
//!  low  [ free ............ | chunk | chunk | code window ]  gap  [ shared libraries ]  high
//! ```
//! The reservation lies next to the process's shared libraries and is small enough that everything in it reaches
//! everything in it and in them with a signed 32-bit distance. The code window is at the end nearest to them. Other
//! protections, and code once the window is full, take *chunks* from the free middle, nearest first. The gap is left to
//! libraries loaded later, which the system puts below the earlier ones.
//!
//! A large segment of code or constants does not share pages with others: it is private memory, on huge pages where the system has them, which
//! is written where the program will see it and gets its protection when it is finalized. A page of a file costs half as much again
//! as a small one of those, and with many of them that is what a big link waits for.
//!
//! What is absent: giving memory back (see [`MemoryManager`]), and a second reservation: it would be out of reach. Data that may be
//! out of reach gets mappings of its own.
//!
//! After `fork` the pages behind code and constants are shared by parent and child, so the child must not write where the
//! parent may be allocating. It finds out by its process id and backs the rest of each chunk, from the next page on, with
//! a file of its own. Data is private to each as it is.

use crossbeam_utils::CachePadded;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::chunk::Chunk;
use super::memory::{
    BRANCH_WINDOW, Bounds, CodeMemory, EXTENT_MARGIN, MemoryError, MemoryManager, Placement, Segment, SegmentRequest,
};
use super::reservation::{GRANULE, SMALLEST_RESERVATION, make_room_for_code, reserve_low, reserve_near};
use super::room::Room;
use super::sys::{self, Backing, Extent, ForkMark};
use crate::base::{AddrRange, ExecutorAddr, MemProt, align_up};

/// Size of the reservation: with a gap and some room for the libraries themselves still below 2 GiB.
const RESERVATION: u64 = 0x7000_0000;
/// Sizes of chunks. Files are sparse, so theirs cost nothing; data chunks start small because the kernel may back them
/// with zeroed huge pages.
const FILE_CHUNK: u64 = 64 << 20;
const SMALLEST_DATA_CHUNK: u64 = 256 << 10;
const LARGEST_DATA_CHUNK: u64 = 16 << 20;
/// Bytes from which on code and constants get pages of their own.
const LARGE_SEGMENT: u64 = 256 << 10;
/// Code starts on its own cache line: writing next to code that runs on another core is slow on x86-64.
const CODE_ALIGN: u64 = 64;

/// The memory manager of an executor that is this very process.
#[derive(Debug)]
pub struct InProcessMemoryManager {
    size: u64,
    use_of_code: CodeMemory,
    room: CachePadded<Room>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    placement: Placement,
    region: Option<Region>,
}

#[derive(Debug)]
struct Region {
    process: ForkMark,
    backing: Backing,
    use_of_code: CodeMemory,
    all: AddrRange,
    /// What no chunk has taken.
    free: Extent,
    /// Whether chunks are taken from the high end of `free`, as they are below the libraries.
    downwards: bool,
    window: AddrRange,
    /// Whether code may lie outside `window`, or was announced to.
    widened: bool,
    window_rest: Option<Chunk>,
    /// The chunk being filled, for each protection; for code: outside the window.
    chunks: [Option<Chunk>; 3],
    data_chunk: u64,
    /// What has been mapped, by protection.
    mapped: Vec<(AddrRange, MemProt)>,
}

impl Default for InProcessMemoryManager {
    fn default() -> Self {
        Self::new()
    }
}

impl InProcessMemoryManager {
    /// A manager that has reserved nothing yet.
    pub fn new() -> InProcessMemoryManager {
        Self::with_size(RESERVATION)
    }

    /// As [`InProcessMemoryManager::new`], for at most `size` bytes.
    pub fn with_size(size: u64) -> InProcessMemoryManager {
        let state = Mutex::new(State { placement: Placement::Anywhere, region: None });
        InProcessMemoryManager { size, use_of_code: CodeMemory::Plain, room: CachePadded::default(), state }
    }

    /// As [`InProcessMemoryManager::new`], for code that more is done with than running it.
    pub fn for_code(use_of_code: CodeMemory) -> InProcessMemoryManager {
        InProcessMemoryManager { use_of_code, ..Self::new() }
    }

    /// Runs `work` on the region, made now with room for `needed` bytes if there is none, renewed if
    /// this process is a child that has not done so.
    fn with_region<R>(
        &self,
        needed: u64,
        work: impl FnOnce(&mut Region) -> Result<R, MemoryError>,
    ) -> Result<R, MemoryError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let placement = state.placement;
        let region = match &mut state.region {
            Some(region) => region,
            none => none.insert(Region::new(placement, self.size, needed, self.use_of_code)?),
        };
        if region.process.is_of_parent() {
            region.leave_parent()?;
        }
        let result = work(region);
        self.room.note(Bounds { code: region.window, all: region.all }, region.code_room(), region.left());
        result
    }
}

impl MemoryManager for InProcessMemoryManager {
    fn place(&self, placement: Placement) -> Result<(), MemoryError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.region {
            Some(region)
                if placement == Placement::Low && region.all.end.0 > 1 << 31
                    || matches!(placement, Placement::Tiny(_)) =>
            {
                Err(MemoryError::AlreadyPlaced { base: region.all.start.0, wanted: placement })
            }
            Some(_) => Ok(()),
            None => {
                state.placement = placement;
                Ok(())
            }
        }
    }

    fn bounds(&self, code_bytes: u64, other_bytes: u64) -> Result<Bounds, MemoryError> {
        let wanted = code_bytes.saturating_add(other_bytes);
        if let Some(bounds) = self.room.bounds(code_bytes, wanted) {
            return Ok(bounds);
        }
        self.with_region(wanted, |region| {
            let left = region.left();
            if wanted > left {
                return Err(region.exhausted(wanted));
            }
            region.widened |= code_bytes > region.code_room();
            Ok(region.bounds())
        })
    }

    fn allocate(&self, requests: &[SegmentRequest], promised: Option<&Bounds>) -> Result<Vec<Segment>, MemoryError> {
        for request in requests {
            request.check()?;
        }
        let needed = requests.iter().fold(0u64, |sum, request| sum.saturating_add(request.size));
        self.with_region(needed, |region| {
            let narrow = promised.is_some_and(|bounds| bounds.code == region.window);
            if narrow {
                let left = region.window_rest.as_ref().map_or(0, Chunk::left);
                let code = requests.iter().filter(|r| r.prot == MemProt::ReadExec);
                let wanted =
                    code.fold(0u64, |sum, r| sum.saturating_add(r.size).saturating_add(r.align.max(CODE_ALIGN)));
                if wanted > left {
                    return Err(MemoryError::BoundsMoved { wanted });
                }
            }
            // Constants lie below data, as in an executable: there are runtimes that look (Go's).
            if !region.downwards {
                return requests.iter().map(|request| region.allocate(request)).collect();
            }
            let mut segments: Vec<Segment> =
                requests.iter().rev().map(|request| region.allocate(request)).collect::<Result<_, _>>()?;
            segments.reverse();
            Ok(segments)
        })
    }

    fn extent(&self) -> Result<AddrRange, MemoryError> {
        self.with_region(0, |region| {
            // Where chunks are taken from the high end, nothing is mapped at the low one.
            let page = sys::page_size();
            if region.free.start() == region.all.start.0 && region.free.size() >= page {
                let first = region.free.take_front(page).into_private();
                first.map_err(|reason| MemoryError::Os { what: "map memory", reason })?;
            }
            Ok(AddrRange::new(region.all.start, region.all.size() - EXTENT_MARGIN))
        })
    }

    fn capacity(&self) -> u64 {
        self.size
    }

    fn allocate_far(&self, content_size: u64, size: u64, align: u64) -> Result<Segment, MemoryError> {
        SegmentRequest { prot: MemProt::ReadWrite, content_size, size, align }.check()?;
        let page = sys::page_size();
        let no_room = |reason| MemoryError::NoRoom { size, place: "for data that may be far away", reason };
        let padding = if align > page { align } else { 0 };
        let whole = size.checked_add(padding).and_then(|all| align_up(all.max(1), page));
        let extent = Extent::reserve(whole.ok_or_else(|| no_room(io::ErrorKind::OutOfMemory.into()))?, None);
        let mut view = extent.and_then(Extent::into_private).map_err(no_room)?;
        let start = align_up(view.address(), align).unwrap_or(view.address());
        view.take_front((start - view.address()) as usize);
        let content = view.take_front(size as usize).take_front(content_size as usize);
        Ok(Segment::of_view(ExecutorAddr(start), size, MemProt::ReadWrite, content))
    }

    fn mapped(&self) -> Vec<(AddrRange, MemProt)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.region.as_ref().map_or_else(Vec::new, |region| region.mapped.clone())
    }

    fn finalize(&self, segments: &mut [Segment]) -> Result<(), MemoryError> {
        for segment in segments {
            let finish = if segment.own_pages { sys::seal } else { sys::finish };
            finish(segment.address.0, segment.size, segment.prot)
                .map_err(|reason| MemoryError::Os { what: "set the final protection", reason })?;
        }
        Ok(())
    }
}

impl Region {
    /// A reservation of `size` bytes, or less where there is no room for it, but at least `needed`.
    fn new(placement: Placement, size: u64, needed: u64, use_of_code: CodeMemory) -> Result<Region, MemoryError> {
        let size = size.min(sys::largest_reservation()) & !(GRANULE - 1);
        let size = size.max(SMALLEST_RESERVATION);
        // The code window and chunks for data round up.
        let needed = needed.saturating_add(needed / 4).min(size);
        let free = match placement {
            Placement::Anywhere | Placement::Tiny(_) => reserve_near(sys::near_address(), size, needed)?,
            Placement::Low => reserve_low(size, needed)?,
        };
        Region::of(free, placement, use_of_code)
    }

    /// The region that `free` is for.
    fn of(mut free: Extent, placement: Placement, use_of_code: CodeMemory) -> Result<Region, MemoryError> {
        let downwards = placement != Placement::Low && free.start() < sys::near_address();
        let window_size = match placement {
            Placement::Tiny(shares) => shares[MemProt::ReadExec.index()],
            Placement::Anywhere | Placement::Low => (free.size() / 4).min(BRANCH_WINDOW),
        };
        make_room_for_code(&mut free, window_size, downwards);
        let all = AddrRange::new(ExecutorAddr(free.start()), free.size());
        let window = if downwards {
            AddrRange::new(ExecutorAddr(all.end.0 - window_size), window_size)
        } else {
            AddrRange::new(all.start, window_size)
        };
        let backing = Backing::new(all.size(), use_of_code);
        let mut region = Region {
            process: ForkMark::new(),
            backing,
            use_of_code,
            all,
            free,
            downwards,
            window,
            widened: false,
            window_rest: None,
            chunks: [None, None, None],
            data_chunk: SMALLEST_DATA_CHUNK,
            mapped: vec![(window, MemProt::ReadExec)],
        };
        let window_extent = region.take(window_size)?;
        region.window_rest = Some(region.map(window_extent, MemProt::ReadExec)?);
        if let Placement::Tiny(shares) = placement {
            for prot in [MemProt::Read, MemProt::ReadWrite] {
                let chunk = region.map_chunk(prot, shares[prot.index()])?;
                region.chunks[prot.index()] = Some(chunk);
            }
        }
        Ok(region)
    }

    fn bounds(&self) -> Bounds {
        Bounds { code: if self.widened { self.all } else { self.window }, all: self.all }
    }

    /// Bytes of code that can be announced to be in the window; 0 if code may be elsewhere.
    fn code_room(&self) -> u64 {
        let margin = self.window.size() / 8;
        let left = self.window_rest.as_ref().map_or(self.window.size(), Chunk::left);
        if self.widened { 0 } else { left.saturating_sub(margin) }
    }

    fn left(&self) -> u64 {
        let chunks = self.chunks.iter().flatten().chain(&self.window_rest);
        self.free.size() + chunks.map(Chunk::left).sum::<u64>()
    }

    fn exhausted(&self, wanted: u64) -> MemoryError {
        MemoryError::Exhausted { wanted, left: self.left(), base: self.all.start.0, span: self.all.size() }
    }

    fn allocate(&mut self, request: &SegmentRequest) -> Result<Segment, MemoryError> {
        if let Some(segment) = self.allocate_large(request)? {
            return Ok(segment);
        }
        let request = self.on_whole_pages(request);
        let align = match request.prot {
            MemProt::ReadExec => request.align.max(CODE_ALIGN),
            _ => request.align,
        };
        if request.prot == MemProt::ReadExec {
            if let Some(rest) = &mut self.window_rest
                && let Some(start) = rest.fit(request.size, align)
            {
                return Ok(rest.take(&request, start));
            }
            self.widened = true;
        }
        if let Some(chunk) = &mut self.chunks[request.prot.index()]
            && let Some(start) = chunk.fit(request.size, align)
        {
            return Ok(chunk.take(&request, start));
        }
        let mut chunk = self.new_chunk(request.prot, request.size, align)?;
        let start = chunk.fit(request.size, align).ok_or_else(|| self.exhausted(request.size))?;
        let segment = chunk.take(&request, start);
        let current = &mut self.chunks[request.prot.index()];
        if current.as_ref().is_none_or(|old| old.left() < chunk.left()) {
            *current = Some(chunk);
        }
        Ok(segment)
    }

    /// A large segment of code or constants; `None` for others, and where the usual way is the only one.
    fn allocate_large(&mut self, request: &SegmentRequest) -> Result<Option<Segment>, MemoryError> {
        let page = sys::page_size();
        let large = request.prot != MemProt::ReadWrite && request.size >= LARGE_SEGMENT;
        let Some(size) = align_up(request.size, page).filter(|_| large && sys::PAGES_ARE_SHARED) else {
            return Ok(None);
        };
        let extent = match (request.prot, &mut self.window_rest) {
            _ if request.align > page => None,
            (MemProt::ReadExec, Some(rest)) => rest.fit(size, page).and_then(|start| rest.take_pages(start, size)),
            (MemProt::Read, _) if size <= self.free.size() => {
                let extent = self.take(size)?;
                self.mapped.push((AddrRange::new(ExecutorAddr(extent.start()), size), request.prot));
                Some(extent)
            }
            _ => None,
        };
        let Some(extent) = extent else { return Ok(None) };
        let address = ExecutorAddr(extent.start());
        let mut view = extent.into_fresh().map_err(|reason| MemoryError::Os { what: "map memory", reason })?;
        let content = view.take_front(request.content_size as usize);
        let mut segment = Segment::of_view(address, request.size, request.prot, content);
        segment.own_pages = true;
        Ok(Some(segment))
    }

    /// Where segments cannot share pages, each gets whole ones.
    fn on_whole_pages(&self, request: &SegmentRequest) -> SegmentRequest {
        let mut request = *request;
        let own_pages = match request.prot {
            MemProt::ReadWrite => false,
            MemProt::Read => !sys::PAGES_ARE_SHARED,
            MemProt::ReadExec => !sys::PAGES_ARE_SHARED || self.use_of_code == CodeMemory::Breakpoints,
        };
        if own_pages {
            let page = sys::page_size();
            request.align = request.align.max(page);
            request.size = align_up(request.size, page).unwrap_or(request.size);
        }
        request
    }

    fn new_chunk(&mut self, prot: MemProt, size: u64, align: u64) -> Result<Chunk, MemoryError> {
        let page = sys::page_size();
        // Chunks start on pages: only larger alignments can need padding.
        let padding = if align > page { align } else { 0 };
        let needed = size
            .checked_add(padding)
            .and_then(|needed| align_up(needed, page.max(0x1_0000)))
            .filter(|&needed| needed <= self.free.size())
            .ok_or_else(|| self.exhausted(size))?;
        let usual = match prot {
            MemProt::ReadWrite => {
                let usual = self.data_chunk;
                self.data_chunk = (usual * 2).min(LARGEST_DATA_CHUNK);
                usual
            }
            MemProt::Read | MemProt::ReadExec => FILE_CHUNK.min(self.all.size() / 8 / GRANULE * GRANULE),
        };
        let room = match prot {
            MemProt::ReadExec => make_room_for_code(&mut self.free, needed, self.downwards),
            MemProt::Read | MemProt::ReadWrite => self.free.size(),
        };
        self.map_chunk(prot, needed.max(usual.min(room)))
    }

    fn map_chunk(&mut self, prot: MemProt, size: u64) -> Result<Chunk, MemoryError> {
        let extent = self.take(size)?;
        self.mapped.push((AddrRange::new(ExecutorAddr(extent.start()), extent.size()), prot));
        self.map(extent, prot)
    }

    /// Takes addresses from the free middle, nearest to the libraries first.
    fn take(&mut self, size: u64) -> Result<Extent, MemoryError> {
        if size > self.free.size() {
            return Err(self.exhausted(size));
        }
        Ok(if self.downwards { self.free.take_back(size) } else { self.free.take_front(size) })
    }

    fn map(&mut self, extent: Extent, prot: MemProt) -> Result<Chunk, MemoryError> {
        if prot != MemProt::ReadWrite && self.backing.is_lost() {
            // What is mapped of the old one stays.
            self.backing = Backing::new(self.all.size(), self.use_of_code);
        }
        let offset = extent.start() - self.all.start.0;
        let view = match prot {
            MemProt::ReadWrite => extent.into_private(),
            // Where the file is mapped follows from the address, so no part of it is mapped twice.
            MemProt::Read | MemProt::ReadExec => self.backing.map(offset, extent, prot),
        };
        view.map(|view| Chunk::new(view, prot)).map_err(|reason| MemoryError::Os { what: "map memory", reason })
    }

    /// In a child of `fork`: backs what is unused of code and constants with a file that the parent does not have.
    fn leave_parent(&mut self) -> Result<(), MemoryError> {
        if sys::PAGES_ARE_SHARED {
            self.backing = Backing::new(self.all.size(), self.use_of_code);
            if let Some(rest) = self.window_rest.take() {
                self.window_rest = self.renew(rest, MemProt::ReadExec)?;
            }
            for prot in [MemProt::Read, MemProt::ReadExec] {
                if let Some(rest) = self.chunks[prot.index()].take() {
                    self.chunks[prot.index()] = self.renew(rest, prot)?;
                }
            }
        }
        self.process = ForkMark::new();
        Ok(())
    }

    fn renew(&mut self, rest: Chunk, prot: MemProt) -> Result<Option<Chunk>, MemoryError> {
        match rest.into_unused() {
            Some(extent) => self.map(extent, prot).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[path = "in_process_memory_tests.rs"]
mod tests;
