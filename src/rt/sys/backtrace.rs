//! `backtrace_symbols` for the program: the C library's own asks the loader directly, which does not know of linked code. The text of a frame is
//! glibc's: `file(function+0x12) [0x1234]`, without what is not known.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::loader;
use crate::base::ExecutorAddr;

unsafe extern "C" {
    fn backtrace_symbols(frames: *const *mut c_void, count: c_int) -> *mut *mut c_char;
    fn backtrace_symbols_fd(frames: *const *mut c_void, count: c_int, fd: c_int);
}

/// The C library's functions that have others in their place, and those.
pub fn stand_ins() -> [(ExecutorAddr, ExecutorAddr); 2] {
    let address = |function: *const ()| ExecutorAddr(function as u64);
    [
        (address(backtrace_symbols as *const ()), address(symbols_for_program as *const ())),
        (address(backtrace_symbols_fd as *const ()), address(write_for_program as *const ())),
    ]
}

/// One block from the program's `malloc`, as promised to callers: pointers to strings, then the strings.
///
/// # Safety
/// `frames` are `count` addresses.
unsafe extern "C" fn symbols_for_program(frames: *const *mut c_void, count: c_int) -> *mut *mut c_char {
    // SAFETY: the caller's promise.
    let texts = unsafe { texts(frames, count) };
    let pointers = texts.len() * size_of::<*mut c_char>();
    let size = pointers + texts.iter().map(|text| text.len() + 1).sum::<usize>();
    let block = loader::allocate_for_program(size).cast::<u8>();
    if block.is_null() {
        return block.cast();
    }
    let mut end = pointers;
    for (index, text) in texts.iter().enumerate() {
        // SAFETY: inside of the block, which has room for all pointers, strings and their ends.
        unsafe {
            let string = block.add(end);
            string.copy_from_nonoverlapping(text.as_ptr(), text.len());
            string.add(text.len()).write(0);
            block.cast::<*mut c_char>().add(index).write(string.cast());
        }
        end += text.len() + 1;
    }
    block.cast()
}

/// Writes a line for each frame.
///
/// # Safety
/// `frames` are `count` addresses.
unsafe extern "C" fn write_for_program(frames: *const *mut c_void, count: c_int, fd: c_int) {
    // SAFETY: the caller's promise.
    for mut text in unsafe { texts(frames, count) } {
        text.push(b'\n');
        // SAFETY: as many bytes; what cannot be written is lost, as in the C library.
        unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    }
}

/// What is said of each frame.
///
/// # Safety
/// `frames` are `count` addresses.
unsafe fn texts(frames: *const *mut c_void, count: c_int) -> Vec<Vec<u8>> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise.
    (0..count).map(|index| text(unsafe { *frames.add(index) } as u64)).collect()
}

fn text(frame: u64) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(info) = loader::describe_any(ExecutorAddr(frame)).filter(|info| !info.dli_fname.is_null()) {
        // SAFETY: a description's names are C strings.
        text.extend(unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes());
        let (name, start) = if info.dli_sname.is_null() {
            (&b""[..], info.dli_fbase as u64)
        } else {
            // SAFETY: as above.
            (unsafe { CStr::from_ptr(info.dli_sname) }.to_bytes(), info.dli_saddr as u64)
        };
        text.push(b'(');
        text.extend(name);
        let sign = if frame >= start { '+' } else { '-' };
        let offset = frame.abs_diff(start);
        // As C's `%#tx`: zero has no prefix.
        text.extend(if offset == 0 { format!("{sign}0) ") } else { format!("{sign}{offset:#x}) ") }.bytes());
    }
    text.extend(format!("[{frame:#x}]").bytes());
    text
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_a_library_is_named() {
        let malloc = crate::rt::sys::process::symbol(b"malloc", None).unwrap().0;
        let text = String::from_utf8(text(malloc + 1)).unwrap();
        assert!(text.contains("libc.so.6(") && text.ends_with(&format!("+0x1) [{:#x}]", malloc + 1)), "{text}");
    }

    #[test]
    fn what_is_nowhere_is_an_address() {
        assert_eq!(text(0x10), b"[0x10]");
    }

    #[test]
    fn all_frames_are_in_one_block() {
        let frames = [0x10 as *mut c_void, 0x20 as *mut c_void];
        // SAFETY: two frames; the result is a block of two strings from malloc.
        let texts = unsafe {
            let block = symbols_for_program(frames.as_ptr(), 2);
            let texts = [0, 1].map(|n| CStr::from_ptr(*block.add(n)).to_str().unwrap().to_string());
            libc::free(block.cast());
            texts
        };
        assert_eq!(texts, ["[0x10]", "[0x20]"]);
    }
}
