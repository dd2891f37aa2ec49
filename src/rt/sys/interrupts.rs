//! Keeping signals and cancellation away from the linker.
//!
//! A signal handler that makes a first call on a thread that is linking would find the linker in the middle of something.
//! So signals wait. Those that the processor raises for an instruction do not: blocked, they would end the process at
//! once, and they are errors anyway. Cancellation must not unwind the linker either.

use std::mem::MaybeUninit;

unsafe extern "C" {
    fn pthread_setcancelstate(state: libc::c_int, old: *mut libc::c_int) -> libc::c_int;
}

#[cfg(target_os = "macos")]
const CANCEL_DISABLE: libc::c_int = 0;
#[cfg(not(target_os = "macos"))]
const CANCEL_DISABLE: libc::c_int = 1;

const SYNCHRONOUS: [libc::c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

/// What a thread let through before [`hold`].
#[derive(Clone, Copy)]
pub struct Interrupts {
    signals: libc::sigset_t,
    cancel: libc::c_int,
}

/// Holds signals and cancellation back on this thread, until [`Interrupts::restore`].
pub fn hold() -> Interrupts {
    let mut held = MaybeUninit::uninit();
    let mut old = MaybeUninit::uninit();
    let mut cancel = 0;
    // SAFETY: initializes both sets; the numbers are signals; the pointers are to locals of the right type.
    unsafe {
        libc::sigfillset(held.as_mut_ptr());
        for signal in SYNCHRONOUS {
            libc::sigdelset(held.as_mut_ptr(), signal);
        }
        libc::sigemptyset(old.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, held.as_ptr(), old.as_mut_ptr());
        pthread_setcancelstate(CANCEL_DISABLE, &mut cancel);
        Interrupts { signals: old.assume_init(), cancel }
    }
}

impl Interrupts {
    /// Lets through again what was let through before.
    pub fn restore(self) {
        let mut ignored = 0;
        // SAFETY: a valid set and a state this thread had.
        unsafe {
            pthread_setcancelstate(self.cancel, &mut ignored);
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.signals, std::ptr::null_mut());
        }
    }
}

/// The C library's error number of this thread.
pub fn errno() -> &'static std::cell::Cell<libc::c_int> {
    #[cfg(target_os = "linux")]
    // SAFETY: no precondition.
    let place = unsafe { libc::__errno_location() };
    #[cfg(target_os = "macos")]
    // SAFETY: no precondition.
    let place = unsafe { libc::__error() };
    // SAFETY: valid as long as the thread, which is the only one to use it; callers use the reference at once.
    unsafe { &*(place as *const std::cell::Cell<libc::c_int>) }
}
