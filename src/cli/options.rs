//! The options, as one table.

use clap::{ArgAction, Parser, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `-lazy-granularity` can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum GranularityArg {
    /// The section that the function is in and what it reaches.
    Function,
    /// The whole file, as llvm-jitlink does.
    Object,
}

/// What `-stats` can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum StatsArg {
    /// A few lines.
    Table,
    /// One object.
    Json,
}

/// What `-speculate` can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum SpeculateArg {
    /// Functions are linked when they are called.
    None,
    /// Functions are linked ahead.
    Simple,
}

const EXAMPLES: &str = "\
Examples:
  rjitlink main.o foo.o                 link both and run main
  rjitlink main.o -lazy foo.o           link foo.o only when one of its functions is called
  rjitlink main.o -lazy libbig.a -- in  the same for an archive; \"in\" is the program's argument

All options can be written with one dash or two, with \"=\" or a blank before their value.
Everything behind -args, or behind --, goes to the program. RUST_LOG=debug shows what is linked and when.";

/// Links relocatable objects in memory, on demand, and runs them.
#[derive(Parser, Debug)]
#[command(name = "rjitlink", version, about, before_help = EXAMPLES, override_usage = "rjitlink [OPTIONS] FILE... [-- ARGUMENT...]")]
pub(crate) struct Options {
    /// Relocatable objects and archives
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<OsString>,

    /// Link the next file, archive or -l library lazily: its functions when they are first called
    #[arg(long, action = ArgAction::Append, num_args = 0, default_missing_value = "true", help_heading = "Laziness")]
    pub lazy: Vec<bool>,

    /// How much the first call of a lazy function links
    #[arg(
        long,
        value_enum,
        default_value = "function",
        value_name = "WHAT",
        help_heading = "Laziness",
        allow_hyphen_values = true
    )]
    pub lazy_granularity: GranularityArg,

    /// Take this archive as ORC runtime instead of the built-in one
    #[arg(
        long,
        value_name = "FILE",
        overrides_with = "no_orc_runtime",
        help_heading = "Laziness",
        allow_hyphen_values = true
    )]
    pub orc_runtime: Option<PathBuf>,

    /// Do without ORC runtime; nothing can be lazy then
    #[arg(long, overrides_with = "orc_runtime", help_heading = "Laziness")]
    pub no_orc_runtime: bool,

    /// Put what follows into a JITDylib of this name; what stands before the first is in "main"
    #[arg(long, value_name = "NAME", help_heading = "Inputs", allow_hyphen_values = true)]
    pub jd: Vec<String>,

    /// Link with library NAME, or with the JITDylib of that name
    #[arg(short = 'l', value_name = "NAME", help_heading = "Inputs", allow_hyphen_values = true)]
    pub library: Vec<String>,

    /// Look for -l libraries in this directory
    #[arg(short = 'L', value_name = "DIR", help_heading = "Inputs", allow_hyphen_values = true)]
    pub library_dir: Vec<PathBuf>,

    /// Load this shared library first; its symbols can be used
    #[arg(long, value_name = "FILE", help_heading = "Inputs", allow_hyphen_values = true)]
    pub preload: Vec<OsString>,

    /// Test-harness objects, up to the end of the command line
    #[arg(long, hide = true, num_args = 1.., value_name = "FILE")]
    pub harness: Vec<OsString>,

    /// Call this function instead of main
    #[arg(long, value_name = "SYMBOL", help_heading = "Running", allow_hyphen_values = true)]
    pub entry: Option<String>,

    /// Link everything, run nothing; the files may be for another machine
    #[arg(long, help_heading = "Running")]
    pub noexec: bool,

    /// Link with this many threads; 0 and 1: no others than the program's own
    #[arg(long, value_name = "N", help_heading = "Running", allow_hyphen_values = true)]
    pub num_threads: Option<usize>,

    /// Print "Linking NAME" for each file, archive member and graph when it is linked
    #[arg(long, help_heading = "Output")]
    pub show_linked_files: bool,

    /// Tell debuggers (GDB, LLDB) of linked code; the default is to do so if one is there when linking begins
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = parse_bool,
        value_name = "BOOL",
        help_heading = "Debuggers, profilers, reports"
    )]
    pub debugger_support: Option<bool>,

    /// Say on standard error where a program that dies of a signal was; on by default
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "true",
        action = ArgAction::Set,
        value_parser = parse_bool,
        value_name = "BOOL",
        help_heading = "Debuggers, profilers, reports"
    )]
    pub crash_backtrace: bool,

    /// Write a jitdump for perf inject --jit, below .debug/jit in $JITDUMPDIR or $HOME
    #[arg(long, help_heading = "Debuggers, profilers, reports")]
    pub perf_support: bool,

    /// Write /tmp/perf-PID.map, which perf report reads
    #[arg(long, help_heading = "Debuggers, profilers, reports")]
    pub perf_map: bool,

    /// Write what the linker does when, on which thread, for Chrome's or Perfetto's viewer
    #[arg(long, value_name = "FILE", help_heading = "Debuggers, profilers, reports", allow_hyphen_values = true)]
    pub time_trace: Option<PathBuf>,

    /// At exit, say how much was given, linked and called, and how long that took; as a table or JSON, on standard error
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        value_name = "FORM",
        help_heading = "Debuggers, profilers, reports"
    )]
    pub stats: Option<StatsArg>,

    /// Write that as JSON to a file
    #[arg(long, value_name = "FILE", help_heading = "Debuggers, profilers, reports", allow_hyphen_values = true)]
    pub stats_json: Option<PathBuf>,

    /// At exit, print time spent in adding files, linking and running, on standard error
    #[arg(long, help_heading = "Debuggers, profilers, reports")]
    pub show_times: bool,

    /// Print graphs after fixups: "dot" for Graphviz
    #[arg(long, value_name = "WHAT", help_heading = "Output", allow_hyphen_values = true)]
    pub show_graphs: Option<String>,

    /// Link lazy functions before they are called, on a thread of its own
    #[arg(long, value_enum, default_value = "none", value_name = "HOW", help_heading = "Laziness")]
    pub speculate: SpeculateArg,

    /// Begin with the functions listed in this file, in that order
    #[arg(long, value_name = "FILE", help_heading = "Laziness", allow_hyphen_values = true)]
    pub speculate_order: Option<PathBuf>,

    /// Write the order in which lazy functions are first called, for -speculate-order
    #[arg(long, value_name = "FILE", help_heading = "Laziness", allow_hyphen_values = true)]
    pub record_lazy_execs: Option<PathBuf>,

    /// Pretend that linked memory starts here; needs -noexec and -slab-allocate
    #[arg(long, value_name = "ADDRESS", value_parser = parse_number, help_heading = "Output", allow_hyphen_values = true)]
    pub slab_address: Option<u64>,

    /// Size of that memory: a number with Kb (default), Mb or Gb
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Output", allow_hyphen_values = true)]
    pub slab_allocate: Option<u64>,

    /// Page size of that memory in bytes
    #[arg(long, value_name = "BYTES", value_parser = parse_number, help_heading = "Output", allow_hyphen_values = true)]
    pub slab_page_size: Option<u64>,
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "TRUE" | "True" | "1" => Ok(true),
        "false" | "FALSE" | "False" | "0" => Ok(false),
        _ => Err(format!("'{text}' is invalid value for boolean argument! Try 0 or 1")),
    }
}

/// A number as llvm-jitlink reads them: decimal, `0x…`, `0b…`, or octal with a leading 0.
fn parse_number(text: &str) -> Result<u64, String> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', b'b' | b'B', ..] => (&text[2..], 2),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    u64::from_str_radix(digits, radix).map_err(|_| format!("'{text}' is no number of at most 64 bits"))
}

fn parse_size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, unit) = [("kb", 1u64 << 10), ("mb", 1 << 20), ("gb", 1 << 30)]
        .iter()
        .find_map(|&(suffix, unit)| lower.strip_suffix(suffix).map(|d| (d.trim_end(), unit)))
        .unwrap_or((&lower, 1 << 10));
    let size: u64 = digits.parse().map_err(|_| "Invalid numeric format for slab size".to_string())?;
    match size.checked_mul(unit) {
        Some(0) => Err("a slab of no bytes is of no use".into()),
        Some(bytes) => Ok(bytes),
        None => Err("the slab is larger than any address space".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_radix() {
        for (text, value) in [("10", 10), ("0x10", 16), ("010", 8), ("0b10", 2), ("0", 0)] {
            assert_eq!(parse_number(text), Ok(value), "{text}");
        }
        for text in ["", "-1", "0x", "12a", "0x10000000000000000"] {
            assert!(parse_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, value) in [("1", 1 << 10), ("2Kb", 2 << 10), ("3 MB", 3 << 20), ("1gb", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(value), "{text}");
        }
        for text in ["abc", "0", "99999999999Gb", "-1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_table_is_well_formed() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }
}
