//! What is known of a program that dies of a signal.

use crate::base::ExecutorAddr;
use std::ffi::c_int;

/// A fatal signal.
#[derive(Clone, Debug)]
pub struct Crash {
    /// The signal's number.
    pub signal: c_int,
    /// What was accessed or executed, for a signal that an instruction has raised.
    pub address: Option<ExecutorAddr>,
    /// The process that has sent it, if that was another one.
    pub sender: Option<i32>,
    /// Whether the stack was full.
    pub stack_overflow: bool,
    /// Where the thread was, then return addresses, outwards.
    pub frames: Vec<ExecutorAddr>,
}

impl Crash {
    /// The signal's name, and what it mostly means.
    pub fn signal_name(&self) -> (&'static str, &'static str) {
        match self.signal {
            libc::SIGSEGV if self.stack_overflow => ("SIGSEGV", "stack overflow"),
            libc::SIGSEGV => ("SIGSEGV", "invalid memory access"),
            libc::SIGBUS => ("SIGBUS", "bad memory access"),
            libc::SIGILL => ("SIGILL", "illegal instruction"),
            libc::SIGFPE => ("SIGFPE", "arithmetic error"),
            libc::SIGTRAP => ("SIGTRAP", "breakpoint or trap"),
            libc::SIGABRT => ("SIGABRT", "abort"),
            _ => ("a signal", "unknown"),
        }
    }
}
