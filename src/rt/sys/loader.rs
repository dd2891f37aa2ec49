//! The loader's functions as the program and the shared libraries of a linked program get them: the program's symbols are found first,
//! as those of an executable are, and its memory is that of the first object in the list of loaded ones.
//!
//! Linked code is given the functions here where it refers to `dlopen`, `dlsym`, `dlvsym`, `dladdr`, `dladdr1` and `dl_iterate_phdr`. Libraries
//! get those of them that may need the program's symbols, once there is a program ([`super::interpose`]). `RTLD_NEXT` is relative to the caller: for the
//! program it is answered from this process's own file, which is where a static program's calls come from; a library calls the loader itself, through
//! a jump that leaves its return address where it is.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::dispatch::as_linker;
use super::{backtrace, open, rebind, thread_local};
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::rt::gate;
use crate::rt::program::ProgramSymbols;

const RTLD_DL_SYMENT: c_int = 1;
pub const RTLD_DL_LINKMAP: c_int = 2;

unsafe extern "C" {
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
    pub fn dladdr1(address: *const c_void, info: *mut libc::Dl_info, extra: *mut *mut c_void, flags: c_int) -> c_int;
}

type PhdrCallback = unsafe extern "C-unwind" fn(*mut libc::dl_phdr_info, usize, *mut c_void) -> c_int;

/// A program that runs in this process.
pub struct Program {
    /// Its symbols.
    pub symbols: Arc<dyn ProgramSymbols>,
    /// What it is called: `argv[0]`.
    pub name: &'static CStr,
}

/// The program of this process: the first one published.
static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Makes `program` the one that the functions here answer for, if there is none yet.
pub fn publish(program: Program) {
    PROGRAM.get_or_init(|| program);
}

/// The program, once it is published.
pub fn program() -> Option<&'static Program> {
    PROGRAM.get()
}

/// What linked code gets for `function` of the process.
pub fn stand_in(function: ExecutorAddr) -> ExecutorAddr {
    let found = stand_ins().find(|(original, _)| *original == function);
    found.map_or(function, |(_, ours)| ours)
}

/// Whether `address` is that of a function which stands in for another.
pub fn is_stand_in(address: ExecutorAddr) -> bool {
    stand_ins().any(|(_, ours)| ours == address)
}

/// The functions that have others in their place, and those.
fn stand_ins() -> impl Iterator<Item = (ExecutorAddr, ExecutorAddr)> {
    let address = |function: *const ()| ExecutorAddr(function as u64);
    let own = [
        (address(libc::dlsym as *const ()), address(dlsym_for_program as *const ())),
        (address(dlvsym as *const ()), address(dlvsym_for_program as *const ())),
        (address(libc::dlopen as *const ()), address(open::dlopen_for_program as *const ())),
        (address(libc::dladdr as *const ()), address(dladdr_for_all as *const ())),
        (address(dladdr1 as *const ()), address(dladdr1_for_all as *const ())),
        (address(libc::dl_iterate_phdr as *const ()), address(dl_iterate_phdr_for_program as *const ())),
    ];
    own.into_iter().chain(backtrace::stand_ins())
}

/// What shared libraries get for the loader's function `name`.
pub fn for_libraries(name: &[u8]) -> Option<u64> {
    match name {
        b"dlopen" => Some(open::dlopen_for_libraries as *const () as u64),
        b"dlsym" => Some(dlsym_for_libraries as *const () as u64),
        b"dladdr" => Some(dladdr_for_all as *const () as u64),
        b"dladdr1" => Some(dladdr1_for_all as *const () as u64),
        b"dl_iterate_phdr" => Some(dl_iterate_phdr_for_libraries as *const () as u64),
        _ => None,
    }
}

/// The handle of the program itself.
pub fn program_handle() -> *mut c_void {
    // SAFETY: no name: the program, which is there.
    unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_LAZY) }
}

/// The program's symbol, if `handle` is one that begins a search with the program.
fn find_in_program(handle: *mut c_void, name: *const c_char) -> Option<ExecutorAddr> {
    let program = program()?;
    if name.is_null() || handle == libc::RTLD_NEXT || (handle != libc::RTLD_DEFAULT && handle != program_handle()) {
        return None;
    }
    // SAFETY: callers of dlsym give a C string.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    match as_linker(|| program.symbols.find(name).ok_or_else(|| program.symbols.thread_local(name))) {
        Ok(address) => Some(address),
        Err(place) => place.map(thread_local::address),
    }
}

/// [`rebind::current`] for the program.
fn current_for_program(address: *mut c_void) -> *mut c_void {
    // No thread of the program may hold the table's lock while another one forks.
    let _inside = gate::enter();
    rebind::current(ExecutorAddr(address as u64)).0 as *mut c_void
}

extern "C" fn dlsym_for_program(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    if let Some(found) = find_in_program(handle, name) {
        return found.0 as *mut c_void;
    }
    // SAFETY: the caller's promise.
    let found = unsafe { libc::dlsym(handle, name) };
    if found.is_null() { found } else { stand_in(ExecutorAddr(current_for_program(found) as u64)).0 as *mut c_void }
}

extern "C" fn dlvsym_for_program(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void {
    // The program's symbols have no versions, so they are of any.
    if let Some(found) = find_in_program(handle, name) {
        return found.0 as *mut c_void;
    }
    // SAFETY: the caller's promise.
    current_for_program(unsafe { dlvsym(handle, name, version) })
}

/// The address of the program's symbol for [`dlsym_for_libraries`]; null if the loader is to be asked.
extern "C" fn dlsym_in_program(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    find_in_program(handle, name).unwrap_or(ExecutorAddr::NULL).0 as *mut c_void
}

/// `dlsym` for libraries: the program's symbol, else a jump to the loader's function.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn dlsym_for_libraries(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "push rdi",
        ".cfi_def_cfa_offset 16",
        "push rsi",
        ".cfi_def_cfa_offset 24",
        "sub rsp, 8",
        ".cfi_def_cfa_offset 32",
        "call {find}",
        "add rsp, 8",
        ".cfi_def_cfa_offset 24",
        "pop rsi",
        ".cfi_def_cfa_offset 16",
        "pop rdi",
        ".cfi_def_cfa_offset 8",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2: jmp qword ptr [rip + {dlsym}@GOTPCREL]",
        ".cfi_endproc",
        find = sym dlsym_in_program,
        dlsym = sym libc::dlsym,
    )
}

/// `dlsym` for libraries: the program's symbol, else a jump to the loader's function.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
extern "C" fn dlsym_for_libraries(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "stp x0, x1, [sp, #16]",
        "bl {find}",
        "mov x16, x0",
        "ldp x0, x1, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "cbz x16, 2f",
        "mov x0, x16",
        "ret",
        "2: adrp x16, :got:{dlsym}",
        "ldr x16, [x16, :got_lo12:{dlsym}]",
        "br x16",
        ".cfi_endproc",
        find = sym dlsym_in_program,
        dlsym = sym libc::dlsym,
    )
}

/// `dladdr` for everybody.
///
/// # Safety
/// `info` is a place for an answer.
unsafe extern "C" fn dladdr_for_all(address: *const c_void, info: *mut libc::Dl_info) -> c_int {
    match describe(ExecutorAddr(address as u64)) {
        Some(description) => {
            // SAFETY: the caller's promise.
            unsafe { info.write(description) };
            1
        }
        // SAFETY: the caller's promise.
        None => unsafe { libc::dladdr(address, info) },
    }
}

/// `dladdr1` for everybody. There is no symbol table whose entry it could point to.
///
/// # Safety
/// `info` is a place for an answer, `extra` too if `flags` ask for something.
unsafe extern "C" fn dladdr1_for_all(
    address: *const c_void,
    info: *mut libc::Dl_info,
    extra: *mut *mut c_void,
    flags: c_int,
) -> c_int {
    let Some(description) = describe(ExecutorAddr(address as u64)) else {
        // SAFETY: the caller's promise.
        return unsafe { dladdr1(address, info, extra, flags) };
    };
    // SAFETY: the caller's promise.
    unsafe {
        info.write(description);
        match flags {
            RTLD_DL_LINKMAP => extra.write(program_handle()),
            RTLD_DL_SYMENT => extra.write(std::ptr::null_mut()),
            _ => {}
        }
    }
    1
}

/// What is at `address`, if anybody knows.
pub fn describe_any(address: ExecutorAddr) -> Option<libc::Dl_info> {
    describe(address).or_else(|| {
        let mut info = std::mem::MaybeUninit::uninit();
        // SAFETY: the address is only compared; the answer is there if the result says so.
        unsafe { (libc::dladdr(address.0 as *const c_void, info.as_mut_ptr()) != 0).then(|| info.assume_init()) }
    })
}

/// `size` bytes that the program can free.
pub fn allocate_for_program(size: usize) -> *mut c_void {
    type Malloc = extern "C-unwind" fn(usize) -> *mut c_void;
    let own = program().and_then(|program| as_linker(|| program.symbols.find(b"malloc")));
    match own {
        Some(malloc) => {
            // SAFETY: the program's `malloc`, which has this type or makes the program undefined.
            let malloc: Malloc = unsafe { std::mem::transmute(malloc.0 as *const ()) };
            malloc(size)
        }
        // SAFETY: no precondition.
        None => unsafe { libc::malloc(size) },
    }
}

/// What is at `address`, if it is in the program's memory.
fn describe(address: ExecutorAddr) -> Option<libc::Dl_info> {
    let program = program()?;
    as_linker(|| {
        let mapped = program.symbols.mapped();
        mapped.iter().find(|(range, _)| range.contains(address))?;
        let first = mapped.iter().map(|(range, _)| range.start).min()?;
        let symbol = program.symbols.symbol_at(address);
        Some(libc::Dl_info {
            dli_fname: program.name.as_ptr(),
            dli_fbase: first.0 as *mut c_void,
            dli_sname: symbol.map_or(std::ptr::null(), |s| kept_name(s.name).as_ptr()),
            dli_saddr: symbol.map_or(std::ptr::null_mut(), |s| s.address.0 as *mut c_void),
        })
    })
}

/// `name` as a C string that stays as long as the process, as those of a loaded symbol table do.
fn kept_name(name: &'static [u8]) -> &'static CStr {
    static KEPT: Mutex<BTreeMap<&'static [u8], &'static CStr>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(name).or_insert_with(|| Box::leak(CString::new(name).unwrap_or_default().into_boxed_c_str()))
}

/// `dl_iterate_phdr` for the program: the first object, elsewhere this process's own file, is the program.
///
/// # Safety
/// That of the C library's function.
unsafe extern "C-unwind" fn dl_iterate_phdr_for_program(callback: PhdrCallback, data: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { iterate(callback, data, false) }
}

/// `dl_iterate_phdr` for libraries: the first object is the program, and this process's own file comes next, since unwinders look for its code too.
///
/// # Safety
/// That of the C library's function.
unsafe extern "C-unwind" fn dl_iterate_phdr_for_libraries(callback: PhdrCallback, data: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { iterate(callback, data, true) }
}

/// Calls `callback` for the program and for each library, and for this process's own file behind the program if that is `shown`.
///
/// # Safety
/// That of `dl_iterate_phdr`.
unsafe fn iterate(callback: PhdrCallback, data: *mut c_void, shown: bool) -> c_int {
    struct Call {
        callback: PhdrCallback,
        data: *mut c_void,
        headers: Option<&'static [libc::Elf64_Phdr]>,
        shown: bool,
    }
    unsafe extern "C-unwind" fn visit(info: *mut libc::dl_phdr_info, size: usize, call: *mut c_void) -> c_int {
        // SAFETY: the call below, and the loader's description of a library.
        let (call, info) = unsafe { (&mut *call.cast::<Call>(), &*info) };
        // SAFETY: as the loader gives it.
        let mut info = unsafe { std::ptr::from_ref(info).read() };
        if let Some(headers) = call.headers.take() {
            let (phdr, phnum) = (headers.as_ptr(), headers.len() as u16);
            let mut program = libc::dl_phdr_info { dlpi_phdr: phdr, dlpi_phnum: phnum, dlpi_addr: 0, ..info };
            // SAFETY: the caller's promise; the headers stay as long as the process.
            let result = unsafe { (call.callback)(&mut program, size, call.data) };
            if result != 0 || !call.shown {
                return result;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { (call.callback)(&mut info, size, call.data) }
    }
    type Iterate = unsafe extern "C-unwind" fn(PhdrCallback, *mut c_void) -> c_int;
    let mut call = Call { callback, data, headers: program().map(headers), shown };
    // SAFETY: the same function; it lets exceptions of its callback through.
    unsafe {
        let iterate: Iterate = std::mem::transmute(libc::dl_iterate_phdr as *const ());
        iterate(visit, (&raw mut call).cast())
    }
}

/// The program header of the first object's own thread-local memory, its address as it is. The object stands for the program, and the
/// program's variables at constant offsets are in that memory or in a library's: collectors of garbage scan it.
fn thread_local_header() -> Option<libc::Elf64_Phdr> {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: what the loader passes, and the call below.
        let (info, found) = unsafe { (&*info, &mut *found.cast::<Option<libc::Elf64_Phdr>>()) };
        // SAFETY: as many program headers as it says.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        *found = headers.iter().find(|header| header.p_type == libc::PT_TLS).map(|header| libc::Elf64_Phdr {
            p_vaddr: info.dlpi_addr + header.p_vaddr,
            p_paddr: info.dlpi_addr + header.p_vaddr,
            ..*header
        });
        1
    }
    static FOUND: OnceLock<Option<libc::Elf64_Phdr>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let mut found = None;
        // SAFETY: `visit` gets what it expects.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
        found
    })
}

/// Program headers for the memory of `program`, addresses as they are. Callers keep them: they are leaked, once for each number of segments.
fn headers(program: &Program) -> &'static [libc::Elf64_Phdr] {
    type Headers = &'static [libc::Elf64_Phdr];
    static KNOWN: Mutex<Headers> = Mutex::new(&[]);
    as_linker(|| {
        let mapped = program.symbols.mapped();
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let thread_local = thread_local_header();
        if known.len() != mapped.len() + usize::from(thread_local.is_some()) {
            let memory = mapped.iter().map(|(range, prot)| header(*range, *prot));
            *known = memory.chain(thread_local).collect::<Vec<_>>().leak();
        }
        *known
    })
}

fn header(range: AddrRange, prot: MemProt) -> libc::Elf64_Phdr {
    libc::Elf64_Phdr {
        p_type: libc::PT_LOAD,
        p_flags: match prot {
            MemProt::Read => libc::PF_R,
            MemProt::ReadWrite => libc::PF_R | libc::PF_W,
            MemProt::ReadExec => libc::PF_R | libc::PF_X,
        },
        p_offset: 0,
        p_vaddr: range.start.0,
        p_paddr: range.start.0,
        p_filesz: range.size(),
        p_memsz: range.size(),
        p_align: super::page_size(),
    }
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::process::symbol;

    #[test]
    fn other_functions_have_no_stand_in() {
        let malloc = symbol(b"malloc", None).unwrap();
        assert_eq!(stand_in(malloc), malloc);
    }

    #[test]
    fn lookups_of_the_program_are_answered_here() {
        let dlsym = symbol(b"dlsym", None).unwrap();
        assert_ne!(stand_in(dlsym), dlsym);
        assert!(is_stand_in(stand_in(dlsym)));
    }

    #[test]
    fn a_library_that_asks_for_the_next_definition_asks_the_loader() {
        // Called from here, the next definition is the C library's.
        let found = dlsym_for_libraries(libc::RTLD_NEXT, c"malloc".as_ptr());
        assert_eq!(ExecutorAddr(found as u64), symbol(b"malloc", None).unwrap());
    }

    #[test]
    fn without_a_program_addresses_are_the_loaders_to_describe() {
        assert!(describe(symbol(b"malloc", None).unwrap()).is_none());
    }
}
