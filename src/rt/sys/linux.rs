//! Linux: code and constants are a memfd, mapped twice, unless there is much of them at once.
//!
//! One mapping is writable and never executable, the other is what the program sees and never writable. So these never change
//! protection, batches can share pages, and no page is ever writable and executable. Large segments are private memory, which is
//! writable until it gets its protection ([`seal`]).

use std::ffi::{CStr, c_char, c_void};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use super::{Extent, View, icache};
use crate::base::{ExecutorAddr, MemProt};
use crate::rt::memory::CodeMemory;

/// Segments may share pages: what is mapped of the file never changes protection.
pub const PAGES_ARE_SHARED: bool = true;

/// What is behind code and constants: mostly a file, sparse, nameless, gone with its last mapping.
#[derive(Debug)]
pub struct Backing {
    /// `None` for memory without a file.
    file: Option<MemoryFile>,
    code: libc::c_int,
}

/// A file in memory, by its descriptor. Of a child that `vfork` made, descriptors are not its parent's, though memory is; and a program may
/// close all that it does not know. So the number alone does not say that it is the file.
#[derive(Debug)]
struct MemoryFile {
    descriptor: libc::c_int,
    /// Device and inode.
    identity: (libc::dev_t, libc::ino_t),
}

impl MemoryFile {
    fn new(file: OwnedFd) -> io::Result<MemoryFile> {
        let identity = identity(file.as_raw_fd()).ok_or_else(io::Error::last_os_error)?;
        Ok(MemoryFile { descriptor: file.into_raw_fd(), identity })
    }

    /// Whether the descriptor is the file's in this process.
    fn is_there(&self) -> bool {
        identity(self.descriptor) == Some(self.identity)
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        if self.is_there() {
            // SAFETY: the file's descriptor, which nobody else has.
            unsafe { libc::close(self.descriptor) };
        }
    }
}

/// Device and inode of what `descriptor` is in this process; `None` if it is nothing.
fn identity(descriptor: libc::c_int) -> Option<(libc::dev_t, libc::ino_t)> {
    // SAFETY: all zeroes is a value of the structure; the pointer is to a local.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: as above; the call answers for numbers that are no descriptors too.
    (unsafe { libc::fstat(descriptor, &raw mut status) } == 0).then_some((status.st_dev, status.st_ino))
}

impl Backing {
    /// A file of `size` zero bytes that take no memory until they are written, or what else suits the `use_of_code`.
    /// Where no file can be made, memory without one.
    pub fn new(size: u64, use_of_code: CodeMemory) -> Backing {
        let without_file = Backing { file: None, code: libc::MAP_SHARED };
        let code = match use_of_code {
            CodeMemory::Plain => libc::MAP_SHARED,
            // The system lets debuggers write to private mappings only. What the program sees of a page no longer changes then.
            CodeMemory::Breakpoints => libc::MAP_PRIVATE,
            // Profilers take the names of files for names of programs, unless there is no file.
            CodeMemory::Nameless => return without_file,
        };
        // A process may forbid itself files and descriptors (a sandbox, or a child that is about to run what it does not trust).
        Self::with_code(size, code).unwrap_or_else(|error| {
            log::debug!("memory without a file: {error}");
            without_file
        })
    }

    fn with_code(size: u64, code: libc::c_int) -> io::Result<Backing> {
        // Beyond the limit ftruncate would not fail but raise SIGXFSZ.
        if size > limit(libc::RLIMIT_FSIZE) {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        // SAFETY: the name is a C string; the call has no other precondition.
        let fd = unsafe { libc::memfd_create(c"rjitlink".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor that nobody else knows.
        let file = out_of_the_way(unsafe { OwnedFd::from_raw_fd(fd) })?;
        let length = libc::off_t::try_from(size).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: no precondition.
        if unsafe { libc::ftruncate(file.as_raw_fd(), length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Backing { file: Some(MemoryFile::new(file)?), code })
    }

    /// Whether its file cannot be mapped any more, in this process.
    pub fn is_lost(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.is_there())
    }

    /// Maps the file from `offset` on over `extent` with protection `prot` ([`MemProt::Read`] or [`MemProt::ReadExec`]), and
    /// once more, writable, elsewhere: the view returned.
    ///
    /// Every part of the file may be mapped once only.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn map(&self, offset: u64, extent: Extent, prot: MemProt) -> io::Result<View> {
        let size = extent.size() as usize;
        let (access, sharing) = match prot {
            MemProt::ReadExec => (libc::PROT_READ | libc::PROT_EXEC, self.code),
            MemProt::Read | MemProt::ReadWrite => (libc::PROT_READ, libc::MAP_SHARED),
        };
        let Some(file) = &self.file else {
            return match map_without_file(&extent, access) {
                // Emulators may not know how: running is worth more than names.
                Err(_) => Self::with_code(offset + extent.size(), libc::MAP_SHARED)?.map(offset, extent, prot),
                mapped => mapped,
            };
        };
        let fd = file.descriptor;
        let offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let at = extent.start() as *mut libc::c_void;
        // SAFETY: MAP_FIXED replaces addresses that the extent owns and that nothing uses.
        let program = unsafe { libc::mmap(at, size, access, sharing | libc::MAP_FIXED, fd, offset) };
        if program == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: no address given, so nothing is replaced.
        let view = unsafe { libc::mmap(std::ptr::null_mut(), size, access, libc::MAP_SHARED, fd, offset) };
        if view == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh mapping, never unmapped, the only writable one of this part of the file; `extent` ends here.
        Ok(unsafe { View::new(view.cast(), size, extent.start()) })
    }
}

/// `file` by a number that the program, which counts from the lowest free one, does not expect to be taken; where the process may not
/// have so many, as it is.
fn out_of_the_way(file: OwnedFd) -> io::Result<OwnedFd> {
    /// Near the end of the table that every process begins with, of 64 numbers. To make a larger one takes 10 ms once there are threads: the kernel waits until
    /// no core looks at the old one.
    const LEAST: libc::c_int = 56;
    // SAFETY: no precondition.
    let from = |least: libc::c_int| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) };
    let mut other = from(LEAST);
    if other < 0 {
        if file.as_raw_fd() > libc::STDERR_FILENO {
            return Ok(file);
        }
        // The program was started with a standard stream closed, and will use that number.
        other = from(libc::STDERR_FILENO + 1);
    }
    if other < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(other) })
}

/// Makes the pages present that hold the `size` bytes at `start`, which are mapped, to be written if `writable`. Without Linux 5.14, and where
/// the system does not like to, they come when they are touched.
pub fn make_present(start: u64, size: u64, writable: bool) {
    let first = start & !(super::page_size() - 1);
    let advice = if writable { libc::MADV_POPULATE_WRITE } else { libc::MADV_POPULATE_READ };
    // SAFETY: the pages are mapped, and nothing in them changes.
    unsafe { libc::madvise(first as *mut c_void, (start + size - first) as usize, advice) };
}

/// Takes the whole pages that hold the `size` bytes at `start`, which are mapped a second time elsewhere, out of this mapping.
pub fn take_shared_pages_away(start: u64, size: u64) {
    // SAFETY: memory that is mapped twice is shared: its bytes are not this mapping's, and come back where they are touched.
    unsafe { libc::madvise(start as *mut c_void, size as usize, libc::MADV_DONTNEED) };
}

/// Maps fresh memory over `extent`, with `access`, and once more, writable, elsewhere: the view returned.
fn map_without_file(extent: &Extent, access: libc::c_int) -> io::Result<View> {
    let size = extent.size() as usize;
    let writable = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: no address given, so nothing is replaced.
    let view = unsafe { libc::mmap(std::ptr::null_mut(), size, writable, flags, -1, 0) };
    if view == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let at = extent.start() as *mut c_void;
    // SAFETY: of no bytes of a shared mapping a second one is made (mremap(2)); it replaces addresses that the extent owns and that nothing
    // uses, and is not writable once anything runs there.
    let failed = unsafe {
        let program = libc::mremap(view, 0, size, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, at);
        program == libc::MAP_FAILED || libc::mprotect(program, size, access) != 0
    };
    if failed {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh mapping, never unmapped, the only writable one of this memory; the caller gives up `extent`.
    Ok(unsafe { View::new(view.cast(), size, extent.start()) })
}

/// The largest reservation that leaves room, under the limits of this process (`ulimit -v`, `ulimit -f`), for mapping its
/// parts twice and for what the program itself needs, and whose file may be as large as it.
pub fn largest_reservation() -> u64 {
    (limit(libc::RLIMIT_AS) / 4).min(limit(libc::RLIMIT_FSIZE))
}

/// A limit of this process in bytes, `u64::MAX` for none.
fn limit(resource: libc::__rlimit_resource_t) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: fills the structure in, or fails and leaves it.
    unsafe { libc::getrlimit(resource, &mut limit) };
    match limit.rlim_cur {
        libc::RLIM_INFINITY => u64::MAX,
        bytes => bytes,
    }
}

/// Makes `size` bytes at `address`, already written through their view, visible as what they are.
///
/// # Errors
/// None here.
pub fn finish(address: u64, size: u64, prot: MemProt) -> io::Result<()> {
    if prot == MemProt::ReadExec {
        icache::clear(address, size);
    }
    Ok(())
}

/// Gives the whole pages of `size` bytes at `address`, private memory that was written where it is, their protection.
///
/// # Errors
/// What the operating system says.
pub fn seal(address: u64, size: u64, prot: MemProt) -> io::Result<()> {
    let access = match prot {
        MemProt::Read => libc::PROT_READ,
        MemProt::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        MemProt::ReadExec => libc::PROT_READ | libc::PROT_EXEC,
    };
    // SAFETY: whole pages that belong to one segment, whose content is not written again.
    if unsafe { libc::mprotect(address as *mut c_void, size as usize, access) } != 0 {
        return Err(io::Error::last_os_error());
    }
    finish(address, size, prot)
}

/// The number of the core that the calling thread is on, or was a moment ago.
pub fn core() -> Option<usize> {
    // SAFETY: no precondition.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// An address inside the C library: where shared libraries are.
pub fn near_address() -> u64 {
    libc::dl_iterate_phdr as *const () as u64
}

/// The mathematics library.
pub const MATHEMATICS: Option<&CStr> = Some(c"libm.so.6");

/// The C++ library that compilers link with here.
pub const CPLUSPLUS: Option<&CStr> = Some(c"libstdc++.so.6");

/// The address of a symbol by its name in the object file.
pub fn find_symbol(name: &CStr, version: Option<&CStr>) -> Option<ExecutorAddr> {
    // SAFETY: C strings; the default handle is always valid.
    let found = unsafe {
        match version {
            None => libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()),
            Some(version) => dlvsym(libc::RTLD_DEFAULT, name.as_ptr(), version.as_ptr()),
        }
    };
    Some(ExecutorAddr(found as u64))
}

unsafe extern "C" {
    static environ: *const *const c_char;
    static mut program_invocation_name: *const c_char;
    static mut program_invocation_short_name: *const c_char;
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
}

/// Makes `name` what the C library calls the program (in messages of `err`, `assert` and `getopt`).
pub fn set_program_name(name: &'static CStr) {
    let bytes = name.to_bytes();
    let short = bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    // SAFETY: the C library's variables, which programs may set; no thread of a program is running yet. The short name is the string's end.
    unsafe {
        (&raw mut program_invocation_name).write(name.as_ptr());
        (&raw mut program_invocation_short_name).write(name.as_ptr().add(short));
    }
}

/// The program's environment, as it is now.
pub fn environment() -> *const *const c_char {
    // SAFETY: the C library's variable, read as any program reads it.
    unsafe { environ }
}

/// What the kernel has told this process, as pairs of a kind and a value, without the end mark.
pub fn auxiliary_vector() -> Vec<(usize, usize)> {
    /// The last kind that is known: AT_MINSIGSTKSZ.
    const LAST: libc::c_ulong = 51;
    // SAFETY: the calling thread's variable.
    let errno = unsafe { &mut *libc::__errno_location() };
    let before = *errno;
    let value = |kind| {
        *errno = 0;
        // SAFETY: any number may be asked for.
        let value = unsafe { libc::getauxval(kind) };
        (value != 0 || *errno == 0).then_some((kind as usize, value as usize))
    };
    // After the end mark and AT_IGNORE.
    let vector = (2..=LAST).filter_map(value).collect();
    *errno = before;
    vector
}

/// Calls an indirect function's resolver with what this architecture's ABI passes.
#[cfg(not(target_arch = "aarch64"))]
pub fn call_resolver(resolver: ExecutorAddr) -> ExecutorAddr {
    // SAFETY: the session gives the address of a finalized resolver, which takes no argument here.
    let resolver: extern "C-unwind" fn() -> u64 = unsafe { std::mem::transmute(resolver.0 as *const ()) };
    ExecutorAddr(resolver())
}

/// Calls an indirect function's resolver with the processor's capabilities (SysV ABI for AArch64, "GNU indirect
/// functions").
#[cfg(target_arch = "aarch64")]
pub fn call_resolver(resolver: ExecutorAddr) -> ExecutorAddr {
    /// `__ifunc_arg_t`: its own size, then AT_HWCAP and AT_HWCAP2.
    #[repr(C)]
    struct Capabilities {
        size: u64,
        hwcap: u64,
        hwcap2: u64,
    }
    /// `_IFUNC_ARG_HWCAP`: a second argument is there.
    const HAS_SECOND: u64 = 1 << 62;
    // SAFETY: no precondition.
    let [hwcap, hwcap2] = [libc::AT_HWCAP, libc::AT_HWCAP2].map(|kind| unsafe { libc::getauxval(kind) });
    let capabilities = Capabilities { size: size_of::<Capabilities>() as u64, hwcap, hwcap2 };
    // SAFETY: the session gives the address of a finalized resolver; it may ignore its arguments.
    let resolver: extern "C-unwind" fn(u64, *const Capabilities) -> u64 =
        unsafe { std::mem::transmute(resolver.0 as *const ()) };
    ExecutorAddr(resolver(hwcap | HAS_SECOND, &capabilities))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::sys::testing::{in_child, set_limit};

    #[test]
    fn low_numbers_are_the_programs() {
        let number = |backing: &Backing| backing.file.as_ref().unwrap().descriptor;
        assert!(number(&Backing::new(1 << 20, CodeMemory::Plain)) >= 56);
        assert!(in_child(|| {
            set_limit(libc::RLIMIT_NOFILE, 50);
            let low = Backing::new(1 << 20, CodeMemory::Plain);
            (3..50).contains(&number(&low)) && !low.is_lost()
        }));
    }

    #[test]
    fn a_descriptor_that_has_become_another_files_is_not_taken_for_the_memory_files() {
        let backing = Backing::new(1 << 20, CodeMemory::Plain);
        let number = backing.file.as_ref().unwrap().descriptor;
        assert!(!backing.is_lost());
        let other = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: the memory file's own descriptor, which is replaced as a program might.
        assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), number) }, number);
        assert!(backing.is_lost());
        drop(backing);
        assert_eq!(identity(number), identity(other.as_raw_fd()));
        // SAFETY: the descriptor made above.
        unsafe { libc::close(number) };
    }
}
