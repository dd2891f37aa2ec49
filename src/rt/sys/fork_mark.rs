//! Telling a child of `fork` from its parent.

use std::sync::atomic::{AtomicU32, Ordering};

use super::process_id;

/// How often the process's id is asked for before a page of memory is made that answers without a system call.
const PATIENCE: u32 = 32;

/// Knows the process it was made in, however a child comes about: `fork`, or the bare system call.
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
            return true;
        }
        self.asked = self.asked.saturating_add(1);
        if self.asked == PATIENCE {
            self.page = cleared_by_fork();
        }
        false
    }
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
    fn a_child_is_known_without_asking_for_its_id() {
        assert!(in_child(PATIENCE + 1));
    }
}
