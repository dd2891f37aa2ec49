//! The C library's way into a program, without the start code of Rust's standard library.
//!
//! That code makes the program differ from a statically linked one: it ignores SIGPIPE, which children inherit, opens
//! closed standard streams, and has handlers and a stack for stack overflows, which then end in SIGABRT. It also takes a dozen system calls.

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// Defines C's `main`, which calls `$run` with the program's arguments, its name first. What that returns is the exit status.
#[macro_export]
macro_rules! c_main {
    ($run:path) => {
        /// The program's entry point.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: ::std::ffi::c_int, argv: *const *const ::std::ffi::c_char) -> ::std::ffi::c_int {
            // SAFETY: called by the C library, with the program's arguments.
            $run(unsafe { $crate::rt::c_arguments(argc, argv) })
        }
    };
}

/// The `argc` strings at `argv`.
///
/// # Safety
/// They are C strings.
pub unsafe fn c_arguments(argc: c_int, argv: *const *const c_char) -> Vec<OsString> {
    let count = usize::try_from(argc).unwrap_or(0);
    // SAFETY: the caller's promise.
    let string = |index| unsafe { CStr::from_ptr(*argv.add(index)) };
    (0..count).map(|index| OsStr::from_bytes(string(index).to_bytes()).to_os_string()).collect()
}
