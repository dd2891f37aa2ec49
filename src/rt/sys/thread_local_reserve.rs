//! The reserve: memory that every thread has at one distance from its thread pointer.
//!
//! Code of the local-exec and initial-exec models adds a constant to the thread pointer, so memory for it must be where the loader
//! puts thread-local memory that it knows from the start. Hence [`RESERVE`]: a thread-local variable of the linker itself,
//! pieces of which become the program's. New threads get their values from the segment's image, which is patched in memory.
//!
//! A larger reserve is one in a library that is loaded with the process ([`super::restart`]); it is then used in the
//! place of the linker's own.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::io;
use std::sync::{Mutex, OnceLock};

use crate::base::ExecutorAddr;
use crate::rt::executor::ExecutorError;
use crate::rt::thread_local::{Reserve, check_alignment};

/// Bytes in the linker's own reserve. `RJITLINK_TLS_RESERVE` in the environment of the build changes it.
///
/// More than real programs were seen to use by far; little enough that a thread's start takes about a microsecond longer.
pub const SIZE: usize = match option_env!("RJITLINK_TLS_RESERVE") {
    Some(text) => parse(text),
    None => 32 << 10,
};

/// Alignment of reserves, and so the greatest of anything in them: that of a page, for which some programs ask.
pub const ALIGN: usize = 4096;

/// Bytes at the end of the linker's own reserve that are not given out: the word of [`table_offset`], and a mark.
const KEPT: usize = 16;

/// Bytes of the linker's own reserve that can be given out.
pub const OWN: u64 = (SIZE - KEPT) as u64;

/// A decimal number; whatever else is written in the variable fails the build.
const fn parse(text: &str) -> usize {
    match usize::from_str_radix(text, 10) {
        Ok(size) if size % ALIGN == 0 && size > 0 => size,
        _ => panic!("RJITLINK_TLS_RESERVE must be a number of bytes, a multiple of 4096"),
    }
}

#[repr(C, align(4096))]
struct Bytes(UnsafeCell<[u8; SIZE]>);

impl Bytes {
    /// Any byte other than zero puts the reserve among the initialized variables, where there is an image to be patched.
    const fn new() -> Bytes {
        let mut image = [0; SIZE];
        image[SIZE - 1] = 1;
        Bytes(UnsafeCell::new(image))
    }
}

thread_local! {
    static RESERVE: Bytes = const { Bytes::new() };
}

/// A reserve: the linker's own, or a larger one.
#[derive(Debug)]
pub struct Area {
    /// Its start's offset from the thread pointer.
    offset: u64,
    /// Bytes that can be given out.
    size: u64,
    given: Reserve,
}

/// The area that is used.
static AREA: OnceLock<Option<Area>> = OnceLock::new();

/// Uses the `size` bytes at `start`, which is in the calling thread's memory of a library that was loaded with the process, in the place
/// of the linker's own reserve; says whether that is possible: not after memory was given out.
pub fn adopt(start: u64, size: u64) -> bool {
    AREA.set(Some(Area { offset: start.wrapping_sub(thread_pointer()), size, given: Reserve::new() })).is_ok()
}

/// The area that memory is given out of; `None` if the linker's memory has no constant place: if it is part of a library that was
/// loaded while the program ran.
pub fn area() -> Option<&'static Area> {
    let own = || is_static().then(|| Area { offset: own_offset(), size: OWN, given: Reserve::new() });
    AREA.get_or_init(own).as_ref()
}

/// How much of a thread's stack all reserves take: themselves, and what aligning them and all behind them to pages can take.
pub fn cost() -> usize {
    let adopted = AREA.get().and_then(Option::as_ref).filter(|area| area.offset != own_offset());
    SIZE + 2 * ALIGN + adopted.map_or(0, |area| area.size as usize + ALIGN)
}

/// The offset from the thread pointer of a word of the linker's that is null in each thread at first; `None` if it has no constant one.
pub fn table_offset() -> Option<u64> {
    is_static().then(|| own_offset().wrapping_add(OWN))
}

/// The offset of the linker's own reserve from the thread pointer.
fn own_offset() -> u64 {
    RESERVE.with(|bytes| bytes.0.get() as u64).wrapping_sub(thread_pointer())
}

/// Whether the linker's own reserve is at the same distance from every thread's pointer.
fn is_static() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        // The program itself is the first module.
        let own = thread_pointer().wrapping_add(own_offset());
        Image::find(own, SIZE as u64).is_some_and(|image| image.module == 1)
            || std::thread::spawn(own_offset).join().is_ok_and(|other| other == own_offset())
    })
}

/// The calling thread's pointer.
pub fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: reads a register, or the word that the ABI keeps equal to it.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    pointer
}

impl Area {
    /// Offsets of new pieces from the thread pointer; see [`crate::rt::ThreadLocalMemory::allocate`].
    ///
    /// # Errors
    /// Those of that method.
    pub fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        check_alignment(pieces, ALIGN as u64)?;
        let starts = self.given.take(pieces, self.size)?;
        Ok(starts.into_iter().map(|start| ExecutorAddr(self.offset.wrapping_add(start))).collect())
    }

    /// Makes `bytes` the initial value at `offset` from the thread pointer, here and in threads that start from now on.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::InvalidInput`] for what is not in the area.
    pub fn initialize(&self, offset: ExecutorAddr, bytes: &[u8]) -> io::Result<()> {
        let start = offset.0.wrapping_sub(self.offset);
        if start.checked_add(bytes.len() as u64).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let here = thread_pointer().wrapping_add(offset.0);
        let image = Image::find(here - start, self.size).ok_or(io::ErrorKind::NotFound)?;
        image.write(start, bytes)?;
        // SAFETY: inside the calling thread's reserve, in a piece that no code uses yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), here as *mut u8, bytes.len()) };
        Ok(())
    }
}

/// The initial values of a reserve: part of a loaded file.
struct Image {
    /// Where the reserve's begin.
    address: u64,
    /// The loader's number of the file.
    module: usize,
    /// Whether the loader has made them read-only.
    read_only: bool,
}

impl Image {
    /// Looks through the loaded files for the one that has initial values for all of the `size` bytes at `start`, an address in the
    /// calling thread's memory.
    fn find(start: u64, size: u64) -> Option<Image> {
        struct Search {
            start: u64,
            size: u64,
            found: Option<Image>,
        }
        unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, size: usize, search: *mut c_void) -> c_int {
            // SAFETY: the loader passes what dl_iterate_phdr documents; `size` says whether the last member is there.
            let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
            if size < size_of::<libc::dl_phdr_info>() || info.dlpi_tls_data.is_null() {
                return 0;
            }
            // SAFETY: as many program headers as it says.
            let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
            let Some(tls) = headers.iter().find(|header| header.p_type == libc::PT_TLS) else {
                return 0;
            };
            let start = search.start.wrapping_sub(info.dlpi_tls_data as u64);
            if start.saturating_add(search.size) > tls.p_filesz {
                return 0;
            }
            let address = tls.p_vaddr + start;
            let holds =
                |header: &&libc::Elf64_Phdr| (header.p_vaddr..header.p_vaddr + header.p_memsz).contains(&address);
            let relro =
                headers.iter().filter(|header| header.p_type == libc::PT_GNU_RELRO).any(|header| holds(&header));
            let load = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).find(holds);
            let writable = load.is_some_and(|header| header.p_flags & libc::PF_W != 0);
            search.found = Some(Image {
                address: info.dlpi_addr + address,
                module: info.dlpi_tls_modid,
                read_only: relro || !writable,
            });
            1
        }
        let mut search = Search { start, size, found: None };
        // SAFETY: `visit` gets what it expects.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.found
    }

    /// Writes `bytes` at `start` of the reserve's initial values: to this process's copy of the pages.
    fn write(&self, start: u64, bytes: &[u8]) -> io::Result<()> {
        static WRITING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = WRITING.lock();
        let page = super::page_size();
        let address = self.address + start;
        let first = address & !(page - 1);
        let length = (address + bytes.len() as u64 - first).next_multiple_of(page) as usize;
        let protect = |access| {
            // SAFETY: pages with the image, which nothing writes to but this function.
            if unsafe { libc::mprotect(first as *mut c_void, length, access) } == 0 {
                Ok(())
            } else {
                Err(io::Error::last_os_error())
            }
        };
        if self.read_only {
            protect(libc::PROT_READ | libc::PROT_WRITE)?;
        }
        // SAFETY: inside the image, writable now; a thread that starts meanwhile copies it, but does not run code that uses this piece.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
        if self.read_only { protect(libc::PROT_READ) } else { Ok(()) }
    }
}
