//! Symbols of the process that get another address: what copy relocations and canonical PLT entries are to a static linker.
//!
//! Code that holds addresses in 32 bits cannot refer to shared libraries where they are. Its data symbols get a copy in low
//! memory, its functions a stub there, and every shared library that refers to them is made to use the same: the places
//! that its dynamic relocations have written the old address to (System V gABI, "Dynamic Linking") get the new one.
//!
//! - A place is known by its *value*: whatever name or version led to the old address, the new one is meant. So `environ` and
//!   `__environ` stay one variable.
//! - Calls (`JUMP_SLOT`) go on as before; only addresses that code can see are changed.
//! - The libraries' constructors have run. What a copy holds of pointers into itself or to other copies follows it; what they
//!   have put elsewhere (the address of a stream kept on the heap) is still the original's.
//! - Libraries loaded later refer to the originals until something else is moved. `dlsym`, called by linked code, knows.
//! - Another thread that changes a variable while it is being moved may lose the change.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, slice};

use super::page_size;
use crate::base::ExecutorAddr;
use crate::rt::executor::{ProcessObject, Rebinding};
use crate::rt::gate;

/// Relocation types that write a symbol's address: into a table, and into data.
#[cfg(target_arch = "x86_64")]
const ADDRESS_TYPES: [u32; 2] = [6, 1];
#[cfg(target_arch = "aarch64")]
const ADDRESS_TYPES: [u32; 2] = [1025, 257];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ADDRESS_TYPES: [u32; 0] = [];

const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_JMPREL: u64 = 23;
const DT_PLTRELSZ: u64 = 2;
const RTLD_DL_SYMENT: c_int = 1;
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STT_GNU_IFUNC: u8 = 10;
const STV_PROTECTED: u8 = 3;

unsafe extern "C" {
    fn dladdr1(address: *const c_void, info: *mut libc::Dl_info, extra: *mut *mut c_void, flags: c_int) -> c_int;
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
}

/// What has been moved, by its old address.
static MOVED: Mutex<BTreeMap<u64, Moved>> = Mutex::new(BTreeMap::new());
/// Whether anything has been: most processes never ask further.
static ANY: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Copy, Debug)]
struct Moved {
    to: u64,
    /// Size of a copy; 0 for a function.
    size: u64,
}

fn moved() -> MutexGuard<'static, BTreeMap<u64, Moved>> {
    MOVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address that the program knows `address` by: another one if what is there was moved. For threads that link.
pub fn current(address: ExecutorAddr) -> ExecutorAddr {
    if !ANY.load(Ordering::Acquire) {
        return address;
    }
    moved().get(&address.0).map_or(address, |m| ExecutorAddr(m.to))
}

/// What is at `address`, a symbol's; `None` for what cannot be moved: no size is known, or its library does not ask where it is.
pub fn describe(address: ExecutorAddr) -> Option<ProcessObject> {
    if stand_ins().iter().any(|(_, ours)| *ours == address) {
        return Some(ProcessObject::Function);
    }
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let mut symbol: *mut c_void = std::ptr::null_mut();
    // SAFETY: the address is only compared; both results are places to be filled in.
    let found = unsafe { dladdr1(address.0 as *const c_void, &mut info, &mut symbol, RTLD_DL_SYMENT) } != 0;
    if found && !symbol.is_null() && info.dli_saddr as u64 == address.0 {
        // SAFETY: with this flag it is a pointer to the entry of a loaded library's symbol table.
        let symbol = unsafe { &*symbol.cast::<libc::Elf64_Sym>() };
        match symbol.st_info & 0xf {
            STT_FUNC | STT_GNU_IFUNC => return Some(ProcessObject::Function),
            STT_OBJECT if symbol.st_size != 0 && symbol.st_other & 3 != STV_PROTECTED => {
                // Nobody says what it is aligned to; the address shows it, up to a page.
                let align = 1 << address.0.trailing_zeros().min(12);
                return Some(ProcessObject::Data { size: symbol.st_size, align });
            }
            STT_OBJECT => return None,
            _ => {}
        }
    }
    // What an indirect function has chosen has no name of its own.
    let mut code = false;
    for_each_library(|library| code |= library.segment_with(address.0, libc::PF_X).is_some());
    code.then_some(ProcessObject::Function)
}

/// Moves what `rebindings` say: copies data, then makes all libraries use the new addresses.
///
/// # Errors
/// What the operating system says of changing the protection of tables.
pub fn rebind(rebindings: &[Rebinding]) -> io::Result<()> {
    let mut moved = moved();
    for rebinding in rebindings {
        let size = match rebinding.object {
            ProcessObject::Data { size, .. } => size,
            ProcessObject::Function => 0,
        };
        // SAFETY: the symbol's table entry gives the size; the session gives as much linked memory that nobody uses yet.
        unsafe {
            std::ptr::copy_nonoverlapping(rebinding.from.0 as *const u8, rebinding.to.0 as *mut u8, size as usize);
        }
        moved.insert(rebinding.from.0, Moved { to: rebinding.to.0, size });
    }
    ANY.store(true, Ordering::Release);
    follow_copies(&moved);
    let mut result = Ok(());
    for_each_library(|library| result = std::mem::replace(&mut result, Ok(())).and(library.rebind(&moved)));
    result
}

/// Makes pointers in copies, to themselves and to other copies, lead to the copies.
fn follow_copies(moved: &BTreeMap<u64, Moved>) {
    for (&from, copy) in moved.iter().filter(|(_, m)| m.size != 0) {
        let first = copy.to.next_multiple_of(8);
        for place in (first..(copy.to + copy.size).saturating_sub(7)).step_by(8) {
            let word = word_at(place);
            let value = word.load(Ordering::Relaxed);
            let new = if (from..from + copy.size).contains(&value) {
                value - from + copy.to
            } else {
                match moved.get(&value) {
                    Some(other) if other.size != 0 => other.to,
                    _ => continue,
                }
            };
            // If the program has changed it meanwhile, it knows better.
            let _ = word.compare_exchange(value, new, Ordering::Release, Ordering::Relaxed);
        }
    }
}

/// The word at an aligned address in writable memory that stays mapped while it is used.
fn word_at<'a>(address: u64) -> &'a AtomicU64 {
    debug_assert!(address.is_multiple_of(8));
    // SAFETY: callers give places in copies and in writable segments of loaded libraries.
    unsafe { &*(address as *const AtomicU64) }
}

/// A loaded library, while the loader keeps it from being unloaded.
struct Library<'a> {
    /// What is added to the addresses in its file.
    base: u64,
    headers: &'a [libc::Elf64_Phdr],
    /// The program itself, whose functions keep the addresses that the linker was started with.
    is_host: bool,
}

impl<'a> Library<'a> {
    /// Its segment with `flags` that `address` is in.
    fn segment_with(&self, address: u64, flags: u32) -> Option<&'a libc::Elf64_Phdr> {
        self.headers.iter().find(|h| {
            let start = self.base.wrapping_add(h.p_vaddr);
            h.p_type == libc::PT_LOAD && h.p_flags & flags == flags && address.wrapping_sub(start) < h.p_memsz
        })
    }

    /// The pages of its tables that are read-only once it is loaded.
    fn read_only_after_loading(&self) -> Option<(u64, u64)> {
        let header = self.headers.iter().find(|h| h.p_type == libc::PT_GNU_RELRO)?;
        let start = self.base.wrapping_add(header.p_vaddr);
        let page = !(page_size() - 1);
        let (start, end) = (start & page, start.wrapping_add(header.p_memsz) & page);
        (start < end).then_some((start, end))
    }

    /// Its dynamic relocation tables.
    fn relocations(&self) -> [&'a [libc::Elf64_Rela]; 2] {
        let Some(dynamic) = self.headers.iter().find(|h| h.p_type == libc::PT_DYNAMIC) else {
            return [&[]; 2];
        };
        let start = self.base.wrapping_add(dynamic.p_vaddr);
        // SAFETY: the header of a loaded library says where its dynamic section is: pairs of words.
        let entries = unsafe { slice::from_raw_parts(start as *const [u64; 2], dynamic.p_memsz as usize / 16) };
        let entries = || entries.iter().take_while(|entry| entry[0] != 0);
        let value = |tag: u64| entries().find(|entry| entry[0] == tag).map(|entry| entry[1]);
        [(DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)].map(|(table, size)| {
            let (Some(table), Some(size)) = (value(table), value(size)) else {
                return &[][..];
            };
            // glibc writes addresses over the offsets in the file, where it can; other loaders do not.
            let table = if table < self.base { table.wrapping_add(self.base) } else { table };
            if self.segment_with(table, libc::PF_R).is_none() {
                return &[];
            }
            let count = size as usize / size_of::<libc::Elf64_Rela>();
            // SAFETY: a table of a loaded library, in one of its segments.
            unsafe { slice::from_raw_parts(table as *const libc::Elf64_Rela, count) }
        })
    }

    /// The places that hold the address of something moved.
    fn stale_places(&self, moved: &BTreeMap<u64, Moved>) -> Vec<Stale> {
        let mut stale = Vec::new();
        for rela in self.relocations().into_iter().flatten() {
            let (symbol, kind) = (rela.r_info >> 32, rela.r_info as u32);
            if symbol == 0 || !ADDRESS_TYPES.contains(&kind) {
                continue;
            }
            let place = self.base.wrapping_add(rela.r_offset);
            if !place.is_multiple_of(8)
                || self.segment_with(place, libc::PF_W).is_none_or(|h| h.p_flags & libc::PF_X != 0)
            {
                continue;
            }
            let addend = if kind == ADDRESS_TYPES[0] { 0 } else { rela.r_addend as u64 };
            let old = word_at(place).load(Ordering::Relaxed);
            let target = old.wrapping_sub(addend);
            if let Some(m) = moved.get(&target).filter(|m| m.size != 0 || !self.is_host) {
                stale.push(Stale { place, old, new: m.to.wrapping_add(addend) });
            }
        }
        stale
    }

    fn rebind(&self, moved: &BTreeMap<u64, Moved>) -> io::Result<()> {
        let stale = self.stale_places(moved);
        let pages = self
            .read_only_after_loading()
            .filter(|&(start, end)| stale.iter().any(|s| (start..end).contains(&s.place)));
        let protect = |access: c_int| match pages {
            // SAFETY: whole pages of a loaded library's tables, which its loader has made readable only.
            Some((start, end))
                if unsafe { libc::mprotect(start as *mut c_void, (end - start) as usize, access) } != 0 =>
            {
                Err(io::Error::last_os_error())
            }
            _ => Ok(()),
        };
        protect(libc::PROT_READ | libc::PROT_WRITE)?;
        for Stale { place, old, new } in stale {
            word_at(place).store(new, Ordering::Release);
            // What has been moved itself has its copy of the old address, if the program has not changed it.
            if let Some((from, copy)) =
                moved.range(..=place).next_back().filter(|(from, m)| place - *from + 8 <= m.size)
            {
                let place = place - from + copy.to;
                if place.is_multiple_of(8) {
                    let _ = word_at(place).compare_exchange(old, new, Ordering::Release, Ordering::Relaxed);
                }
            }
        }
        protect(libc::PROT_READ)
    }
}

/// A place of a library that holds the address of something moved.
struct Stale {
    place: u64,
    old: u64,
    new: u64,
}

/// Calls `work` for every loaded library; none is loaded or unloaded meanwhile.
fn for_each_library<F: FnMut(&Library<'_>)>(mut work: F) {
    struct State<'a, F>(&'a mut F, bool);
    extern "C" fn visit<F: FnMut(&Library<'_>)>(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
        // SAFETY: the loader's description of a library, valid during the call, and the state given below.
        let (info, state) = unsafe { (&*info, &mut *data.cast::<State<'_, F>>()) };
        // SAFETY: so many headers are there.
        let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        (state.0)(&Library { base: info.dlpi_addr, headers, is_host: std::mem::take(&mut state.1) });
        0
    }
    // The program itself comes first.
    let mut state = State(&mut work, true);
    // SAFETY: `visit` takes what it is called with; the state outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (&raw mut state).cast()) };
}

/// What linked code gets for `function`: the loader's own lookups would answer old addresses, and refuse `RTLD_NEXT` to callers
/// that are in no library. Those in their place call them from the program's own file, which is where a static program's
/// calls come from.
pub fn stand_in(function: ExecutorAddr) -> ExecutorAddr {
    let found = stand_ins().into_iter().find(|(original, _)| *original == function);
    found.map_or(function, |(_, ours)| ours)
}

/// The functions that have others in their place, and those.
fn stand_ins() -> [(ExecutorAddr, ExecutorAddr); 2] {
    let address = |function: *const ()| ExecutorAddr(function as u64);
    [
        (address(libc::dlsym as *const ()), address(dlsym_current as *const ())),
        (address(dlvsym as *const ()), address(dlvsym_current as *const ())),
    ]
}

/// [`current`] for the program.
fn current_for_program(address: *mut c_void) -> *mut c_void {
    // No thread of the program may hold the table's lock while another one forks.
    let _inside = gate::enter();
    current(ExecutorAddr(address as u64)).0 as *mut c_void
}

extern "C" fn dlsym_current(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: the caller's promise.
    current_for_program(unsafe { libc::dlsym(handle, name) })
}

extern "C" fn dlvsym_current(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void {
    // SAFETY: the caller's promise.
    current_for_program(unsafe { dlvsym(handle, name, version) })
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::process::symbol;
    use crate::rt::sys::testing::in_child;

    fn address(name: &str) -> ExecutorAddr {
        symbol(name.as_bytes(), None).unwrap()
    }

    #[test]
    fn symbols_are_described_by_their_tables() {
        assert_eq!(describe(address("malloc")), Some(ProcessObject::Function));
        // An indirect function: the address is that of what it has chosen.
        assert_eq!(describe(address("strcmp")), Some(ProcessObject::Function));
        assert!(matches!(describe(address("optind")), Some(ProcessObject::Data { size: 4, align: 4.. })));
        assert!(matches!(describe(address("environ")), Some(ProcessObject::Data { size: 8, align: 8.. })));
    }

    #[test]
    fn what_is_in_no_library_is_not_described() {
        let variable = Box::new(0u64);
        assert_eq!(describe(ExecutorAddr(&raw const *variable as u64)), None);
        assert_eq!(describe(address("optind").offset(1)), None);
    }

    fn move_data(name: &str) -> u64 {
        let from = address(name);
        let object = describe(from).unwrap();
        let to = Box::leak(Box::new([0u64; 64])).as_ptr() as u64;
        rebind(&[Rebinding { from, to: ExecutorAddr(to), object }]).unwrap();
        to
    }

    #[test]
    fn libraries_use_the_copy() {
        let good = in_child(|| {
            let copy = move_data("optind");
            let arguments = [c"name", c"-a", c"-b"].map(|a| a.as_ptr().cast_mut());
            // SAFETY: three C strings.
            unsafe { libc::getopt(3, arguments.as_ptr(), c"ab".as_ptr()) };
            word_at(copy).load(Ordering::Relaxed) == 2
        });
        assert!(good);
    }

    #[test]
    fn the_host_itself_uses_the_copy() {
        let good = in_child(|| {
            let copy = move_data("environ");
            word_at(copy).store(0, Ordering::Relaxed);
            std::env::vars_os().next().is_none() && current(symbol(b"environ", None).unwrap()).0 == copy
        });
        assert!(good);
    }

    #[test]
    fn aliases_stay_one_variable() {
        let good = in_child(|| {
            let copy = move_data("__environ");
            current(address("environ")).0 == copy
        });
        assert!(good);
    }

    #[test]
    fn pointers_of_copies_follow_copies() {
        let good = in_child(|| {
            let stream = move_data("_IO_2_1_stdout_");
            let variable = move_data("stdout");
            word_at(variable).load(Ordering::Relaxed) == stream
        });
        assert!(good);
    }

    #[test]
    fn lookups_of_the_program_answer_the_copy() {
        let good = in_child(|| {
            let copy = move_data("optarg");
            let dlsym = stand_in(ExecutorAddr(libc::dlsym as *const () as u64));
            // SAFETY: the stand-in has the type of what it stands for.
            let dlsym: extern "C" fn(*mut c_void, *const c_char) -> u64 =
                unsafe { std::mem::transmute(dlsym.0 as *const ()) };
            dlsym(libc::RTLD_DEFAULT, c"optarg".as_ptr()) == copy
        });
        assert!(good);
    }

    #[test]
    fn other_functions_have_no_stand_in() {
        let malloc = address("malloc");
        assert_eq!(stand_in(malloc), malloc);
    }

    #[test]
    fn tables_are_read_only_again() {
        let writable = || -> Vec<String> {
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            let libc = maps.lines().filter(|line| line.contains("libc.so"));
            libc.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
        };
        let good = in_child(|| {
            let before = writable();
            move_data("optind");
            before == writable()
        });
        assert!(good);
    }
}
