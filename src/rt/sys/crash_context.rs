//! Registers of a thread that a signal has stopped.

use std::ffi::c_void;

/// The registers, in the structure from which the kernel restores them.
pub struct Context {
    registers: *mut libc::ucontext_t,
    /// Program counter and stack pointer before [`Context::return_from_call`].
    saved: Option<(u64, u64)>,
}

impl Context {
    /// The registers in `context`.
    ///
    /// # Safety
    /// It is what the kernel passed to a signal handler that has not returned.
    pub unsafe fn new(context: *mut c_void) -> Context {
        Context { registers: context.cast(), saved: None }
    }

    /// The instruction that was being executed.
    pub fn pc(&mut self) -> u64 {
        *self.places().0
    }

    /// The stack pointer.
    pub fn stack_pointer(&mut self) -> u64 {
        *self.places().1
    }

    /// Makes it look as if the function that was just entered had returned, and answers where to; `None` if that cannot be known.
    pub fn return_from_call(&mut self) -> Option<u64> {
        let (pc, stack_pointer) = (self.pc(), self.stack_pointer());
        #[cfg(target_arch = "x86_64")]
        let (caller, popped) = {
            if stack_pointer == 0 || !stack_pointer.is_multiple_of(8) {
                return None;
            }
            // SAFETY: the thread's stack pointer. If it is bad, the crash of the report is caught.
            (unsafe { *(stack_pointer as *const u64) }, 8)
        };
        #[cfg(target_arch = "aarch64")]
        let (caller, popped) = (self.link(), 0);
        if caller == 0 || caller == pc {
            return None;
        }
        self.saved = Some((pc, stack_pointer));
        let (pc_place, stack_place) = self.places();
        *pc_place = caller;
        *stack_place += popped;
        Some(caller)
    }

    /// Takes that back.
    pub fn undo_return(&mut self) {
        if let Some((pc, stack_pointer)) = self.saved.take() {
            let (pc_place, stack_place) = self.places();
            *pc_place = pc;
            *stack_place = stack_pointer;
        }
    }

    /// Where program counter and stack pointer are.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn places(&mut self) -> (&mut u64, &mut u64) {
        // SAFETY: the promise of `new`. The two registers are different words.
        unsafe {
            let registers = (&raw mut (*self.registers).uc_mcontext.gregs).cast::<u64>();
            (&mut *registers.add(libc::REG_RIP as usize), &mut *registers.add(libc::REG_RSP as usize))
        }
    }

    /// Where program counter and stack pointer are.
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    fn places(&mut self) -> (&mut u64, &mut u64) {
        // SAFETY: the promise of `new`.
        let context = unsafe { &mut (*self.registers).uc_mcontext };
        (&mut context.pc, &mut context.sp)
    }

    /// The link register.
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    fn link(&self) -> u64 {
        // SAFETY: the promise of `new`.
        unsafe { (*self.registers).uc_mcontext.regs[30] }
    }

    /// Where program counter and stack pointer are.
    #[cfg(all(target_os = "macos", target_arch = "x86_64"))]
    fn places(&mut self) -> (&mut u64, &mut u64) {
        // SAFETY: the promise of `new`.
        let registers = unsafe { &mut (*(*self.registers).uc_mcontext).__ss };
        (&mut registers.__rip, &mut registers.__rsp)
    }

    /// Where program counter and stack pointer are.
    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    fn places(&mut self) -> (&mut u64, &mut u64) {
        // SAFETY: the promise of `new`.
        let registers = unsafe { &mut (*(*self.registers).uc_mcontext).__ss };
        (&mut registers.__pc, &mut registers.__sp)
    }

    /// The link register.
    #[cfg(all(target_os = "macos", target_arch = "aarch64"))]
    fn link(&self) -> u64 {
        // SAFETY: the promise of `new`.
        unsafe { (*(*self.registers).uc_mcontext).__ss.__lr }
    }
}
