//! Leaving a large process's memory to another one.
//!
//! A process has not ended before its memory is taken down, and whoever waits for it waits for that: 15 ms for the size of a compiler. Linkers that
//! write a file let a child do the work and end before it (mold, wild). Here the program is the process that was started. So its last act is to
//! make a process that shares its memory and has nothing else: the memory stays until that one ends, and it ends when the first one has.
//!
//! Nobody is told of that process: it ends without a signal, has no open files, and holds back the signals that a program can ([`super::interrupts`]).
//! Where it cannot be made, nothing is lost but the time.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use super::interrupts;

/// Bytes of its stack.
const STACK: usize = 16 << 10;

#[repr(align(16))]
struct Stack(UnsafeCell<[u8; STACK]>);
// SAFETY: given to one process, once.
unsafe impl Sync for Stack {}
static KEEPER_STACK: Stack = Stack(UnsafeCell::new([0; STACK]));

/// Whether the process was made.
static MADE: AtomicBool = AtomicBool::new(false);
/// Whether it has nothing any more but memory.
static IS_BARE: AtomicBool = AtomicBool::new(false);

/// How often to look whether it has.
const LOOKS: usize = 1000;

/// Has this process's memory taken down after its end. To be called by a handler of its exit; only the first call does anything.
pub fn leave_memory_behind() {
    if MADE.swap(true, Ordering::Relaxed) {
        return;
    }
    let process = std::process::id() as usize;
    let held = interrupts::hold();
    // SAFETY: the stack is this process's alone, and grows down from its end. `keep_memory` only makes system calls.
    let made = unsafe {
        let top = KEEPER_STACK.0.get().cast::<u8>().add(STACK);
        libc::clone(keep_memory, top.cast(), libc::CLONE_VM, process as *mut c_void)
    };
    held.restore();
    // It has copies of this process's open files for a moment: a pipe's other end must not find them open after this process.
    for _ in 0..LOOKS {
        if made < 0 || IS_BARE.load(Ordering::Acquire) {
            break;
        }
        // SAFETY: no precondition.
        unsafe { libc::sched_yield() };
    }
}

/// What the other process does: it waits for the end of the one with the number `parent`. It shares the C library's state with that one, whose
/// threads go on meanwhile: so it makes system calls only, and of the C library's state may change `errno` of the thread that made it.
extern "C" fn keep_memory(parent: *mut c_void) -> libc::c_int {
    let parent = parent as libc::pid_t;
    // SAFETY: system calls on files that are this process's own, with a pointer to a local.
    unsafe {
        let closed = libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) == 0;
        IS_BARE.store(true, Ordering::Release);
        if !closed {
            return 0;
        }
        let process = libc::syscall(libc::SYS_pidfd_open, parent, 0) as libc::c_int;
        // The parent may have ended, and its number be another's.
        if process >= 0 && libc::syscall(libc::SYS_getppid) == libc::c_long::from(parent) {
            let mut end = libc::pollfd { fd: process, events: libc::POLLIN, revents: 0 };
            let forever: *const libc::timespec = std::ptr::null();
            let no_mask: *const libc::sigset_t = std::ptr::null();
            libc::syscall(libc::SYS_ppoll, &mut end, 1, forever, no_mask, 0);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::sys::process::in_child;
    use std::io::Read;
    use std::os::fd::{FromRawFd, OwnedFd};

    #[test]
    fn who_waits_sees_the_end_and_no_open_file_and_the_other_process_ends_too() {
        // SAFETY: system calls in a process of its own, with pointers to locals.
        let good = in_child(|| unsafe {
            // What the process leaves behind becomes a child of this one. A child that does not end would be waited for.
            libc::alarm(20);
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
            let mut pipe = [0; 2];
            libc::pipe(pipe.as_mut_ptr());
            let process = libc::fork();
            if process == 0 {
                leave_memory_behind();
                libc::_exit(7);
            }
            libc::close(pipe[1]);
            let mut status = 0;
            let ended = libc::waitpid(process, &mut status, 0) == process && libc::WEXITSTATUS(status) == 7;
            let mut rest = Vec::new();
            let closed = std::fs::File::from(OwnedFd::from_raw_fd(pipe[0])).read_to_end(&mut rest).is_ok();
            while libc::waitpid(-1, &mut status, libc::__WALL) > 0 {}
            ended && closed && rest.is_empty()
        });
        assert!(good.unwrap());
    }
}
