//! Telling libgcc's unwinder of linked code.
//!
//! It can be told with `__register_frame_info`. From then on it takes a lock for every frame that it looks at, those of shared libraries included: one that a
//! child of `fork` may inherit locked, that a signal handler may wait for while its own thread has it, and under which it goes through
//! everything registered, one by one. A static program has none of this, since the loader knows its frames. So nothing is registered, but
//! `_Unwind_Find_FDE`, which libgcc calls for each frame as any shared library calls an exported function, is the executable's: it looks for linked code
//! first, without a lock, and leaves everything else to libgcc.

use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::frame_records::Frames;
use super::frame_table::FrameTable;
use super::process;
use crate::base::{AddrRange, ExecutorAddr};
use crate::rt::executor::ExecutorError;

static TABLE: FrameTable = FrameTable::new();

/// `struct dwarf_eh_bases` (libgcc, unwind-dw2-fde.h): what the numbers in a record can be relative to, beside themselves. Linked
/// code has neither of the first two.
#[repr(C)]
pub struct Bases {
    text: *const c_void,
    data: *const c_void,
    function: u64,
}

type Find = extern "C" fn(u64, *mut Bases) -> u64;

/// libgcc's `_Unwind_Find_FDE`; null until it has been looked for.
static LIBGCC: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// libgcc's `_Unwind_Find_FDE`, if there is one. Looked for when the first code is registered, or this process's own code unwinds before.
fn libgcc() -> Option<Find> {
    let mut found = LIBGCC.load(Ordering::Acquire);
    if found.is_null() {
        // SAFETY: a C string.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"_Unwind_Find_FDE".as_ptr()) };
        LIBGCC.store(found, Ordering::Release);
    }
    // SAFETY: null, or the address of a function of this type.
    unsafe { std::mem::transmute::<*mut c_void, Option<Find>>(found) }
}

/// The record about the code at `address`, or 0; what its numbers are relative to goes to `bases`.
///
/// A program that libgcc is linked into has its own.
#[cfg(all(target_env = "gnu", not(target_feature = "crt-static")))]
#[unsafe(export_name = "_Unwind_Find_FDE")]
pub extern "C" fn find_record(address: u64, bases: *mut Bases) -> u64 {
    let Some(frame) = TABLE.find(ExecutorAddr(address)) else {
        return libgcc().map_or(0, |find| find(address, bases));
    };
    let (text, data) = (std::ptr::null(), std::ptr::null());
    // SAFETY: the unwinder gives a structure to fill in.
    unsafe { bases.write(Bases { text, data, function: frame.code.start.0 }) };
    frame.record.0
}

/// Whether the unwinder finds `code`, the start of a function: not if libgcc calls its own function in spite of this one, since it has been linked in such a way or
/// this is a library that was loaded later.
fn is_found(code: ExecutorAddr) -> bool {
    unsafe extern "C" {
        fn _Unwind_FindEnclosingFunction(address: u64) -> u64;
    }
    // It takes its argument for a return address.
    // SAFETY: any address may be asked for.
    unsafe { _Unwind_FindEnclosingFunction(code.0 + 1) == code.0 }
}

/// Makes the call frame records in `eh_frame`, a zero terminator included, known for `code`.
///
/// # Errors
/// [`ExecutorError::Missing`] when there is no unwinder.
pub fn register_frames(eh_frame: AddrRange, code: AddrRange) -> Result<(), ExecutorError> {
    static IS_ASKED: OnceLock<bool> = OnceLock::new();
    debug_assert!(Frames::new(eh_frame).all(|frame| code.contains(frame.code.start)));
    if IS_ASKED.get() == Some(&false) {
        return register_with_libgcc(eh_frame);
    }
    TABLE.add(code, eh_frame);
    if IS_ASKED.get().is_some() {
        return Ok(());
    }
    let Some(first) = Frames::new(eh_frame).next() else { return Ok(()) };
    let is_asked = IS_ASKED.get_or_init(|| libgcc().is_some() && is_found(first.code.start));
    if *is_asked {
        return Ok(());
    }
    log::debug!("libgcc does not ask for linked code, and is told of it");
    register_with_libgcc(eh_frame)
}

/// Has libgcc note the section itself. What it notes, its `struct object` of six or seven words, it would else have from `malloc`: the program's, which
/// first calls should leave alone, and which grows page by page on threads other than the first.
fn register_with_libgcc(eh_frame: AddrRange) -> Result<(), ExecutorError> {
    /// Every first call needs it, and looking it up would take the dynamic loader's lock.
    static REGISTER: OnceLock<Option<ExecutorAddr>> = OnceLock::new();
    let register = *REGISTER.get_or_init(|| process::symbol(b"__register_frame_info", None));
    let register = register.ok_or(ExecutorError::Missing { what: "__register_frame_info", why: "for exceptions" })?;
    // SAFETY: the address of `void __register_frame_info(const void *, struct object *)`.
    let register: extern "C" fn(u64, *mut [u64; 8]) = unsafe { std::mem::transmute(register.0 as *const ()) };
    register(eh_frame.start.0, Box::leak(Box::new([0; 8])));
    Ok(())
}
