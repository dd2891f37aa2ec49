//! Fatal signals of the program: a report before it dies of them, as it would have died without.
//!
//! What makes that safe enough:
//! - Handlers run on a stack of their own, so that a stack overflow can be reported.
//! - From the first crash on, memory comes from an arena ([`crash_memory`]), never from the C library's allocator, whose lock the
//!   crashed thread may hold. Nothing is freed any more.
//! - Whoever reports takes no lock for which it would have to wait. What the unwinder of the process does is not known, so after
//!   [`MOST_SECONDS`] the program dies unreported.
//! - A crash of the report itself, when an unwinder takes what is on the stack for a return address, leads to one without a backtrace, and a crash of that ends
//!   the process by the first signal.
//!
//! The program sees no handlers and no alternate stack ([`replacement`]): it asks for what it would find if it were linked statically.
//! Handlers of its own replace those of this file. Shared libraries do see them; those that call the handler they have replaced have
//! it report and die.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::crash_context::Context;
use super::crash_memory;
use super::fork_mark::shares_memory_with;
use super::os;
use super::stack;
use crate::base::ExecutorAddr;
use crate::rt::crash::Crash;

/// The signals that are reported: what processors raise for instructions, and what `abort` does.
const SIGNALS: [c_int; 6] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT];

/// How long a report may take.
const MOST_SECONDS: u32 = 10;
/// Most frames of a backtrace.
const MOST_FRAMES: usize = 4096;
/// Bytes of the stack that handlers are entered on, and of that which reports are made on. Pages that are never touched cost nothing.
const SIGNAL_STACK: usize = 256 << 10;
const REPORT_STACK: usize = 1 << 20;

#[repr(C, align(16))]
struct Stacks(UnsafeCell<[u8; SIGNAL_STACK + REPORT_STACK]>);

// SAFETY: used as stacks only, each by one thread at a time.
unsafe impl Sync for Stacks {}

static STACKS: Stacks = Stacks(UnsafeCell::new([0; SIGNAL_STACK + REPORT_STACK]));

type Reporter = Box<dyn Fn(&Crash) -> String + Send + Sync>;

static REPORTER: OnceLock<Reporter> = OnceLock::new();
/// The signal that is being reported; 0 for none.
static REPORTED: AtomicI32 = AtomicI32::new(0);
/// What is reported if the backtrace cannot be had.
static SUMMARY: OnceLock<Crash> = OnceLock::new();
/// Whether a report has crashed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);
/// The thread that reports, as a pthread_t.
static REPORTING: AtomicUsize = AtomicUsize::new(0);

/// Has fatal signals reported: `report` makes the text for standard error. Once per process; the calling thread's stack overflows can
/// be reported, those of other threads cannot.
pub fn catch(report: Reporter) {
    if REPORTER.set(report).is_err() {
        return;
    }
    let stack = libc::stack_t { ss_sp: signal_stack(), ss_flags: 0, ss_size: SIGNAL_STACK };
    // SAFETY: memory that nothing else uses and that stays.
    unsafe { libc::sigaltstack(&stack, ptr::null_mut()) };
    let action = action(handler_address());
    for signal in SIGNALS {
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the handler is what its flags say; both pointers are to structures of the right type.
        unsafe {
            libc::sigaction(signal, &action, before.as_mut_ptr());
            // Ignored by the wish of whoever started this process: that is inherited.
            if before.assume_init_ref().sa_sigaction == libc::SIG_IGN {
                libc::sigaction(signal, before.as_ptr(), ptr::null_mut());
            }
        }
    }
}

fn signal_stack() -> *mut c_void {
    STACKS.0.get().cast()
}

fn handler_address() -> usize {
    on_signal as *const () as usize
}

fn action(handler: usize) -> libc::sigaction {
    // SAFETY: all zeroes are a valid structure.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    if handler == handler_address() {
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: initializes the set. A report that crashes comes here again.
        unsafe {
            libc::sigfillset(&mut action.sa_mask);
            SIGNALS.iter().for_each(|&signal| _ = libc::sigdelset(&mut action.sa_mask, signal));
        }
    }
    action
}

unsafe extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: no precondition.
    let (me, parent) = unsafe { (libc::pthread_self() as usize, libc::getppid() as u32) };
    // A child of `vfork` would make the report in its parent's memory, in which nobody has crashed.
    if shares_memory_with(parent) {
        die(signal);
    }
    match REPORTED.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => REPORTING.store(me, Ordering::Release),
        // The report has crashed. Nobody goes back to it, so its stack is free.
        Err(first) if REPORTING.load(Ordering::Acquire) == me => {
            if let (false, Some(summary)) = (HAS_FAILED.swap(true, Ordering::AcqRel), SUMMARY.get()) {
                on_report_stack(|| send(summary));
            }
            die(first)
        }
        // Another thread reports and then ends the process.
        Err(_) => loop {
            // SAFETY: no precondition.
            unsafe { libc::pause() };
        },
    }
    watch();
    crash_memory::use_arena();
    // SAFETY: the kernel passes both to a handler with SA_SIGINFO.
    let (info, mut context) = unsafe { (&*info, Context::new(context)) };
    on_report_stack(|| report(signal, info, &mut context));
    let default = action(libc::SIG_DFL);
    // SAFETY: a valid action.
    unsafe { libc::sigaction(signal, &default, ptr::null_mut()) };
    // An instruction is executed again and raises the signal again; what somebody has sent must be sent again.
    if info.si_code <= 0 {
        // SAFETY: no precondition.
        unsafe { libc::raise(signal) };
    }
}

fn on_report_stack(work: impl FnOnce()) {
    let top = signal_stack() as usize + SIGNAL_STACK + REPORT_STACK;
    // SAFETY: memory for a stack, used by the one thread that reports.
    unsafe { stack::run_at(top, work) };
}

/// Sees to it that the process ends even if the report does not.
fn watch() {
    extern "C" fn too_long(_: c_int) {
        die(REPORTED.load(Ordering::Acquire));
    }
    let mut action = action(too_long as *const () as usize);
    action.sa_flags = 0;
    // SAFETY: a valid action and set.
    unsafe {
        libc::sigaction(libc::SIGALRM, &action, ptr::null_mut());
        let mut set = MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGALRM);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
        libc::alarm(MOST_SECONDS);
    }
}

/// Ends the process by `signal`.
fn die(signal: c_int) -> ! {
    let default = action(libc::SIG_DFL);
    // SAFETY: a valid action and set; what cannot end by the signal ends at once.
    unsafe {
        libc::sigaction(signal, &default, ptr::null_mut());
        let mut set = MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

fn report(signal: c_int, info: &libc::siginfo_t, context: &mut Context) {
    let (pc, stack_pointer) = (context.pc(), context.stack_pointer());
    let sent = info.si_code <= 0;
    // SAFETY: what the kernel has filled in for the kind of signal that it is.
    let (address, sender) = unsafe { (info.si_addr() as u64, info.si_pid()) };
    let overflow = !sent && signal == libc::SIGSEGV && is_stack_overflow(address, stack_pointer);
    let summary = SUMMARY.get_or_init(|| Crash {
        signal,
        address: (!sent && signal != libc::SIGABRT).then_some(ExecutorAddr(address)),
        sender: (sent && sender != std::process::id() as i32).then_some(sender),
        stack_overflow: overflow,
        frames: vec![ExecutorAddr(pc)],
    });
    send(&Crash { frames: backtrace(context, pc), ..summary.clone() });
}

/// Writes the report of `crash`.
fn send(crash: &Crash) {
    if let Some(reporter) = REPORTER.get() {
        write(reporter(crash).as_bytes());
    }
}

/// Whether an access to `address` has left the stack: where it should be, there is nothing. Functions with large variables move the
/// stack pointer far before they touch anything.
fn is_stack_overflow(address: u64, stack_pointer: u64) -> bool {
    const BELOW: u64 = 64 << 10;
    const ABOVE: u64 = 8 << 20;
    (stack_pointer.saturating_sub(BELOW)..stack_pointer.saturating_add(ABOVE)).contains(&address)
}

fn write(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: a readable buffer.
        let written = unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(count) if count > 0 => bytes = &bytes[count..],
            _ => return,
        }
    }
}

/// What unwinders call a frame.
enum UnwindContext {}

/// `_URC_NO_REASON` and `_URC_END_OF_STACK`.
const GO_ON: c_int = 0;
const STOP: c_int = 5;

unsafe extern "C" {
    fn _Unwind_Backtrace(step: extern "C" fn(*mut UnwindContext, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut UnwindContext) -> usize;
}

struct Frames {
    /// Where the crash is: what is further in belongs to the report.
    first: u64,
    found: Vec<ExecutorAddr>,
}

/// The place of the crash and the return addresses of the functions around it.
fn backtrace(context: &mut Context, pc: u64) -> Vec<ExecutorAddr> {
    extern "C" fn step(context: *mut UnwindContext, frames: *mut c_void) -> c_int {
        // SAFETY: the frames below, and the context that the unwinder passes.
        let (frames, ip) = unsafe { (&mut *frames.cast::<Frames>(), _Unwind_GetIP(context) as u64) };
        if frames.found.is_empty() && ip != frames.first {
            return GO_ON;
        }
        if ip == 0 && !frames.found.is_empty() || frames.found.len() >= MOST_FRAMES {
            return STOP;
        }
        frames.found.push(ExecutorAddr(ip));
        GO_ON
    }
    let collect = |first: u64| {
        let mut frames = Frames { first, found: Vec::new() };
        // SAFETY: the function gets what it expects.
        unsafe { _Unwind_Backtrace(step, (&raw mut frames).cast()) };
        frames.found
    };
    let frames = collect(pc);
    if frames.len() > 1 {
        return frames;
    }
    // No unwind information there: most likely a jump to where no code is, with the return address where calls leave it.
    let Some(caller) = context.return_from_call() else {
        return vec![ExecutorAddr(pc)];
    };
    let mut frames = collect(caller);
    if frames.is_empty() {
        frames.push(ExecutorAddr(caller));
    }
    context.undo_return();
    frames.insert(0, ExecutorAddr(pc));
    frames
}

/// What linked code gets in the place of the C library's function `name`: the handlers and the stack of this file are hidden from it.
pub fn replacement(name: &[u8]) -> Option<ExecutorAddr> {
    let function = match name {
        b"sigaction" => sigaction as *const (),
        b"sigaltstack" => sigaltstack as *const (),
        b"signal" | b"ssignal" | b"bsd_signal" => signal as *const (),
        b"sysv_signal" | b"__sysv_signal" => sysv_signal as *const (),
        _ => return None,
    };
    (REPORTER.get().is_some() && os::find_symbol(c"sigaction", None).is_some()).then_some(ExecutorAddr(function as u64))
}

/// The C library's function, but the handler of this file is the default.
///
/// # Safety
/// That of the C library's function.
unsafe extern "C" fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let result = libc::sigaction(signal, new, old);
        if result == 0 && !old.is_null() && (*old).sa_sigaction == handler_address() {
            *old = action(libc::SIG_DFL);
        }
        result
    }
}

/// As [`sigaction`].
///
/// # Safety
/// That of the C library's function.
unsafe extern "C" fn signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: the caller's promise.
    hidden(unsafe { libc::signal(signal, handler) })
}

/// As [`sigaction`], with handlers that run once.
///
/// # Safety
/// That of the C library's function.
unsafe extern "C" fn sysv_signal(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    let mut new = action(handler);
    new.sa_flags = libc::SA_RESETHAND | libc::SA_NODEFER;
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the caller's promise; a valid action.
    unsafe {
        match libc::sigaction(signal, &new, old.as_mut_ptr()) {
            0 => hidden(old.assume_init_ref().sa_sigaction),
            _ => libc::SIG_ERR,
        }
    }
}

fn hidden(handler: usize) -> usize {
    if handler == handler_address() { libc::SIG_DFL } else { handler }
}

/// The C library's function, but the stack of this file is none.
///
/// # Safety
/// That of the C library's function.
unsafe extern "C" fn sigaltstack(new: *const libc::stack_t, old: *mut libc::stack_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let result = libc::sigaltstack(new, old);
        if result == 0 && !old.is_null() && (*old).ss_sp == signal_stack() {
            (*old).ss_sp = ptr::null_mut();
            (*old).ss_size = 0;
            (*old).ss_flags = libc::SS_DISABLE;
        }
        result
    }
}
