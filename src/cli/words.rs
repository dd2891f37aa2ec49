//! From llvm-jitlink's spelling to clap's.

use clap::{Arg, Command};
use std::ffi::OsString;

/// A command line, cut in two.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// The linker's words, the program's name first, long options with two dashes.
    pub linker: Vec<OsString>,
    /// The program's.
    pub program: Vec<OsString>,
}

/// Cuts off what stands behind `-args` or `--`, and doubles the dash of long options.
///
/// Behind `-args`, one `--` and further `-args` are swallowed, as llvm-jitlink does. A word that is the value of the option
/// before it is left alone.
pub(super) fn split(args: impl Iterator<Item = OsString>, command: &Command) -> Split {
    let mut args = args;
    let mut linker: Vec<OsString> = args.by_ref().take(1).collect();
    let mut value_follows = false;
    let mut args = args.peekable();
    while let Some(word) = args.next() {
        if std::mem::take(&mut value_follows) {
            linker.push(word);
            continue;
        }
        let Some(text) = word.to_str() else {
            linker.push(word);
            continue;
        };
        match text {
            "--" => {
                return Split { linker, program: args.collect() };
            }
            "-args" | "--args" => {
                return Split { linker, program: program_args(args) };
            }
            _ => {}
        }
        let (normal, follows) = normalize(text, command);
        value_follows = follows;
        linker.push(normal.into());
    }
    Split { linker, program: Vec::new() }
}

fn program_args(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut dashes = false;
    args.filter(|word| match word.to_str() {
        Some("--") => std::mem::replace(&mut dashes, true),
        Some("-args" | "--args") => dashes,
        _ => true,
    })
    .collect()
}

/// The word as clap wants it, and whether the next word is its value.
fn normalize(word: &str, command: &Command) -> (String, bool) {
    let Some(body) = word.strip_prefix('-').filter(|b| !b.is_empty()) else {
        return (word.to_string(), false);
    };
    let body = body.strip_prefix('-').unwrap_or(body);
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    let long = command.get_arguments().find(|a| a.get_long() == Some(name));
    match long {
        Some(arg) if takes_value(arg) => (format!("--{body}"), value.is_none() && !arg.is_require_equals_set()),
        // Booleans can be spelled out; "=false" is as if the word were not there.
        Some(_) => match value {
            None | Some("true" | "TRUE" | "True" | "1") => (format!("--{name}"), false),
            Some("false" | "FALSE" | "False" | "0") => (format!("--no-such-option-{name}"), false),
            Some(_) => (format!("--{body}"), false),
        },
        None if matches!(name, "help" | "version") => (format!("--{name}"), false),
        // -lfoo, -L dir, -l=foo, and what is unknown.
        None => match body.chars().next() {
            Some(c @ ('l' | 'L')) if !word.starts_with("--") || body.len() == 1 => {
                let rest = body[1..].strip_prefix('=').unwrap_or(&body[1..]);
                (format!("-{c}{rest}"), rest.is_empty())
            }
            _ => (if body.len() > 1 { format!("--{body}") } else { word.to_string() }, false),
        },
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && arg.get_num_args().is_none_or(|n| n.takes_values())
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;
    use clap::CommandFactory;

    fn words(line: &str) -> (String, String) {
        let split = split(line.split(' ').map(OsString::from), &Options::command());
        let join = |words: Vec<OsString>| words.join(" ".as_ref()).into_string().unwrap();
        (join(split.linker), join(split.program))
    }

    #[test]
    fn long_options_get_two_dashes() {
        assert_eq!(words("r -noexec m.o -entry=f -entry f").0, "r --noexec m.o --entry=f --entry f");
    }

    #[test]
    fn a_value_is_not_an_option() {
        assert_eq!(words("r -entry -noexec -jd -lazy").0, "r --entry -noexec --jd -lazy");
    }

    #[test]
    fn library_options_take_all_three_forms() {
        assert_eq!(words("r -lfoo -l foo -l=foo -Ldir -L dir -L=dir").0, "r -lfoo -l foo -lfoo -Ldir -L dir -Ldir");
    }

    #[test]
    fn lazy_is_not_library_azy() {
        assert_eq!(words("r m.o -lazy f.o").0, "r m.o --lazy f.o");
    }

    #[test]
    fn program_arguments_are_cut_off() {
        assert_eq!(words("r m.o -args -noexec -- -- b").1, "-noexec -- b");
        assert_eq!(words("r m.o -- -noexec -args b").1, "-noexec -args b");
    }
}
