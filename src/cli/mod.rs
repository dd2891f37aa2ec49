//! The command line: what the words mean, before anything is done.
//!
//! `response_files` replaces `@FILE` by what is in it, `options` is the table of options, `values` what their values can be, `words` brings llvm-jitlink's spelling to clap's and cuts
//! off the program's arguments and the harness files, `plan` gives words their positional meaning, `about` prints help and
//! completions.

mod about;
mod options;
mod plan;
mod response_files;
mod values;
mod words;

pub(crate) use options::{GranularityArg, Options, SpeculateArg, StatsArg};
pub(crate) use plan::{Input, InputKind, Plan};

use anyhow::{Result, anyhow};
use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::ffi::OsString;

/// A command line, understood.
#[derive(Clone)]
pub(crate) struct CommandLine {
    /// Options without a position.
    pub options: Options,
    /// Inputs in order, with the JITDylib and the laziness that their position gives them.
    pub plan: Plan,
    /// What the program gets behind its own name.
    pub program_args: Vec<OsString>,
    /// Test-harness objects.
    pub harness: Vec<OsString>,
}

/// Understands `args`, the words of the command line, the program's name first. `--help`, `--version` and their like print and
/// exit.
///
/// Errors: one line about the first word that is wrong.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<CommandLine> {
    let mut command = options::command();
    let args = response_files::expand(args.collect())?;
    let split = words::split(args.into_iter(), &command)?;
    let mut matches = command.try_get_matches_from_mut(split.linker).map_err(|error| match error.kind() {
        ErrorKind::DisplayVersion => error.exit(),
        _ => one_line(&error),
    })?;
    // Taking the table apart would take as long as putting it together did.
    std::mem::forget(command);
    let plan = plan::plan(&matches, split.runs);
    let mut options = Options::from_arg_matches_mut(&mut matches)?;
    about::answer(&options);
    let plan = plan?;
    options.files = plan.inputs.iter().filter(|i| i.kind == InputKind::File).map(|i| i.name.clone()).collect();
    Ok(CommandLine { options, plan, program_args: split.program, harness: split.harness })
}

/// What is wrong, in llvm-jitlink's words where it has any.
fn one_line(error: &Error) -> anyhow::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    // "--entry <SYMBOL>" as clap shows it.
    let shown = text(ContextKind::InvalidArg);
    let option = format!("-{}", shown.split([' ', '[']).next().unwrap_or_default().trim_start_matches('-'));
    let value = text(ContextKind::InvalidValue);
    let cause = std::error::Error::source(error);
    match (error.kind(), cause, error.get(ContextKind::ValidValue)) {
        (ErrorKind::MissingRequiredArgument, ..) => {
            anyhow!(
                "Not enough positional command line arguments specified! Give at least one file; try 'rjitlink --help'"
            )
        }
        (ErrorKind::InvalidValue, _, _) if value.is_empty() => anyhow!("for the -{option} option: requires a value!"),
        (ErrorKind::InvalidValue, _, Some(ContextValue::Strings(valid))) => {
            anyhow!("for the -{option} option: Cannot find option named '{value}'! It can be {}", valid.join(", "))
        }
        // Our own parsers say everything.
        (ErrorKind::ValueValidation, Some(cause), _) => match cause.to_string() {
            known if known.contains(option.as_str()) || !known.starts_with('\'') => anyhow!("{known}"),
            other => anyhow!("for the -{option} option: {other}"),
        },
        (ErrorKind::TooManyValues, ..) => anyhow!("for the -{option} option: it takes one value"),
        _ => anyhow!("{}", error.to_string().trim_start_matches("error: ").lines().next().unwrap_or_default()),
    }
}
