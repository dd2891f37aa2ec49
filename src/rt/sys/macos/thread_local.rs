//! Thread-local memory on macOS: each thread that uses a variable gets a block of its own from the heap.
//!
//! A Mach-O variable has a descriptor, whose first word is a function that answers the variable's address in the calling thread. dyld's
//! own works for images that dyld has loaded only. Ours, [`thread_local_address`], adds the descriptor's third word, which holds
//! the variable's offset, to the address of the thread's block: made when it is first asked for, a copy of the initial values there
//! are by then, and freed when the thread ends.

use std::ffi::c_void;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::base::{ExecutorAddr, Format};
use crate::rt::executor::ExecutorError;
use crate::rt::thread_local::{Reserve, ThreadLocalMemory, ThreadLocalPlace, check_alignment};

/// Bytes in a block, as in the reserve that other systems have.
const SIZE: u64 = 32 << 10;
/// Alignment of a block, and so the greatest of anything in it.
const ALIGN: u64 = 4096;
/// The offset of a block's first byte: not 0, which is nobody's offset.
const FIRST: u64 = ALIGN;

static GIVEN: Reserve = Reserve::new();

/// The initial values of a block, as far as there are any other than zero.
fn template() -> MutexGuard<'static, Vec<u8>> {
    static TEMPLATE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key that each thread's block is kept under.
fn key() -> libc::pthread_key_t {
    extern "C" fn free(block: *mut c_void) {
        // SAFETY: the block made below, in a thread that ends.
        unsafe { libc::free(block) };
    }
    static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: stores a key. There are hundreds, of which this is one; without one nothing thread-local can work.
        let failed = unsafe { libc::pthread_key_create(&mut key, Some(free)) };
        assert_eq!(failed, 0, "no key for thread-local memory is left");
        key
    })
}

/// The address of the calling thread's block, less [`FIRST`]. Without memory for one, the process ends.
extern "C" fn block() -> u64 {
    let key = key();
    // SAFETY: the key exists; the block is as large and as aligned as asked for, and this thread's only.
    unsafe {
        let mut block = libc::pthread_getspecific(key);
        if block.is_null() {
            if libc::posix_memalign(&mut block, ALIGN as usize, SIZE as usize) != 0 {
                libc::abort();
            }
            let values = template();
            std::ptr::copy_nonoverlapping(values.as_ptr(), block.cast(), values.len());
            std::ptr::write_bytes(block.cast::<u8>().add(values.len()), 0, SIZE as usize - values.len());
            libc::pthread_setspecific(key, block);
        }
        block as u64 - FIRST
    }
}

/// The function of a thread-local variable's descriptor: called with the descriptor's address in rdi, it returns the variable's in
/// rax and leaves all other registers alone, as callers expect of it.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn thread_local_address() {
    std::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "sub rsp, 256",
        "movups [rsp], xmm0",
        "movups [rsp + 16], xmm1",
        "movups [rsp + 32], xmm2",
        "movups [rsp + 48], xmm3",
        "movups [rsp + 64], xmm4",
        "movups [rsp + 80], xmm5",
        "movups [rsp + 96], xmm6",
        "movups [rsp + 112], xmm7",
        "movups [rsp + 128], xmm8",
        "movups [rsp + 144], xmm9",
        "movups [rsp + 160], xmm10",
        "movups [rsp + 176], xmm11",
        "movups [rsp + 192], xmm12",
        "movups [rsp + 208], xmm13",
        "movups [rsp + 224], xmm14",
        "movups [rsp + 240], xmm15",
        "call {block}",
        "movups xmm0, [rsp]",
        "movups xmm1, [rsp + 16]",
        "movups xmm2, [rsp + 32]",
        "movups xmm3, [rsp + 48]",
        "movups xmm4, [rsp + 64]",
        "movups xmm5, [rsp + 80]",
        "movups xmm6, [rsp + 96]",
        "movups xmm7, [rsp + 112]",
        "movups xmm8, [rsp + 128]",
        "movups xmm9, [rsp + 144]",
        "movups xmm10, [rsp + 160]",
        "movups xmm11, [rsp + 176]",
        "movups xmm12, [rsp + 192]",
        "movups xmm13, [rsp + 208]",
        "movups xmm14, [rsp + 224]",
        "movups xmm15, [rsp + 240]",
        "add rsp, 256",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "pop rbp",
        "add rax, qword ptr [rdi + 16]",
        "ret",
        block = sym block,
    )
}

/// The function of a thread-local variable's descriptor: called with the descriptor's address in x0, it returns the variable's there; of
/// the others it changes x16 and x17 only, which callers expect.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
extern "C" fn thread_local_address() {
    std::arch::naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "sub sp, sp, #640",
        "stp x0, x1, [sp]",
        "stp x2, x3, [sp, #16]",
        "stp x4, x5, [sp, #32]",
        "stp x6, x7, [sp, #48]",
        "stp x8, x9, [sp, #64]",
        "stp x10, x11, [sp, #80]",
        "stp x12, x13, [sp, #96]",
        "stp x14, x15, [sp, #112]",
        "stp q0, q1, [sp, #128]",
        "stp q2, q3, [sp, #160]",
        "stp q4, q5, [sp, #192]",
        "stp q6, q7, [sp, #224]",
        "stp q8, q9, [sp, #256]",
        "stp q10, q11, [sp, #288]",
        "stp q12, q13, [sp, #320]",
        "stp q14, q15, [sp, #352]",
        "stp q16, q17, [sp, #384]",
        "stp q18, q19, [sp, #416]",
        "stp q20, q21, [sp, #448]",
        "stp q22, q23, [sp, #480]",
        "stp q24, q25, [sp, #512]",
        "stp q26, q27, [sp, #544]",
        "stp q28, q29, [sp, #576]",
        "stp q30, q31, [sp, #608]",
        "bl {block}",
        "mov x16, x0",
        "ldp x0, x1, [sp]",
        "ldr x17, [x0, #16]",
        "add x0, x16, x17",
        "ldp x2, x3, [sp, #16]",
        "ldp x4, x5, [sp, #32]",
        "ldp x6, x7, [sp, #48]",
        "ldp x8, x9, [sp, #64]",
        "ldp x10, x11, [sp, #80]",
        "ldp x12, x13, [sp, #96]",
        "ldp x14, x15, [sp, #112]",
        "ldp q0, q1, [sp, #128]",
        "ldp q2, q3, [sp, #160]",
        "ldp q4, q5, [sp, #192]",
        "ldp q6, q7, [sp, #224]",
        "ldp q8, q9, [sp, #256]",
        "ldp q10, q11, [sp, #288]",
        "ldp q12, q13, [sp, #320]",
        "ldp q14, q15, [sp, #352]",
        "ldp q16, q17, [sp, #384]",
        "ldp q18, q19, [sp, #416]",
        "ldp q20, q21, [sp, #448]",
        "ldp q22, q23, [sp, #480]",
        "ldp q24, q25, [sp, #512]",
        "ldp q26, q27, [sp, #544]",
        "ldp q28, q29, [sp, #576]",
        "ldp q30, q31, [sp, #608]",
        "add sp, sp, #640",
        "ldp x29, x30, [sp], #16",
        "ret",
        block = sym block,
    )
}

/// What linked code of `format` gets for the C name `name` instead of dyld's.
pub fn provided(format: Format, name: &[u8]) -> Option<ExecutorAddr> {
    let ours = format == Format::host() && name == b"_tlv_bootstrap";
    ours.then_some(ExecutorAddr(thread_local_address as *const () as u64))
}

/// The thread-local memory of this process.
#[derive(Debug)]
pub struct ProcessThreadLocals;

impl ThreadLocalMemory for ProcessThreadLocals {
    fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        check_alignment(pieces, ALIGN)?;
        let starts = GIVEN.take(pieces, SIZE)?;
        Ok(starts.into_iter().map(|start| ExecutorAddr(FIRST + start)).collect())
    }

    /// Refuses: descriptors of this system's programs hold offsets into the one block.
    fn allocate_dynamic(&self, _size: u64, _align: u64) -> Result<u64, ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }

    fn descriptor_resolver(&self) -> ExecutorAddr {
        ExecutorAddr::NULL
    }

    fn initialize(&self, place: ThreadLocalPlace, bytes: &[u8]) -> Result<(), ExecutorError> {
        let ThreadLocalPlace::Offset(offset) = place else {
            return Err(ExecutorError::ThreadLocalUnsupported);
        };
        let outside = || ExecutorError::ThreadLocalTemplate { reason: io::ErrorKind::InvalidInput.into() };
        let start = offset.0.checked_sub(FIRST).ok_or_else(outside)?;
        let end = start.checked_add(bytes.len() as u64).filter(|&end| end <= SIZE).ok_or_else(outside)?;
        {
            let mut template = template();
            let length = template.len().max(end as usize);
            template.resize(length, 0);
            template[start as usize..end as usize].copy_from_slice(bytes);
        }
        let own = (block() + offset.0) as *mut u8;
        // SAFETY: inside this thread's block, a piece of it that no code uses yet.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), own, bytes.len()) };
        Ok(())
    }
}

/// Where a library's thread-local variable is: Mach-O code never asks, it calls the variable's descriptor.
pub fn ask(_name: &[u8]) -> Option<ThreadLocalPlace> {
    None
}

/// What linked code gets in the place of the C library's function `name`: nothing here.
pub fn replacement(_name: &[u8]) -> Option<ExecutorAddr> {
    None
}
