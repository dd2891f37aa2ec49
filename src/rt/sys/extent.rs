//! Owned address ranges and owned bytes.

use std::io;
use std::ops::Range;
use std::ptr::NonNull;

use super::{os, page_size};
use crate::base::align_up;

/// Reserved addresses (a multiple of the page size) that nothing but their owner may map or touch.
///
/// Dropping one leaks the addresses: they stay reserved until the process ends.
#[derive(Debug)]
pub struct Extent {
    start: u64,
    size: u64,
}

impl Extent {
    /// Reserves `size` bytes without access, exactly at `at` if given, where the kernel likes otherwise.
    ///
    /// # Errors
    /// What the operating system says; `AddrInUse` when `at` is taken.
    pub fn reserve(size: u64, at: Option<u64>) -> io::Result<Extent> {
        // A kernel that does not know MAP_FIXED_NOREPLACE takes the address as a hint, so the result is compared below.
        #[cfg(target_os = "linux")]
        let fixed = libc::MAP_FIXED_NOREPLACE;
        #[cfg(not(target_os = "linux"))]
        let fixed = 0;
        let flags =
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | if at.is_some() { fixed } else { 0 };
        let hint = at.unwrap_or(0) as *mut libc::c_void;
        // SAFETY: without MAP_FIXED, mmap replaces nothing that exists.
        let found = unsafe { libc::mmap(hint, size as usize, libc::PROT_NONE, flags, -1, 0) };
        if found == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let extent = Extent { start: found as u64, size };
        if at.is_some_and(|at| at != extent.start) {
            extent.release();
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok(extent)
    }

    /// Its first address.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes `size` bytes (at most all, in whole pages) off its low end.
    pub fn take_front(&mut self, size: u64) -> Extent {
        assert!(size <= self.size && size.is_multiple_of(page_size()));
        let taken = Extent { start: self.start, size };
        self.start += size;
        self.size -= size;
        taken
    }

    /// Takes `size` bytes (at most all, in whole pages) off its high end.
    pub fn take_back(&mut self, size: u64) -> Extent {
        assert!(size <= self.size && size.is_multiple_of(page_size()));
        self.size -= size;
        Extent { start: self.start + self.size, size }
    }

    /// Gives the addresses back to the system.
    pub fn release(self) {
        if self.size > 0 {
            // SAFETY: the extent owns these addresses, nothing in them is in use, and `self` is gone after this.
            unsafe { libc::munmap(self.start as *mut libc::c_void, self.size as usize) };
        }
    }

    /// The whole pages of what `unused` shows to the program, to be mapped anew; `None` if there is no whole page. The old
    /// writable mapping stays, with nothing left to use it.
    pub fn of_unused(unused: View) -> Option<Extent> {
        let start = align_up(unused.address, page_size())?;
        let end = unused.address + unused.size as u64;
        (start < end).then(|| Extent { start, size: end - start })
    }

    /// Puts fresh private memory in the place of whatever is there, readable and writable, on huge pages if the system has them.
    ///
    /// # Errors
    /// What the operating system says.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub fn into_fresh(self) -> io::Result<View> {
        let (at, size) = (self.start as *mut libc::c_void, self.size as usize);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: MAP_FIXED replaces addresses that the extent owns and that nothing uses.
        let mapped = unsafe { libc::mmap(at, size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        super::want_huge_pages(at as usize, size);
        // SAFETY: readable and writable from here on, never unmapped, and owned by the extent that ends here.
        Ok(unsafe { View::new(self.start as *mut u8, size, self.start) })
    }

    /// Makes it private anonymous memory, readable and writable: data. A child of `fork` gets its own copy of it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn into_private(self) -> io::Result<View> {
        // SAFETY: the extent owns these addresses; they are an anonymous private mapping without access.
        let failed = unsafe {
            libc::mprotect(self.start as *mut libc::c_void, self.size as usize, libc::PROT_READ | libc::PROT_WRITE)
        };
        if failed != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: readable and writable from here on, never unmapped, and owned by the extent that ends here.
        Ok(unsafe { View::new(self.start as *mut u8, self.size as usize, self.start) })
    }
}

/// Bytes that can be written, owned: no other view, slice or extent has them. They stay mapped until the process ends.
///
/// The *program* may see the same bytes, at the same or at other addresses, but is not run before they are final.
#[derive(Debug)]
pub struct View {
    start: NonNull<u8>,
    size: usize,
    address: u64,
}

// SAFETY: a view owns its bytes like a `Box<[u8]>`; nothing about them belongs to one thread.
unsafe impl Send for View {}
// SAFETY: a shared view gives no access at all.
unsafe impl Sync for View {}

impl View {
    /// Owns `size` bytes at `start`, which the program sees at `address`.
    ///
    /// # Safety
    /// They must be readable, writable, mapped until the process ends and owned by the caller, who gives them up, and so
    /// must be what is at `address`.
    pub(super) unsafe fn new(start: *mut u8, size: usize, address: u64) -> View {
        View { start: NonNull::new(start).expect("nothing is ever mapped at address 0"), size, address }
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the program sees the first byte.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Its pages.
    pub fn pages(&self) -> ViewPages {
        ViewPages { start: self.start.as_ptr() as u64, size: self.size as u64, address: self.address }
    }

    /// Takes the first `size` bytes (at most all) off.
    pub fn take_front(&mut self, size: usize) -> View {
        assert!(size <= self.size);
        let taken = View { start: self.start, size, address: self.address };
        // SAFETY: `size` is at most the size of the one mapping both parts lie in.
        self.start = unsafe { self.start.add(size) };
        self.size -= size;
        self.address += size as u64;
        taken
    }
}

/// The pages of a [`View`], or of what was one. Whose bytes they are does not matter: nothing changes in them here, and any thread may do it at any time.
#[derive(Clone, Copy, Debug)]
pub struct ViewPages {
    start: u64,
    size: u64,
    address: u64,
}

impl ViewPages {
    /// Makes the pages present that hold `addresses` of the program, to be written and where the program sees them. Where the system has no
    /// way to, they come when they are touched.
    pub fn make_present(self, addresses: Range<u64>) {
        let size = addresses.end - addresses.start;
        os::make_present(self.view_of(&addresses), size, true);
        os::make_present(addresses.start, size, false);
    }

    /// Takes the whole pages away through which `addresses` of the program were written, if those are not what the program sees. They come back where they are
    /// touched.
    pub fn take_views_away(self, addresses: Range<u64>) {
        let page = page_size();
        let view = self.view_of(&addresses);
        let (first, end) = (view.next_multiple_of(page), (view + (addresses.end - addresses.start)) / page * page);
        if self.start != self.address && first < end {
            os::take_shared_pages_away(first, end - first);
        }
    }

    /// Where `addresses`, which are of the view, are written.
    fn view_of(self, addresses: &Range<u64>) -> u64 {
        assert!(self.address <= addresses.start && addresses.start <= addresses.end);
        assert!(addresses.end - self.address <= self.size);
        addresses.start - self.address + self.start
    }
}

impl AsMut<[u8]> for View {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: `View::new`'s contract; the bytes are initialized, as all memory the system maps.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.size) }
    }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))] // An emulator does not pass this advice on.
mod tests {
    use super::super::Backing;
    use super::super::testing::{pages_in_memory, peek};
    use super::*;
    use crate::base::MemProt;
    use crate::rt::memory::CodeMemory;

    #[test]
    fn pages_are_made_present_and_stay_as_they_are() {
        let page = page_size();
        let size = 64 * page;
        let backing = Backing::new(size, CodeMemory::Plain);
        let mut view = backing.map(0, Extent::reserve(size, None).unwrap(), MemProt::Read).unwrap();
        view.as_mut()[5 * page as usize] = 7;
        let before = pages_in_memory(view.address(), size);
        // From the end of the third page to the beginning of the sixth.
        let first = view.address() + 3 * page - 1;
        view.pages().make_present(first..first + 2 * page + 2);
        assert_eq!((before, pages_in_memory(view.address(), size)), (1, 4));
        assert_eq!(peek(view.address() + 5 * page, 1), [7]);
    }

    /// Of how many pages from `address` on this process's memory has one each, in a mapping of `size` bytes.
    fn pages_in_mapping(address: u64, size: u64) -> usize {
        let page = page_size();
        let mut entries = vec![0; (size / page * 8) as usize];
        let map = std::fs::File::open("/proc/self/pagemap").unwrap();
        std::os::unix::fs::FileExt::read_exact_at(&map, &mut entries, address / page * 8).unwrap();
        entries.chunks(8).filter(|entry| entry[7] & 0x80 != 0).count()
    }

    #[test]
    fn views_that_are_taken_away_come_back_with_what_was_written() {
        let page = page_size();
        let size = 8 * page;
        let backing = Backing::new(size, CodeMemory::Plain);
        let mut view = backing.map(0, Extent::reserve(size, None).unwrap(), MemProt::Read).unwrap();
        view.as_mut().fill(7);
        let (start, address, pages) = (view.as_mut().as_ptr() as u64, view.address(), view.pages());
        // From within the second page to within the sixth.
        pages.take_views_away(address + page + 1..address + 5 * page + 3);
        assert_eq!(pages_in_mapping(start, size), 5);
        view.as_mut()[3 * page as usize] = 8;
        assert_eq!(peek(address + 3 * page - 1, 3), [7, 8, 7]);
        assert!(view.as_mut()[..3 * page as usize].iter().all(|byte| *byte == 7));
    }

    #[test]
    fn private_memory_stays() {
        let page = page_size();
        let mut view = Extent::reserve(4 * page, None).unwrap().into_private().unwrap();
        view.as_mut().fill(7);
        view.pages().take_views_away(view.address()..view.address() + 4 * page);
        assert!(view.as_mut().iter().all(|byte| *byte == 7));
    }
}
