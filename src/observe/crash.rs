//! What is printed when the program dies of a signal: the signal, and a backtrace with functions, files and lines.

use super::debug_info::DebugInfo;
use super::lines::{Lines, lines};
use crate::base::ExecutorAddr;
use crate::lazy::{CodePlace, Session};
use crate::rt::crash::Crash;
use crate::rt::{file_at, library_symbol};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Most lines of a backtrace at either end.
const MOST_LINES: usize = 32;

/// What a process runs, for [`crash_report`].
#[derive(Clone, Copy, Debug)]
pub struct LinkedCode<'a> {
    /// Who has linked it; `None` if that is not known.
    pub session: Option<&'a Session>,
    /// How many bytes above the session's addresses everything is, modulo 2^64.
    pub moved: u64,
}

impl LinkedCode<'_> {
    /// [`Session::describe`].
    fn describe(&self, address: ExecutorAddr) -> Option<CodePlace> {
        self.session?.describe(self.linked_at(address))
    }

    /// The address that the session knows `address` by.
    fn linked_at(&self, address: ExecutorAddr) -> ExecutorAddr {
        ExecutorAddr(address.0.wrapping_sub(self.moved))
    }
}

/// The text that is printed for `crash` in a process that runs `code`. Waits for nobody.
pub fn crash_report(code: LinkedCode<'_>, crash: &Crash) -> String {
    let mut text = String::new();
    let (name, meaning) = crash.signal_name();
    let mut line = format!("rjitlink: the program dies of {name} ({meaning})");
    if let Some(address) = crash.address {
        write!(line, " at address {address}").ok();
    }
    if let Some(sender) = crash.sender {
        write!(line, ", sent by process {sender}").ok();
    }
    text.push_str(&line);
    text.push('\n');
    if let Some(file) = crash.address.and_then(|address| file_at(address.0)) {
        writeln!(
            text,
            "  '{}' was there, and was cut short while the program runs: have files that programs run from replaced, not overwritten",
            file.display()
        )
        .ok();
    }
    // The same frame again and again is one line.
    let mut frames: Vec<(ExecutorAddr, usize)> = Vec::new();
    for &frame in &crash.frames {
        match frames.last_mut() {
            Some((last, count)) if *last == frame => *count += 1,
            _ => frames.push((frame, 1)),
        }
    }
    // The outermost frame is the linker's call of the program.
    if frames.len() > 1 && frames.last().is_some_and(|(address, _)| is_own_code(code, *address)) {
        frames.pop();
    }
    let mut files = Files::default();
    let mut number = 0;
    for (index, (address, count)) in frames.iter().enumerate() {
        if index < MOST_LINES || index + MOST_LINES >= frames.len() {
            // A return address may belong to what comes behind the function that made the call.
            let place = if number == 0 { *address } else { ExecutorAddr(address.0.wrapping_sub(1)) };
            let repeated = if *count > 1 { format!(" ({count} times)") } else { String::new() };
            writeln!(text, "  #{number:<2} {:#018x} {}{repeated}", address.0, describe(code, &mut files, place)).ok();
        } else if index == MOST_LINES {
            writeln!(text, "  ...").ok();
        }
        number += count;
    }
    text
}

/// Whether the code at `address` is the linker's own.
fn is_own_code(code: LinkedCode<'_>, address: ExecutorAddr) -> bool {
    let own = library_symbol(ExecutorAddr(crash_report as *const () as u64));
    let there = library_symbol(address);
    code.describe(address).is_none() && own.zip(there).is_some_and(|((own, _), (there, _))| own == there)
}

fn describe(code: LinkedCode<'_>, files: &mut Files, address: ExecutorAddr) -> String {
    if let Some(place) = code.describe(address) {
        let mut text = if place.symbol.is_empty() {
            "in unnamed code".to_string()
        } else {
            format!("in {} + {:#x}", place.symbol, place.offset)
        };
        if let Some(line) = files.line(code, address) {
            write!(text, " at {line}").ok();
        }
        if let Some(file) = place.file {
            write!(text, " ({}, {} + {:#x})", file.file, file.section, file.offset).ok();
        }
        return text;
    }
    match library_symbol(address) {
        Some((library, Some((symbol, offset)))) => format!("in {symbol} + {offset:#x} ({library})"),
        Some((library, None)) => format!("({library})"),
        None => "(no code is known there)".into(),
    }
}

/// Debug information of the files that were asked about.
#[derive(Default)]
struct Files {
    by_name: BTreeMap<String, Option<&'static Lines<'static>>>,
}

impl Files {
    /// File and line of the code at `address`, if its debug information says so.
    fn line(&mut self, code: LinkedCode<'_>, address: ExecutorAddr) -> Option<String> {
        let address = code.linked_at(address);
        code.session?.with_file_at(address, |file, address_of| {
            let load = || {
                let mut info = DebugInfo::default();
                // The process is about to end: nothing needs to be freed.
                info.add(file, address_of).ok().filter(|any| *any)?;
                let lines: &'static Lines<'static> = Box::leak(Box::new(lines(Box::leak(Box::new(info)))?));
                Some(lines)
            };
            let lines = *self.by_name.entry(file.name.clone()).or_insert_with(load);
            let location = lines?.find_location(address.0).ok()??;
            Some(match location.line {
                Some(line) => format!("{}:{line}", location.file?),
                None => location.file?.to_string(),
            })
        })?
    }
}
