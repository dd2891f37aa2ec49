//! Linker stacks: a first call may come on a thread with a stack of a few KiB, which would not hold the linker.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::page_size;

/// Usable bytes of a linker stack. Pages that are never touched cost nothing.
const SIZE: usize = 1 << 20;

/// Memory for a stack, with an inaccessible page below it.
#[derive(Debug)]
pub struct Stack {
    low: usize,
}

/// Stacks not in use. Locked inside the fork gate only.
static POOL: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

impl Stack {
    /// A stack from the pool, or a new one.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn take() -> io::Result<Stack> {
        let pooled = POOL.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.map_or_else(Stack::new, Ok)
    }

    /// Puts it back into the pool.
    pub fn give_back(self) {
        POOL.lock().unwrap_or_else(PoisonError::into_inner).push(self);
    }

    fn new() -> io::Result<Stack> {
        let guard = page_size() as usize;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a mapping at no particular address replaces nothing.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), guard + SIZE, access, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the first page of the mapping just made, not yet in use.
        if unsafe { libc::mprotect(start, guard, libc::PROT_NONE) } != 0 {
            let error = io::Error::last_os_error();
            // SAFETY: the mapping just made, not in use.
            unsafe { libc::munmap(start, guard + SIZE) };
            return Err(error);
        }
        Ok(Stack {
            low: start as usize + guard,
        })
    }

    /// Runs `work` on this stack.
    pub fn run<R>(&mut self, work: impl FnOnce() -> R) -> R {
        // SAFETY: the memory is a stack's worth, owned by `self`, borrowed until `work` is done; `work` does not unwind:
        // it would have to leave an `extern "C"` function, which aborts.
        unsafe { psm::on_stack(self.low as *mut u8, SIZE, work) }
    }
}

/// The part of a thread's own stack that is free while a linker stack is in use.
#[derive(Clone, Copy, Debug)]
pub struct OwnStack {
    top: usize,
}

/// What the functions between [`OwnStack::here`] and the switch of stacks may take, in bytes.
const SLACK: usize = 2048;

impl OwnStack {
    /// What is below the current stack pointer. To be asked right before switching to a linker stack.
    pub fn here() -> OwnStack {
        OwnStack {
            top: (psm::stack_pointer() as usize - SLACK) & !63,
        }
    }

    /// Runs `work` on it: program code meets the stack it expects, and finds as much of it as the thread has.
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: below everything the thread has on this stack, which is suspended further up while a linker stack is in
        // use, and used by one `work` at a time, since that runs to its end on this thread. Its lower end is the thread's
        // own guard page, not the size given here.
        unsafe { psm::on_stack((self.top - SLACK) as *mut u8, SLACK, work) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> usize {
        psm::stack_pointer() as usize
    }

    #[test]
    fn work_runs_on_the_linker_stack() {
        let mut stack = Stack::take().unwrap();
        let low = stack.low;
        let inner = stack.run(here);
        assert!(low < inner && inner <= low + SIZE);
        stack.give_back();
    }

    #[test]
    fn program_code_runs_on_the_stack_of_its_thread() {
        let mut stack = Stack::take().unwrap();
        let own = OwnStack::here();
        let inner = stack.run(|| own.run(here));
        assert!(here().abs_diff(inner) < 64 << 10);
        stack.give_back();
    }
}
