//! The order in which lazy functions are first called: recorded, and read again for speculation.
//!
//! The file is llvm-jitlink's: a line `JITDylib, symbol` for each function, without a header.

use crate::lazy::{FirstCall, LazyFunction, Plugin};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Notes first calls.
#[derive(Debug, Default)]
pub struct LazyOrder {
    calls: Mutex<Vec<(Instant, String)>>,
}

impl LazyOrder {
    /// Writes what was noted, in the order in which the calls were made.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.sort_by_key(|(time, _)| *time);
        for (_, line) in calls.iter() {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }
}

impl Plugin for LazyOrder {
    fn first_call(&self, call: &FirstCall) {
        let line = format!("{}, {}", call.dylib, call.body);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push((call.start, line));
    }

    fn wants_all_first_calls(&self) -> bool {
        true
    }
}

/// Reads an order, called `name` in messages.
///
/// # Errors
/// The first line that is none, in llvm-jitlink's words.
pub fn read_lazy_order(name: &str, text: &str) -> Result<Vec<LazyFunction>, String> {
    let mut order = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let error = |what: &str| format!("Error in speculation order file \"{name}\" on line {number}: {what}");
        let (dylib, symbol) = line.split_once(',').ok_or_else(|| error("missing ',' separator"))?;
        let (dylib, symbol) = (dylib.trim(), symbol.trim());
        if dylib.is_empty() {
            return Err(error("no value for column 1 (JIT Dylib name)"));
        }
        if symbol.is_empty() {
            return Err(error("no value for column 2 (function name)"));
        }
        order.push(LazyFunction { dylib: dylib.to_string(), symbol: symbol.to_string() });
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_empty_lines_do_not_count() {
        let order = read_lazy_order("f", "main, a$orc_fnbody\n\n  B ,b  \n").unwrap();
        let names: Vec<_> = order.iter().map(|f| (f.dylib.as_str(), f.symbol.as_str())).collect();
        assert_eq!(names, [("main", "a$orc_fnbody"), ("B", "b")]);
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, expected) in [
            ("main, a\nb", "on line 2: missing ',' separator"),
            (", a", "on line 1: no value for column 1 (JIT Dylib name)"),
            ("\nmain,", "on line 2: no value for column 2 (function name)"),
        ] {
            assert!(read_lazy_order("f", text).unwrap_err().ends_with(expected), "{text}");
        }
    }
}
