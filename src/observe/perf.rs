//! Linux perf: the jitdump that `perf inject --jit` reads ("jitdump specification" in perf's documentation, version 1), and the
//! simpler map of addresses and names in `/tmp`.
//!
//! A jitdump holds the bytes of each function and, where there is debug information, its lines. Times are those of the monotonic
//! clock: record with `perf record -k mono`.

use super::functions::{Function, functions};
use super::lines::FileLines;
use crate::base::Arch;
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::rt::{map_marker, monotonic_nanoseconds, thread_id};
use object::elf;
use rustc_hash::FxHashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

const MAGIC: u32 = 0x4A69_5444;
const VERSION: u32 = 1;
const HEADER_SIZE: u32 = 40;
/// Kinds of records.
const CODE_LOAD: u32 = 0;
const CODE_DEBUG_INFO: u32 = 2;
/// Bytes that every record begins with.
const PREFIX_SIZE: u32 = 16;

/// Writes a jitdump.
#[derive(Debug)]
pub struct JitDump {
    file: Mutex<File>,
    count: AtomicU64,
    /// Of files, by number, that something was linked of.
    lines: Mutex<FxHashMap<u32, Option<FileLines>>>,
}

impl JitDump {
    /// A jitdump in a folder of its own below `.debug/jit`, which is in `base` (perf's convention: `$JITDUMPDIR` or else `$HOME`).
    /// The folder is called as LLVM calls it: `llvm-IR-jit-`, the day (of UTC), and something of its own.
    ///
    /// # Errors
    /// That the file cannot be made, with its path.
    pub fn create(base: &Path, arch: Arch) -> Result<JitDump, (PathBuf, io::Error)> {
        let process = std::process::id();
        let unique = monotonic_nanoseconds() & 0xffff_ffff;
        let folder = base.join(format!(".debug/jit/llvm-IR-jit-{}-{process}-{unique:08x}", today()));
        let path = folder.join(format!("jit-{process}.dump"));
        let make = || {
            fs::create_dir_all(&folder)?;
            let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
            file.write_all(&header(arch, process))?;
            map_marker(&file)?;
            Ok(file)
        };
        let file = make().map_err(|error| (path.clone(), error))?;
        Ok(JitDump { file: Mutex::new(file), count: AtomicU64::new(0), lines: Mutex::default() })
    }
}

/// Year, month and day in UTC, as eight digits.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}{month:02}{day:02}")
}

/// Year, month and day, `days` days after the beginning of 1970. Months are counted from March, so that the odd day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    // The beginning of March of the year 0, and the days of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next, month, day)
}

fn header(arch: Arch, process: u32) -> Vec<u8> {
    let machine = match arch {
        Arch::X86_64 => elf::EM_X86_64,
        Arch::Aarch64 => elf::EM_AARCH64,
        Arch::Riscv64 => elf::EM_RISCV,
    };
    let mut bytes = Vec::new();
    for word in [MAGIC, VERSION, HEADER_SIZE, u32::from(machine.0), 0, process] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(monotonic_nanoseconds().to_ne_bytes());
    // No flags.
    bytes.extend(0u64.to_ne_bytes());
    bytes
}

/// A record of `kind` around `body`.
fn record(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_SIZE as usize + body.len());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((PREFIX_SIZE + body.len() as u32).to_ne_bytes());
    bytes.extend(monotonic_nanoseconds().to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The body of a record for the code of `function`, the `index`-th.
fn code_load(function: &Function<'_>, index: u64) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(std::process::id().to_ne_bytes());
    body.extend((thread_id() as u32).to_ne_bytes());
    for word in [function.address.0, function.address.0, function.code.len() as u64, index] {
        body.extend(word.to_ne_bytes());
    }
    body.extend_from_slice(function.name);
    body.push(0);
    body.extend_from_slice(function.code);
    body
}

/// The body of a record for the lines of `function`; `None` if none are known.
fn debug_info(function: &Function<'_>, lines: &FileLines) -> Option<Vec<u8>> {
    let (section, offset) = function.place?;
    let lines = lines.of_function(section, offset, function.code.len() as u64);
    let mut body = Vec::new();
    body.extend(function.address.0.to_ne_bytes());
    body.extend((lines.len() as u64).to_ne_bytes());
    for line in &lines {
        body.extend(function.address.offset(line.offset).0.to_ne_bytes());
        body.extend(line.line.to_ne_bytes());
        // No discriminator.
        body.extend(0u32.to_ne_bytes());
        body.extend_from_slice(line.file.as_bytes());
        body.push(0);
    }
    (!lines.is_empty()).then_some(body)
}

impl Plugin for JitDump {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut records = Vec::new();
        let mut known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for graph in graphs {
            let functions = functions(graph);
            if functions.is_empty() {
                continue;
            }
            let lines = graph.file().map(|(number, file)| known.entry(number).or_insert_with(|| FileLines::of(file)));
            let lines = lines.and_then(|lines| lines.as_ref());
            for function in functions {
                if let Some(body) = lines.and_then(|lines| debug_info(&function, lines)) {
                    records.extend(record(CODE_DEBUG_INFO, &body));
                }
                let index = self.count.fetch_add(1, Ordering::Relaxed);
                records.extend(record(CODE_LOAD, &code_load(&function, index)));
            }
        }
        write(&self.file, &records, "the jitdump");
        Ok(())
    }
}

/// Writes the map `/tmp/perf-PID.map`: address, size and name of each function.
#[derive(Debug)]
pub struct PerfMap {
    file: Mutex<File>,
}

impl PerfMap {
    /// An empty map of this process.
    ///
    /// # Errors
    /// That the file cannot be made, with its path.
    pub fn create() -> Result<PerfMap, (PathBuf, io::Error)> {
        let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
        let file = File::create(&path).map_err(|error| (path, error))?;
        Ok(PerfMap { file: Mutex::new(file) })
    }
}

impl Plugin for PerfMap {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut text = Vec::new();
        for function in graphs.iter().flat_map(functions) {
            text.extend(format!("{:x} {:x} ", function.address.0, function.code.len()).into_bytes());
            text.extend_from_slice(function.name);
            text.push(b'\n');
        }
        write(&self.file, &text, "the map for perf");
        Ok(())
    }
}

/// Writes at once, so that what is there is complete however the process ends. The program does not suffer from a full disk.
fn write(file: &Mutex<File>, bytes: &[u8], what: &str) {
    if let Err(error) = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes) {
        log::warn!("cannot write {what}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (10_956, (1999, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_514, (2026, 3, 2)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
