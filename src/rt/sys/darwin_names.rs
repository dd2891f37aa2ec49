//! What code compiled for Darwin gets on Linux in the place of C library symbols that are called otherwise there, or passed
//! arguments otherwise.
//!
//! Code of both systems agrees on how most functions are called (System V ABI on x86-64; AAPCS64 on AArch64, of which Apple's is
//! a variant), so it is given this process's functions by their names. The exceptions are here:
//!
//! - variables and functions under Darwin's names: `errno`, the standard streams, the stack protector's value, what compilers call
//!   on Darwin only;
//! - `_tlv_bootstrap`, the function that thread-local descriptors hold; see [`thread_local_address`];
//! - on AArch64, variadic functions. Apple's code passes all variable arguments on the stack, 8 bytes each (Apple, "Writing ARM64 code
//!   for Apple platforms"); elsewhere they begin in registers. A `va_list` whose register areas are used up (AAPCS64, appendix
//!   B) describes the former, so the functions that take one serve. Structures of the C library (`stat`, `FILE` behind macros)
//!   and its numbers (`O_CREAT`, `errno` values) may still differ: programs that use those are not for here.

use std::sync::OnceLock;

use super::process;
use crate::base::{ExecutorAddr, Format};

/// What linked code of `format` gets for the C name `name`, whatever this process has by that name.
pub fn provided(format: Format, name: &[u8]) -> Option<ExecutorAddr> {
    if format == Format::host() {
        return None;
    }
    if let Some((_, ours)) = RENAMED.iter().find(|(theirs, _)| *theirs == name) {
        return process::symbol(ours, None);
    }
    let function = match name {
        b"_tlv_bootstrap" => thread_local_address as *const (),
        b"__stack_chk_guard" => stack_guard(),
        b"memset_pattern4" => memset_pattern::<4> as *const (),
        b"memset_pattern8" => memset_pattern::<8> as *const (),
        b"memset_pattern16" => memset_pattern::<16> as *const (),
        b"__sincos_stret" => sincos as *const (),
        b"__sincosf_stret" => sincosf as *const (),
        _ => variadic(name)?,
    };
    Some(ExecutorAddr(function as u64))
}

/// Darwin's names and this C library's for the same things.
const RENAMED: &[(&[u8], &[u8])] = &[
    (b"__error", b"__errno_location"),
    (b"__stdinp", b"stdin"),
    (b"__stdoutp", b"stdout"),
    (b"__stderrp", b"stderr"),
    (b"__bzero", b"bzero"),
    (b"__exp10", b"exp10"),
    (b"__exp10f", b"exp10f"),
];

/// The function of a thread-local variable's descriptor, whose third word is the variable's offset from the thread pointer: answers
/// the variable's address in the calling thread.
///
/// Called with the descriptor's address in rdi, it returns in rax and leaves all other registers alone, as callers expect of it.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn thread_local_address() {
    std::arch::naked_asm!("mov rax, qword ptr [rdi + 16]", "add rax, qword ptr fs:[0]", "ret")
}

/// The function of a thread-local variable's descriptor, whose third word is the variable's offset from the thread pointer: answers
/// the variable's address in the calling thread.
///
/// Called with the descriptor's address in x0, it returns in x0; of the others it changes x16 only, which callers expect.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
extern "C" fn thread_local_address() {
    std::arch::naked_asm!("mrs x16, tpidr_el0", "ldr x0, [x0, #16]", "add x0, x0, x16", "ret")
}

/// The value that functions put between their variables and their return address: random, with a zero byte that ends strings.
fn stack_guard() -> *const () {
    static GUARD: OnceLock<u64> = OnceLock::new();
    let guard = GUARD.get_or_init(|| {
        // SAFETY: reads the auxiliary vector; AT_RANDOM is the address of 16 bytes that stay.
        let random = unsafe {
            let bytes = libc::getauxval(libc::AT_RANDOM) as *const u64;
            if bytes.is_null() { u64::from(super::process_id()) << 8 } else { bytes.read_unaligned() }
        };
        random & !0xff
    });
    std::ptr::from_ref(guard).cast()
}

/// `memset_pattern4` and its like: fills `length` bytes with copies of a pattern of `N`, the last one cut off.
///
/// # Safety
/// `to` are `length` writable bytes, `pattern` are `N` readable ones elsewhere.
unsafe extern "C" fn memset_pattern<const N: usize>(to: *mut u8, pattern: *const u8, length: usize) {
    for start in (0..length).step_by(N) {
        // SAFETY: inside both, by the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(pattern, to.add(start), N.min(length - start)) };
    }
}

/// Two numbers, in two floating-point registers or, if they are short, both in one on x86-64.
#[repr(C)]
struct Pair<T> {
    sine: T,
    cosine: T,
}

/// Defines an adapter for the mathematics library's `sincos` of one type. The library is not linked with: few programs need it, and loading it
/// takes as long as starting one of them.
macro_rules! sincos {
    ($adapter:ident, $name:literal, $number:ty) => {
        extern "C" fn $adapter(angle: $number) -> Pair<$number> {
            static FUNCTION: OnceLock<Option<ExecutorAddr>> = OnceLock::new();
            let mut pair = Pair { sine: <$number>::NAN, cosine: <$number>::NAN };
            if let Some(function) = FUNCTION.get_or_init(|| process::symbol($name, None)) {
                // SAFETY: the function of that name takes an angle and where to put its sine and cosine.
                unsafe {
                    let function: extern "C" fn($number, *mut $number, *mut $number) =
                        std::mem::transmute(function.0 as *const ());
                    function(angle, &mut pair.sine, &mut pair.cosine);
                }
            }
            pair
        }
    };
}

sincos!(sincos, b"sincos", f64);
sincos!(sincosf, b"sincosf", f32);

/// What is called for a variadic function: on x86-64 the function itself, as both systems pass the arguments alike.
#[cfg(target_arch = "x86_64")]
fn variadic(_name: &[u8]) -> Option<*const ()> {
    None
}

#[cfg(target_arch = "aarch64")]
use self::variadic_functions::variadic;

#[cfg(target_arch = "aarch64")]
mod variadic_functions {
    use std::ffi::{c_char, c_int, c_void};

    /// Defines `variadic`, and for each function one that makes a `va_list` of the arguments on the stack and goes on to the function
    /// that takes one, in `$register`.
    macro_rules! variadic_functions {
        ($($name:literal $adapter:ident = $target:ident($($parameter:ty),*), $register:literal;)*) => {
            unsafe extern "C" {
                $(fn $target($(_: $parameter,)* list: *mut c_void) -> c_int;)*
            }
            $(
                #[unsafe(naked)]
                extern "C" fn $adapter() {
                    std::arch::naked_asm!(
                        "stp x29, x30, [sp, #-48]!",
                        "mov x29, sp",
                        // __stack; __gr_offs and __vr_offs 0: nothing is left in registers.
                        "add x16, sp, #48",
                        "str x16, [sp, #16]",
                        "str xzr, [sp, #40]",
                        concat!("add ", $register, ", sp, #16"),
                        "bl {target}",
                        "ldp x29, x30, [sp], #48",
                        "ret",
                        target = sym $target,
                    )
                }
            )*
            /// What is called for the variadic function `name`, if it is known to be one.
            pub(super) fn variadic(name: &[u8]) -> Option<*const ()> {
                $(if name == $name.as_bytes() { return Some($adapter as *const ()); })*
                None
            }
        };
    }

    variadic_functions! {
        "printf" printf = vprintf(*const c_char), "x1";
        "fprintf" fprintf = vfprintf(*mut c_void, *const c_char), "x2";
        "dprintf" dprintf = vdprintf(c_int, *const c_char), "x2";
        "sprintf" sprintf = vsprintf(*mut c_char, *const c_char), "x2";
        "snprintf" snprintf = vsnprintf(*mut c_char, usize, *const c_char), "x3";
        "asprintf" asprintf = vasprintf(*mut *mut c_char, *const c_char), "x2";
        "__sprintf_chk" sprintf_chk = __vsprintf_chk(*mut c_char, c_int, usize, *const c_char), "x4";
        "__snprintf_chk" snprintf_chk = __vsnprintf_chk(*mut c_char, usize, c_int, usize, *const c_char), "x5";
        "scanf" scanf = vscanf(*const c_char), "x1";
        "fscanf" fscanf = vfscanf(*mut c_void, *const c_char), "x2";
        "sscanf" sscanf = vsscanf(*const c_char, *const c_char), "x2";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &[u8]) -> Option<ExecutorAddr> {
        provided(Format::MachO, name)
    }

    #[test]
    fn the_process_own_format_gets_the_process_own_symbols() {
        assert_eq!(provided(Format::host(), b"_tlv_bootstrap"), None);
        assert_eq!(find(b"malloc"), None);
    }

    #[test]
    fn renamed_symbols_are_the_process_own() {
        for (theirs, ours) in RENAMED {
            assert!(find(theirs).is_some_and(|address| Some(address) == process::symbol(ours, None)));
        }
    }

    #[test]
    fn patterns_fill_memory_to_the_last_byte() {
        let mut bytes = [9u8; 13];
        // SAFETY: 11 of 13 bytes, and a pattern of 4.
        unsafe { memset_pattern::<4>(bytes.as_mut_ptr(), b"abcd".as_ptr(), 11) };
        assert_eq!(bytes, *b"abcdabcdabc\x09\x09");
    }

    #[test]
    fn the_guard_ends_strings_and_stays() {
        let place = find(b"__stack_chk_guard").expect("the guard is always there");
        assert_eq!(crate::rt::sys::testing::peek(place.0, 1), [0]);
        assert_eq!(find(b"__stack_chk_guard"), Some(place));
    }
}
