//! The options, as one table.
//!
//! What holds for all of them is set in [`command`]: values may begin with a dash, booleans can be spelled out (`-noexec=false`), of
//! an option that is given twice the last counts. Position has a meaning for those that `plan` reads; `words` takes `-args` and
//! `-harness` out before.

use super::values::{
    Alias, Definition, LibraryName, SectCreate, parse_alias, parse_bool, parse_definition, parse_number,
    parse_sect_create, parse_size,
};
use clap::{ArgAction, Command, CommandFactory, Parser, ValueEnum, ValueHint, builder::ValueParser};
use clap_complete::Shell;
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

/// What `-use-memmgr` can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum MemoryManagerArg {
    /// That of the setup: in-process memory.
    Default,
    /// For a remote executor.
    Generic,
    /// For a remote executor.
    SimpleRemote,
    /// For a remote executor on this machine.
    Shared,
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

const LAZINESS: &str = "Laziness";
const INPUTS: &str = "Inputs";
const SYMBOLS: &str = "Symbols and sections";
const RUNNING: &str = "Running";
const OUTPUT: &str = "Looking at what is linked";
const MEMORY: &str = "Memory";
const REPORTS: &str = "Debuggers, profilers, reports";

/// Links relocatable objects in memory, on demand, and runs them.
#[derive(Clone, Parser, Debug)]
#[command(
    name = "rjitlink",
    version,
    about,
    disable_help_flag = true,
    before_help = EXAMPLES,
    override_usage = "rjitlink [OPTIONS] FILE... [-args ARGUMENT...] [-harness FILE...]"
)]
pub(crate) struct Options {
    /// Relocatable objects and archives
    #[arg(value_name = "FILE", required_unless_present_any = ["help", "help_hidden", "help_list", "help_list_hidden", "completions"], value_hint = ValueHint::FilePath)]
    pub files: Vec<OsString>,

    // --- laziness
    /// Link the next file, archive or -l library lazily: its functions when they are first called
    #[arg(long, action = ArgAction::Append, num_args = 0, help_heading = LAZINESS)]
    pub lazy: Vec<bool>,

    /// How much the first call of a lazy function links
    #[arg(long, value_enum, default_value = "function", value_name = "WHAT", help_heading = LAZINESS)]
    pub lazy_granularity: GranularityArg,

    /// Take this archive as ORC runtime instead of the built-in one
    #[arg(long, value_name = "FILE", overrides_with = "no_orc_runtime", help_heading = LAZINESS)]
    pub orc_runtime: Option<PathBuf>,

    /// Do without ORC runtime; nothing can be lazy then
    #[arg(long, overrides_with = "orc_runtime", help_heading = LAZINESS)]
    pub no_orc_runtime: bool,

    // --- inputs
    /// Put what follows into a JITDylib of this name; what stands before the first is in "main"
    #[arg(long, value_name = "NAME", help_heading = INPUTS)]
    pub jd: Vec<String>,

    /// Link with library NAME, or with the JITDylib of that name
    #[arg(short = 'l', value_name = "NAME", help_heading = INPUTS)]
    pub library: Vec<LibraryName>,

    /// Look for -l libraries in this directory
    #[arg(short = 'L', value_name = "DIR", help_heading = INPUTS)]
    pub library_dir: Vec<PathBuf>,

    /// Link with archive NAME; other JITDylibs do not see its symbols
    #[arg(long = "hidden-l", value_name = "NAME", help_heading = INPUTS)]
    pub hidden_library: Vec<LibraryName>,

    /// Link with this archive; other JITDylibs do not see its symbols
    #[arg(long = "load_hidden", value_name = "FILE", help_heading = INPUTS)]
    pub load_hidden: Vec<OsString>,

    /// Symbols of library NAME that nothing else defines are null (TextAPI files and Mach-O libraries)
    #[arg(long = "weak-l", value_name = "NAME", help_heading = INPUTS)]
    pub weak_l: Vec<LibraryName>,

    /// Symbols of this library that nothing else defines are null (a TextAPI file or Mach-O library)
    #[arg(long = "weak_library", value_name = "FILE", help_heading = INPUTS)]
    pub weak_library: Vec<OsString>,

    /// Look for -l libraries in the directories of LD_LIBRARY_PATH too
    #[arg(long, help_heading = INPUTS)]
    pub search_sys_lib: bool,

    /// All members of archives are part of the program, not only those that something refers to
    #[arg(long = "all_load", help_heading = INPUTS)]
    pub all_load: bool,

    /// So are members with Objective-C classes and categories or Swift types (Mach-O)
    #[arg(long = "ObjC", help_heading = INPUTS)]
    pub objc: bool,

    /// Load this shared library first; its symbols can be used
    #[arg(long, value_name = "FILE", help_heading = INPUTS)]
    pub preload: Vec<OsString>,

    /// Link for this target; without it for that of the first object
    #[arg(long, value_name = "TRIPLE", help_heading = INPUTS)]
    pub triple: Option<String>,

    // --- symbols and sections
    /// Define a symbol as an address
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = parse_definition, help_heading = SYMBOLS)]
    pub abs: Vec<Definition>,

    /// Define a symbol as another one
    #[arg(long, value_name = "[JD:]NAME=[JD:]NAME", value_parser = parse_alias, help_heading = SYMBOLS)]
    pub alias: Vec<Alias>,

    /// Make a section of a file, with symbols in it
    #[arg(long, value_name = "SECTION,FILE[@NAME=OFFSET,...]", value_parser = parse_sect_create, help_heading = SYMBOLS)]
    pub sectcreate: Vec<SectCreate>,

    /// Use no symbols of the process
    #[arg(long, help_heading = SYMBOLS)]
    pub no_process_syms: bool,

    /// Take everything that the program does not define as null
    #[arg(long, help_heading = SYMBOLS)]
    pub phony_externals: bool,

    /// Test mode: what follows are harness objects. They replace symbols of the files before, local ones too, and see their
    /// local symbols
    #[arg(long, help_heading = SYMBOLS)]
    pub harness: bool,

    /// Add to pointers to a function relocations to themselves (a test of Mach-O linking)
    #[arg(long, hide = true, help_heading = SYMBOLS)]
    pub add_self_relocations: bool,

    // --- running
    /// Call this function instead of main
    #[arg(long, value_name = "SYMBOL", help_heading = RUNNING)]
    pub entry: Option<String>,

    /// What follows are the program's arguments, up to -harness; what follows "--" too
    #[arg(long, help_heading = RUNNING)]
    pub args: bool,

    /// Link everything, run nothing; the files may be for another machine
    #[arg(long, help_heading = RUNNING)]
    pub noexec: bool,

    /// Link with this many threads; 0 and 1: no others than the program's own
    #[arg(long, value_name = "N", value_parser = parse_number, help_heading = RUNNING)]
    pub num_threads: Option<u64>,

    /// Keep the linked program, and start it from there the next time
    #[arg(long, help_heading = RUNNING)]
    pub cache: bool,

    /// Keep linked programs in this directory, and start them from there the next time
    #[arg(long, value_name = "DIR", help_heading = RUNNING)]
    pub cache_dir: Option<PathBuf>,

    /// Room in every thread for thread-local variables with constant offsets: a number with Kb (default), Mb or Gb
    #[arg(long, value_name = "SIZE", value_parser = parse_reserve, help_heading = RUNNING)]
    pub tls_reserve: Option<u64>,

    /// Run the program in another process (not supported yet)
    #[arg(long, hide = true, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = RUNNING)]
    pub oop_executor: Option<OsString>,

    /// Run the program in another process (not supported yet)
    #[arg(long, hide = true, value_name = "HOST:PORT", help_heading = RUNNING)]
    pub oop_executor_connect: Option<String>,

    // --- looking at what is linked
    /// Print "Linking NAME" for each file, archive member and graph when it is linked
    #[arg(long, help_heading = OUTPUT)]
    pub show_linked_files: bool,

    /// Print the graphs whose names match this POSIX regular expression, once they are fixed up; "dot": all, for Graphviz
    #[arg(long, value_name = "REGEX", help_heading = OUTPUT)]
    pub show_graphs: Option<String>,

    /// Print addresses of symbols, sections, GOT entries and stubs
    #[arg(long, help_heading = OUTPUT)]
    pub show_addrs: bool,

    /// Print the bytes of sections once they are fixed up
    #[arg(long, help_heading = OUTPUT)]
    pub show_relocated_section_contents: bool,

    /// Print JITDylibs and their symbols before the entry point is looked up
    #[arg(long, help_heading = OUTPUT)]
    pub show_init_es: bool,

    /// Print JITDylibs and their symbols after the entry point has been looked up
    #[arg(long, help_heading = OUTPUT)]
    pub show_entry_es: bool,

    /// After an error, print which symbols could not be linked because of it
    #[arg(long, help_heading = OUTPUT)]
    pub show_err_failed_to_materialize: bool,

    /// Write the addresses of all linked symbols to this file
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub write_symtab: Option<PathBuf>,

    /// Link nothing: print the input files, backtraces, with the names of a file that -write-symtab has written ("-" is standard
    /// input)
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub symbolicate_with: Option<PathBuf>,

    /// Evaluate the rules in FILE once everything is linked and before anything runs
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub check: Vec<PathBuf>,

    /// The word that rules begin with, behind "# "
    #[arg(long, value_name = "NAME", default_value = "jitlink-check", help_heading = OUTPUT)]
    pub check_name: String,

    // --- debuggers, profilers, reports
    /// Tell debuggers (GDB, LLDB) of linked code; the default is to do so if one is there when linking begins
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool, value_name = "BOOL", help_heading = REPORTS)]
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
        help_heading = REPORTS
    )]
    pub crash_backtrace: bool,

    /// Write a jitdump for perf inject --jit, below .debug/jit in $JITDUMPDIR or $HOME
    #[arg(long, help_heading = REPORTS)]
    pub perf_support: bool,

    /// Write /tmp/perf-PID.map, which perf report reads
    #[arg(long, help_heading = REPORTS)]
    pub perf_map: bool,

    /// Write what the linker does when, on which thread, for Chrome's or Perfetto's viewer
    #[arg(long, value_name = "FILE", help_heading = REPORTS)]
    pub time_trace: Option<PathBuf>,

    /// At exit, say how much was given, linked and called, and how long that took; as a table or JSON, on standard error
    #[arg(
        long,
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        value_name = "FORM",
        help_heading = REPORTS
    )]
    pub stats: Option<StatsArg>,

    /// Write that as JSON to a file
    #[arg(long, value_name = "FILE", help_heading = REPORTS)]
    pub stats_json: Option<PathBuf>,

    /// At exit, print time spent in adding files, linking and running, on standard error
    #[arg(long, help_heading = REPORTS)]
    pub show_times: bool,

    // --- speculation
    /// Link lazy functions before they are called, on a thread of its own
    #[arg(long, value_enum, default_value = "none", value_name = "HOW", help_heading = LAZINESS)]
    pub speculate: SpeculateArg,

    /// Begin with the functions listed in this file, in that order
    #[arg(long, value_name = "FILE", help_heading = LAZINESS)]
    pub speculate_order: Option<PathBuf>,

    /// Write the order in which lazy functions are first called, for -speculate-order
    #[arg(long, value_name = "FILE", help_heading = LAZINESS)]
    pub record_lazy_execs: Option<PathBuf>,

    // --- memory
    /// Pretend that linked memory starts here; needs -noexec and -slab-allocate
    #[arg(long, value_name = "ADDRESS", value_parser = parse_number, help_heading = MEMORY)]
    pub slab_address: Option<u64>,

    /// Size of that memory: a number with Kb (default), Mb or Gb
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = MEMORY)]
    pub slab_allocate: Option<u64>,

    /// Page size of that memory in bytes
    #[arg(long, value_name = "BYTES", value_parser = parse_number, help_heading = MEMORY)]
    pub slab_page_size: Option<u64>,

    /// Memory manager for a program in another process; of no effect in this one
    #[arg(long, hide = true, value_enum, default_value = "default", value_name = "WHICH", help_heading = MEMORY)]
    pub use_memmgr: MemoryManagerArg,

    // --- about the command
    /// Print the options
    #[arg(short, long)]
    pub help: bool,

    /// Print the options, those for special uses too
    #[arg(long)]
    pub help_hidden: bool,

    /// Print the options
    #[arg(long, hide = true)]
    pub help_list: bool,

    /// Print all options
    #[arg(long, hide = true)]
    pub help_list_hidden: bool,

    /// Print what makes this shell complete the options
    #[arg(long, value_enum, value_name = "SHELL")]
    pub completions: Option<Shell>,

    /// Of no effect: nothing is printed in colour
    #[arg(long, hide = true)]
    pub color: bool,

    /// Refused when the program is to run, as in an llvm-jitlink built without VTune's library; else of no effect
    #[arg(long, hide = true)]
    pub vtune_support: bool,

    /// Of no effect, as in llvm-jitlink
    #[arg(long, hide = true)]
    pub print_options: bool,

    /// Of no effect, as in llvm-jitlink
    #[arg(long, hide = true)]
    pub print_all_options: bool,
}

/// The table as it is shown to people.
pub(super) fn shown() -> Command {
    Options::command()
}

/// The table as words are parsed with it: with what holds for all options.
pub(super) fn command() -> Command {
    Options::command().args_override_self(true).mut_args(|arg| {
        if arg.is_positional() {
            return arg;
        }
        let boolean = matches!(arg.get_action(), ArgAction::SetTrue) || arg.get_id() == "lazy";
        if !boolean {
            return arg.allow_hyphen_values(true);
        }
        let arg = if arg.get_id() == "lazy" { arg } else { arg.action(ArgAction::Set).default_value("false") };
        arg.num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(ValueParser::new(parse_bool))
            .hide_default_value(true)
    })
}

/// Whether option `name` of `command` is a boolean: it takes no value, or one behind `=`.
pub(super) fn is_boolean(command: &Command, name: &str) -> bool {
    command.get_arguments().any(|a| a.get_long() == Some(name) && a.is_require_equals_set())
}

fn parse_reserve(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|_| format!("'{text}' is no size: a number with Kb (default), Mb or Gb"))
}

impl Options {
    /// Whether the linker may have threads beside those of the program.
    pub fn use_threads(&self) -> bool {
        !matches!(self.num_threads, Some(0 | 1))
    }

    /// How many threads the linker may use; `None`: as many as there are cores.
    pub fn threads(&self) -> Option<usize> {
        self.num_threads.map(|threads| usize::try_from(threads).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_option_says_what_it_is_for() {
        for arg in command().get_arguments() {
            assert!(arg.get_help().is_some(), "{}", arg.get_id());
        }
    }
}
