//! Telling a child of `fork` from its parent.

use std::sync::atomic::{AtomicU32, Ordering};

use super::process_id;

/// How often the process's id is asked for before a page of memory is made that answers without a system call.
const PATIENCE: u32 = 32;

/// Knows the process it was made in, however a child comes about: `fork`, or the bare system call. A child of `vfork` is no other process
/// here: what it does to memory it does to its parent's.
#[derive(Debug)]
pub struct ForkMark {
    process: u32,
    asked: u32,
    /// What the kernel clears in children.
    page: Option<&'static AtomicU32>,
}

impl ForkMark {
    /// The mark of this process.
    pub fn new() -> ForkMark {
        ForkMark { process: process_id(), asked: 0, page: None }
    }

    /// Whether this is a child of the process that made the mark.
    pub fn is_of_parent(&mut self) -> bool {
        if let Some(page) = self.page {
            return page.load(Ordering::Relaxed) == 0;
        }
        if process_id() != self.process {
            return !shares_memory_with(self.process);
        }
        self.asked = self.asked.saturating_add(1);
        if self.asked == PATIENCE {
            self.page = cleared_by_fork();
        }
        false
    }
}

/// Whether the memory of `process` is this one's; no, if the kernel does not tell.
#[cfg(target_os = "linux")]
pub(super) fn shares_memory_with(process: u32) -> bool {
    /// From the kernel's interface: that memory is what to compare.
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: the system call compares, and takes any numbers.
    unsafe { libc::syscall(libc::SYS_kcmp, process, process_id(), KCMP_VM, 0usize, 0usize) == 0 }
}

/// Nothing is shared that a child must not write here.
#[cfg(not(target_os = "linux"))]
pub(super) fn shares_memory_with(_process: u32) -> bool {
    false
}

/// A number other than 0, in memory that is all zeroes in children; `None` where the kernel has no such memory.
#[cfg(target_os = "linux")]
fn cleared_by_fork() -> Option<&'static AtomicU32> {
    let size = super::page_size() as usize;
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a mapping at no particular address replaces nothing.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page just made.
    if unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: the page just made, not in use.
        unsafe { libc::munmap(page, size) };
        return None;
    }
    // SAFETY: mapped for good, aligned, zero, and from here on only used as an atomic number.
    let mark = unsafe { &*page.cast::<AtomicU32>() };
    mark.store(1, Ordering::Relaxed);
    Some(mark)
}

/// There is no such memory here.
#[cfg(not(target_os = "linux"))]
fn cleared_by_fork() -> Option<&'static AtomicU32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `mark` says in a child made by the bare system call, after it was asked `times` times here.
    fn in_child(times: u32) -> bool {
        let mut mark = ForkMark::new();
        for _ in 0..times {
            assert!(!mark.is_of_parent());
        }
        // SAFETY: the child only asks and ends.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(mark.is_of_parent()));
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            libc::WEXITSTATUS(status) == 1
        }
    }

    #[test]
    fn a_child_is_known_from_the_first_time_on() {
        assert!(in_child(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_that_shares_memory_is_no_other_process() {
        extern "C" fn ask(mark: *mut libc::c_void) -> libc::c_int {
            // SAFETY: the mark below, which nobody else uses meanwhile.
            i32::from(unsafe { &mut *mark.cast::<ForkMark>() }.is_of_parent())
        }
        let mut mark = ForkMark::new();
        let mut stack = vec![0u128; 4096];
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let mut status = 0;
        // SAFETY: the child has a stack of its own, asks and ends; this thread waits for that, as with `vfork`.
        let child = unsafe { libc::clone(ask, stack.as_mut_ptr_range().end.cast(), flags, (&raw mut mark).cast()) };
        // SAFETY: waits for the child just made.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }

    #[test]
    fn a_child_is_known_without_asking_for_its_id() {
        assert!(in_child(PATIENCE + 1));
    }
}
