//! Telling libunwind of linked code.
//!
//! Since macOS 14 libunwind asks for the unwind sections that cover an address, if it is given somebody to ask
//! (`__unw_add_find_dynamic_unwind_sections`, libunwind_ext.h). Before, each frame description entry is told one by one: Darwin's
//! `__register_frame` takes an entry, not a section as libgcc's does.
//!
//! On Apple silicon libunwind reads from the header of the image that a frame belongs to whether return addresses are signed there, before
//! it enters a landing pad (`unw_set_reg`); so linked code has a header. A frame told with `__register_frame` has none, and that read is at
//! address 8: there, exceptions that linked code catches or cleans up after need macOS 14.

use std::ffi::c_int;
use std::sync::{OnceLock, PoisonError, RwLock};

use crate::base::{AddrRange, ExecutorAddr};
use crate::rt::executor::ExecutorError;
use crate::rt::sys::frame_records::Frames;
use crate::rt::sys::process;

/// `struct unw_dynamic_unwind_sections`.
#[repr(C)]
struct UnwindSections {
    dso_base: usize,
    dwarf_section: usize,
    dwarf_section_length: usize,
    compact_unwind_section: usize,
    compact_unwind_section_length: usize,
}

/// `struct mach_header_64` (mach-o/loader.h).
#[repr(C)]
struct MachHeader {
    magic: u32,
    cpu_type: u32,
    cpu_subtype: u32,
    file_type: u32,
    commands: u32,
    commands_size: u32,
    flags: u32,
    reserved: u32,
}

/// The header of the image that all linked code seems to be: one whose pointers are not signed. It is also the key of libunwind's cache,
/// so one is enough as long as code stays where it is.
static HEADER: MachHeader = MachHeader {
    magic: object::macho::MH_MAGIC_64,
    cpu_type: if cfg!(target_arch = "aarch64") {
        object::macho::CPU_TYPE_ARM64.0
    } else {
        object::macho::CPU_TYPE_X86_64.0
    },
    cpu_subtype: if cfg!(target_arch = "aarch64") {
        object::macho::CPU_SUBTYPE_ARM64_ALL.0
    } else {
        object::macho::CPU_SUBTYPE_X86_64_ALL.0
    },
    file_type: object::macho::MH_BUNDLE.0,
    commands: 0,
    commands_size: 0,
    flags: 0,
    reserved: 0,
};

type Find = extern "C" fn(address: usize, sections: *mut UnwindSections) -> c_int;

/// Code and the call frame records that cover it, ascending by address.
static RANGES: RwLock<Vec<(AddrRange, AddrRange)>> = RwLock::new(Vec::new());

/// Answers libunwind: 1 and the sections for an address in linked code, 0 for others.
extern "C" fn find(address: usize, sections: *mut UnwindSections) -> c_int {
    let ranges = RANGES.read().unwrap_or_else(PoisonError::into_inner);
    let address = ExecutorAddr(address as u64);
    let before = ranges.partition_point(|(code, _)| code.start <= address);
    let Some((code, eh_frame)) = before.checked_sub(1).and_then(|index| ranges.get(index)) else {
        return 0;
    };
    if !code.contains(address) {
        return 0;
    }
    // SAFETY: libunwind gives a structure to fill in.
    unsafe {
        sections.write(UnwindSections {
            dso_base: &raw const HEADER as usize,
            dwarf_section: eh_frame.start.0 as usize,
            dwarf_section_length: eh_frame.size() as usize,
            compact_unwind_section: 0,
            compact_unwind_section_length: 0,
        });
    }
    1
}

/// Whether libunwind asks [`find`]; it is told to on the first call.
fn is_asked() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| {
        let Some(add) = process::symbol(b"__unw_add_find_dynamic_unwind_sections", None) else {
            return false;
        };
        // SAFETY: the function's address, and its type in libunwind_ext.h.
        let add: extern "C" fn(Find) -> c_int = unsafe { std::mem::transmute(add.0 as *const ()) };
        add(find) == 0
    })
}

/// Makes the call frame records in `eh_frame`, a zero terminator included, known for `code`.
///
/// # Errors
/// [`ExecutorError::Missing`] when there is no unwinder.
pub fn register_frames(eh_frame: AddrRange, code: AddrRange) -> Result<(), ExecutorError> {
    if is_asked() {
        let mut ranges = RANGES.write().unwrap_or_else(PoisonError::into_inner);
        let at = ranges.partition_point(|(other, _)| other.start < code.start);
        ranges.insert(at, (code, eh_frame));
        return Ok(());
    }
    let register = process::symbol(b"__register_frame", None)
        .ok_or(ExecutorError::Missing { what: "__register_frame", why: "for exceptions" })?;
    // SAFETY: the address of `void __register_frame(const void *)`.
    let register: extern "C" fn(u64) = unsafe { std::mem::transmute(register.0 as *const ()) };
    for frame in Frames::new(eh_frame) {
        register(frame.record.0);
    }
    Ok(())
}
