//! Keeping signals and cancellation away from the linker.
//!
//! A signal handler that makes a first call on a thread that is linking would find the linker in the middle of something.
//! So signals wait. Those that the processor raises for an instruction do not: blocked, they would end the process at
//! once, and they are errors anyway. Cancellation must not unwind the linker either.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

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

/// The signals that are held back, once somebody has [prepared](prepare) for that.
static HELD: OnceLock<libc::sigset_t> = OnceLock::new();

/// Saves [`hold`] finding out each time what to hold back. Not left to the first [`hold`]: a signal may interrupt it, and whoever handles that comes here
/// too.
pub fn prepare() {
    HELD.get_or_init(asynchronous);
}

/// Holds signals and cancellation back on this thread, until [`Interrupts::restore`].
pub fn hold() -> Interrupts {
    let unprepared;
    let held = match HELD.get() {
        Some(held) => held,
        None => {
            unprepared = asynchronous();
            &unprepared
        }
    };
    let mut old = MaybeUninit::uninit();
    let mut cancel = 0;
    // SAFETY: initializes the set; the pointers are to a set, and to locals of the right type.
    unsafe {
        libc::sigemptyset(old.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, held, old.as_mut_ptr());
        pthread_setcancelstate(CANCEL_DISABLE, &mut cancel);
        Interrupts { signals: old.assume_init(), cancel }
    }
}

/// All signals but those that the processor raises.
fn asynchronous() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: initializes the set; the numbers are signals.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for signal in SYNCHRONOUS {
            libc::sigdelset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
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
