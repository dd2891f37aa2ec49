//! The command line: what the words mean, before anything is done.
//!
//! `options` is the table of options, `words` brings llvm-jitlink's spelling to clap's and cuts off the program's arguments,
//! `plan` gives words their positional meaning.

mod options;
mod plan;
mod words;

pub(crate) use options::{GranularityArg, Options, SpeculateArg, StatsArg};
pub(crate) use plan::{Input, InputKind, Plan};

use anyhow::{Result, anyhow};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;

/// A command line, understood.
pub(crate) struct CommandLine {
    /// Options without a position.
    pub options: Options,
    /// Inputs in order, with the JITDylib and the laziness that their position gives them.
    pub plan: Plan,
    /// What the program gets behind its own name.
    pub program_args: Vec<OsString>,
}

/// Understands `args`, the words of the command line, the program's name first. `--help` and `--version` print and exit.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<CommandLine> {
    let command = Options::command();
    let split = words::split(args, &command);
    let matches = command.try_get_matches_from(split.linker).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
        _ => anyhow!("{}", error.to_string().trim_start_matches("error: ").trim_end()),
    })?;
    let options = Options::from_arg_matches(&matches)?;
    let plan = plan::plan(&matches)?;
    Ok(CommandLine { options, plan, program_args: split.program })
}
