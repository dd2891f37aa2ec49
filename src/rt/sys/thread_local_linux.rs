//! Thread-local memory of this process: a reserve in the program's own segment of initial values.
//!
//! Code of the local-exec and initial-exec models adds a constant to the thread pointer, so memory for it must be where the loader
//! puts thread-local memory that it knows from the start. Hence [`RESERVE`]: a thread-local variable of the linker itself,
//! pieces of which become the program's. New threads get their values from the segment's image, which is patched in memory.
//!
//! The reserve is carved out of every thread's stack, as all thread-local memory is, and copied when a thread starts. For
//! a thread whose stack size the program chose, [`pthread_create`] adds what the reserve takes.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::io;
use std::sync::{Mutex, OnceLock};

pub use super::thread_local_probe::ask;
use crate::base::ExecutorAddr;
use crate::rt::executor::ExecutorError;
use crate::rt::thread_local::{Reserve, ThreadLocalMemory};

/// Bytes in the reserve. `RJITLINK_TLS_RESERVE` in the environment of the build changes it.
///
/// More than real programs were seen to use by far; little enough that a thread's start takes about a microsecond longer.
pub const SIZE: usize = match option_env!("RJITLINK_TLS_RESERVE") {
    Some(text) => parse(text),
    None => 32 << 10,
};

/// Alignment of the reserve, and so the greatest of anything in it: that of a page, for which some programs ask.
pub const ALIGN: usize = 4096;

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

/// What is given out, in the whole process.
static GIVEN: Reserve = Reserve::new();

/// The reserve of the calling thread.
fn reserve() -> u64 {
    RESERVE.with(|bytes| bytes.0.get() as u64)
}

/// Whether the reserve is at the same distance from every thread's pointer: not if the linker is part of a library that was loaded
/// while the program ran.
fn is_static() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        // The program itself is the first module.
        Image::find().is_some_and(|image| image.module == 1) || {
            let offset = || reserve().wrapping_sub(thread_pointer());
            std::thread::spawn(offset).join().is_ok_and(|other| other == offset())
        }
    })
}

/// The calling thread's pointer.
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: reads a register, or the word that the ABI keeps equal to it.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, nomem, preserves_flags));
        #[cfg(target_arch = "riscv64")]
        std::arch::asm!("mv {}, tp", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    pointer
}

/// The reserve of this process's threads.
#[derive(Debug)]
pub struct ProcessThreadLocals;

impl ThreadLocalMemory for ProcessThreadLocals {
    fn allocate(&self, size: u64, align: u64) -> Result<ExecutorAddr, ExecutorError> {
        if align > ALIGN as u64 {
            return Err(ExecutorError::ThreadLocalAlign { wanted: align, most: ALIGN as u64 });
        }
        if !is_static() {
            return Err(ExecutorError::ThreadLocalDynamic);
        }
        // The last byte is the linker's mark.
        let start = GIVEN.take(size, align, SIZE as u64 - 1)?;
        Ok(ExecutorAddr((reserve() + start).wrapping_sub(thread_pointer())))
    }

    fn initialize(&self, offset: ExecutorAddr, bytes: &[u8]) -> Result<(), ExecutorError> {
        if bytes.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let here = thread_pointer().wrapping_add(offset.0);
        let start = here.wrapping_sub(reserve());
        let inside = start.checked_add(bytes.len() as u64).is_some_and(|end| end < SIZE as u64);
        if !inside {
            return Err(template(io::ErrorKind::InvalidInput.into()));
        }
        let image = Image::find().ok_or_else(|| template(io::ErrorKind::NotFound.into()))?;
        image.write(start, bytes).map_err(template)?;
        // SAFETY: inside the calling thread's reserve, in a piece that no code uses yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), here as *mut u8, bytes.len()) };
        Ok(())
    }
}

fn template(source: io::Error) -> ExecutorError {
    ExecutorError::ThreadLocalTemplate { source }
}

/// The initial values of the reserve: part of a loaded file.
struct Image {
    /// Where the reserve's begin.
    address: u64,
    /// The loader's number of the file.
    module: usize,
    /// Whether the loader has made them read-only.
    read_only: bool,
}

impl Image {
    /// Looks through the loaded files for the one whose thread-local memory the reserve is in.
    fn find() -> Option<Image> {
        unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, size: usize, found: *mut c_void) -> c_int {
            // SAFETY: the loader passes what dl_iterate_phdr documents; `size` says whether the last member is there.
            let (info, found) = unsafe { (&*info, &mut *found.cast::<Option<Image>>()) };
            if size < size_of::<libc::dl_phdr_info>() || info.dlpi_tls_data.is_null() {
                return 0;
            }
            // SAFETY: as many program headers as it says.
            let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
            let Some(tls) = headers.iter().find(|header| header.p_type == libc::PT_TLS) else {
                return 0;
            };
            let start = reserve().wrapping_sub(info.dlpi_tls_data as u64);
            if start.saturating_add(SIZE as u64) > tls.p_filesz {
                return 0;
            }
            let address = tls.p_vaddr + start;
            let holds =
                |header: &&libc::Elf64_Phdr| (header.p_vaddr..header.p_vaddr + header.p_memsz).contains(&address);
            let relro =
                headers.iter().filter(|header| header.p_type == libc::PT_GNU_RELRO).any(|header| holds(&header));
            let load = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).find(holds);
            let writable = load.is_some_and(|header| header.p_flags & libc::PF_W != 0);
            *found = Some(Image {
                address: info.dlpi_addr + address,
                module: info.dlpi_tls_modid,
                read_only: relro || !writable,
            });
            1
        }
        let mut found: Option<Image> = None;
        // SAFETY: `visit` gets what it expects.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
        found
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

/// What linked code gets in the place of the C library's function `name`.
pub fn replacement(name: &[u8]) -> Option<ExecutorAddr> {
    (name == b"pthread_create").then_some(ExecutorAddr(pthread_create as *const () as u64))
}

/// What the reserve takes of a stack: itself, and what aligning it and all behind it to pages can take.
const COST: usize = SIZE + 2 * ALIGN;

/// Stacks of at least so many bytes have room for the reserve.
const SMALL_STACK: usize = 1 << 20;

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
    let larger = (!attributes.is_null()).then(|| with_larger_stack(attributes)).flatten();
    let attributes = larger.as_ref().map_or(attributes, std::ptr::from_ref);
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_create(thread, attributes, start, argument) }
}

/// Attributes for a stack that is larger by what the reserve takes; `None` if the stack is large or the program's own memory.
fn with_larger_stack(attributes: *const libc::pthread_attr_t) -> Option<libc::pthread_attr_t> {
    let (mut size, mut start) = (0, 0u64);
    // SAFETY: the attributes are initialized, and only read. Copied bytes stay valid while the original does, which is longer
    // than the call they are for; the copy is not destroyed.
    unsafe {
        if libc::pthread_attr_getstacksize(attributes, &mut size) != 0 || size >= SMALL_STACK {
            return None;
        }
        // Without memory of its own, the stack "ends" at the null pointer, or there is an error.
        if pthread_attr_getstack(attributes, &mut start, &mut size) == 0 && start.wrapping_add(size as u64) != 0 {
            return None;
        }
        let mut copy = attributes.read();
        (libc::pthread_attr_setstacksize(&mut copy, size + COST) == 0).then_some(copy)
    }
}

#[cfg(test)]
#[path = "thread_local_tests.rs"]
mod tests;
