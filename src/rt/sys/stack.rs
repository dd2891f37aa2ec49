//! Linker stacks: a first call may come on a thread with a stack of a few KiB, which would not hold the linker.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::page_size;
use crate::rt::shard::{self, SHARDS};
use crossbeam_utils::CachePadded;

/// Usable bytes of a linker stack. Pages that are never touched cost nothing.
const SIZE: usize = 1 << 20;

/// Memory for a stack, with an inaccessible page below it.
#[derive(Debug)]
pub struct Stack {
    low: usize,
}

/// Stacks not in use, by the shards of the threads that used them last: a thread mostly gets back what its core has in its cache.
/// Locked inside the fork gate only.
static POOLS: [CachePadded<Mutex<Vec<Stack>>>; SHARDS] = [const { CachePadded::new(Mutex::new(Vec::new())) }; SHARDS];

fn pool() -> MutexGuard<'static, Vec<Stack>> {
    POOLS[shard::of_this_thread()].lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stack {
    /// A stack from the pool, or a new one.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn take() -> io::Result<Stack> {
        let pooled = pool().pop();
        pooled.map_or_else(Stack::new, Ok)
    }

    /// Puts it back into the pool.
    pub fn give_back(self) {
        pool().push(self);
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
        Ok(Stack { low: start as usize + guard })
    }

    /// Runs `work` on this stack; it is told which part of the thread's own stack is free meanwhile.
    pub fn run<R>(&mut self, work: impl FnOnce(OwnStack) -> R) -> R {
        // SAFETY: the memory is a stack's worth, owned by `self`, borrowed until `work` is done.
        unsafe { on_stack(self.low + SIZE, work) }
    }
}

/// The part of a thread's own stack that is free while a linker stack is in use: what is below `top`.
#[derive(Clone, Copy, Debug)]
pub struct OwnStack {
    top: usize,
}

impl OwnStack {
    /// Runs `work` on it: program code meets the stack it expects, and finds as much of it as the thread has.
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: below everything the thread has on this stack, which is suspended further up while a linker stack is in
        // use, and used by one `work` at a time, since that runs to its end on this thread.
        unsafe { on_stack(self.top, |_| work()) }
    }
}

/// Runs `work` with the stack pointer at `top`.
///
/// # Safety
/// `top` is 16-byte aligned, with memory for a stack below it that nothing else uses until `work` is done.
pub(super) unsafe fn run_at<R>(top: usize, work: impl FnOnce() -> R) -> R {
    // SAFETY: the caller's promise.
    unsafe { on_stack(top, |_| work()) }
}

/// Runs `work` with the stack pointer at `top`, telling it where the stack it was called on ends.
///
/// # Safety
/// `top` is 16-byte aligned, with memory for a stack below it that nothing else uses until `work` is done.
unsafe fn on_stack<R, F: FnOnce(OwnStack) -> R>(top: usize, work: F) -> R {
    struct Job<R, F> {
        work: Option<F>,
        result: Option<R>,
    }
    /// Unwinding ends here, in an abort: it could not cross to the other stack.
    extern "C" fn body<R, F: FnOnce(OwnStack) -> R>(job: *mut u8, own: usize) {
        // SAFETY: the job below, which waits for this.
        let job = unsafe { &mut *job.cast::<Job<R, F>>() };
        job.result = job.work.take().map(|work| work(OwnStack { top: own }));
    }
    let mut job = Job { work: Some(work), result: None };
    // SAFETY: the caller's promise about `top`; `body` gets the job it is made for.
    unsafe { switch((&raw mut job).cast(), body::<R, F>, top) };
    job.result.expect("a body that returns has stored its result")
}

/// Calls `body(job, stack pointer here)` with the stack pointer at `top`. The frame pointer chain and the unwind
/// information lead from the new stack to the old one, for debuggers.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(job: *mut u8, body: extern "C" fn(*mut u8, usize), top: usize) {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rax, rsi",
        "mov rsi, rsp",
        "mov rsp, rdx",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls `body(job, stack pointer here)` with the stack pointer at `top`. The frame pointer chain and the unwind
/// information lead from the new stack to the old one, for debuggers.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(job: *mut u8, body: extern "C" fn(*mut u8, usize), top: usize) {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, sp",
        ".cfi_def_cfa_register x29",
        "mov x9, x1",
        "mov x1, sp",
        "mov sp, x2",
        "blr x9",
        "mov sp, x29",
        ".cfi_def_cfa_register sp",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        "ret",
        ".cfi_endproc",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> usize {
        let local = 0u8;
        std::hint::black_box(&raw const local) as usize
    }

    #[test]
    fn work_runs_on_the_linker_stack() {
        let mut stack = Stack::take().unwrap();
        let low = stack.low;
        let inner = stack.run(|_| here());
        assert!(low < inner && inner <= low + SIZE);
        stack.give_back();
    }

    #[test]
    fn program_code_runs_on_the_stack_of_its_thread() {
        let mut stack = Stack::take().unwrap();
        let inner = stack.run(|own| own.run(here));
        assert!(here().abs_diff(inner) < 64 << 10);
        stack.give_back();
    }

    #[test]
    fn a_backtrace_crosses_the_stacks() {
        #[inline(never)]
        fn a_function_on_the_thread_stack() -> String {
            let mut stack = Stack::take().unwrap();
            let trace = stack.run(|_| std::backtrace::Backtrace::force_capture().to_string());
            stack.give_back();
            trace
        }
        let trace = a_function_on_the_thread_stack();
        assert!(trace.contains("a_function_on_the_thread_stack"), "{trace}");
    }
}
