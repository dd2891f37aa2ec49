//! The way from linked code into the linker and back.
//!
//! A dispatch may come from any instruction of the program that calls a function: on a small stack, with `errno` in use, in a
//! signal handler, on any thread. So the handler runs on a linker stack, with signals and cancellation held back, and leaves
//! `errno` as it was. Program code that the handler needs to run (initializers, resolvers) gets all of that back for the
//! time: its own stack, its signal mask, and it is outside the fork gate.

use std::cell::Cell;
use std::sync::{Arc, Once, OnceLock};

use super::interrupts::{self, Interrupts};
use super::stack::{OwnStack, Stack};
use crate::base::ExecutorAddr;
use crate::rt::executor::{DispatchHandler, DispatchResult};
use crate::rt::{gate, shard};

/// `CWrapperFunctionResult`: up to 8 bytes inline, more of them (or, with size 0, an error's text) behind a pointer
/// from `malloc` which the receiver frees. Returned in two registers on every ABI supported.
#[repr(C)]
pub struct WrapperFunctionResult {
    word: u64,
    size: u64,
}

/// What the context address of a dispatch leads to. Never freed: linked code may call as long as the process lives.
#[derive(Default)]
pub struct Context {
    handler: OnceLock<Arc<dyn DispatchHandler>>,
}

impl Context {
    /// A context with no handler yet.
    pub fn leaked() -> &'static Context {
        Box::leak(Box::default())
    }

    /// The address that linked code passes.
    pub fn address(&'static self) -> ExecutorAddr {
        ExecutorAddr(std::ptr::from_ref(self) as u64)
    }

    /// Sets the handler and guards forks from here on; gives the handler back if there already is one.
    pub fn set_handler(&self, handler: Arc<dyn DispatchHandler>) -> Result<(), Arc<dyn DispatchHandler>> {
        guard_forks();
        self.handler.set(handler)
    }
}

/// Has forks wait for the gate from now on.
pub fn guard_forks() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: the functions are valid as long as the process. Without memory to register them, forks are unguarded.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_in_parent), Some(after_in_child)) };
    });
}

thread_local! {
    /// What the thread let through before it began to fork: a signal handler that made a first call meanwhile would wait for its own
    /// thread to open the gate.
    static FORKING: Cell<Option<Interrupts>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    FORKING.set(Some(interrupts::hold()));
    gate::before_fork();
}

extern "C" fn after_in_parent() {
    gate::after_fork_in_parent();
    let_through();
}

extern "C" fn after_in_child() {
    gate::after_fork_in_child();
    let_through();
}

fn let_through() {
    if let Some(interrupts) = FORKING.take() {
        interrupts.restore();
    }
}

/// The state of the program that a dispatch has put aside.
#[derive(Clone, Copy)]
struct Frame {
    stack: Option<OwnStack>,
    interrupts: Interrupts,
}

thread_local! {
    /// The innermost dispatch of this thread, if the linker is running.
    static FRAME: Cell<Option<Frame>> = const { Cell::new(None) };
}

/// The address of the dispatch function, for `__orc_rt_jit_dispatch`.
pub fn entry_address() -> ExecutorAddr {
    interrupts::prepare();
    ExecutorAddr(entry as *const () as u64)
}

/// `__orc_rt_jit_dispatch`.
///
/// # Safety
/// `context` is a [`Context`]'s address; `args` are `size` readable bytes.
unsafe extern "C" fn entry(
    context: *const Context,
    tag: *const u8,
    args: *const u8,
    size: usize,
) -> WrapperFunctionResult {
    // SAFETY: the caller's promise; contexts are never freed.
    let context = unsafe { &*context };
    let args = if size == 0 {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(args, size) }
    };
    let tag = ExecutorAddr(tag as u64);
    as_linker(|| answer(context, tag, args))
}

/// Runs `work`, which the program has called for, as the linker is run: whatever the program was doing.
pub fn as_linker<R>(work: impl FnOnce() -> R) -> R {
    let errno = interrupts::errno().get();
    let interrupts = interrupts::hold();
    if !gate::is_inside() {
        shard::settle();
    }
    let inside = gate::enter();
    let work = |stack| {
        let outer = FRAME.replace(Some(Frame { stack, interrupts }));
        let result = work();
        FRAME.set(outer);
        result
    };
    let result = match Stack::take() {
        Ok(mut stack) => {
            let result = stack.run(|own| work(Some(own)));
            stack.give_back();
            result
        }
        // Without memory for a stack the thread's own has to do.
        Err(_) => work(None),
    };
    drop(inside);
    interrupts.restore();
    interrupts::errno().set(errno);
    result
}

fn answer(context: &Context, tag: ExecutorAddr, args: &[u8]) -> WrapperFunctionResult {
    pack(match context.handler.get() {
        Some(handler) => handler.dispatch(tag, args),
        None => Err("no dispatch handler is set".to_string()),
    })
}

fn pack(result: DispatchResult) -> WrapperFunctionResult {
    match result {
        Ok(bytes) if bytes.len() <= 8 => {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(&bytes);
            WrapperFunctionResult { word: u64::from_ne_bytes(word), size: bytes.len() as u64 }
        }
        Ok(bytes) => {
            let word = malloc(&bytes);
            // Without memory: an empty result, which no receiver of so long a one accepts.
            let size = if word == 0 { 0 } else { bytes.len() as u64 };
            WrapperFunctionResult { word, size }
        }
        Err(text) => {
            let mut text = text.into_bytes();
            text.retain(|&byte| byte != 0);
            text.push(0);
            WrapperFunctionResult { word: malloc(&text), size: 0 }
        }
    }
}

/// A copy of `bytes` that the C library can free; 0 if there is no memory.
fn malloc(bytes: &[u8]) -> u64 {
    // SAFETY: malloc has no precondition; the copy goes to as many fresh bytes.
    unsafe {
        let copy = libc::malloc(bytes.len()).cast::<u8>();
        if !copy.is_null() {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        }
        copy as u64
    }
}

/// Runs `work`, which calls program code, as the program expects to be run.
pub fn as_program<R>(work: impl FnOnce() -> R) -> R {
    gate::outside(|| {
        let Some(frame) = FRAME.take() else {
            return work();
        };
        let work = || {
            frame.interrupts.restore();
            let result = work();
            interrupts::hold();
            result
        };
        let result = match frame.stack {
            Some(stack) => stack.run(work),
            None => work(),
        };
        FRAME.set(Some(frame));
        result
    })
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
