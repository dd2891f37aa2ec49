//! From llvm-jitlink's spelling to clap's.

use super::options::is_boolean;
use anyhow::{Result, bail};
use clap::{Arg, Command};
use std::ffi::OsString;

/// Proposals are at least this similar to what was written (Jaro-Winkler, 0 to 1); LLVM's tools propose whatever is nearest.
const LEAST_SIMILARITY: f64 = 0.5;

/// A command line, cut in three.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// The linker's words, the program's name first, long options with two dashes. Of files that follow each other only the first
    /// one is here: parsing thousands of words as options would take longer than reading the files.
    pub linker: Vec<OsString>,
    /// For each file in `linker` the files that follow it, and whether a `-lazy` stands before each.
    pub runs: Vec<Vec<(OsString, bool)>>,
    /// The program's.
    pub program: Vec<OsString>,
    /// The files behind `-harness`.
    pub harness: Vec<OsString>,
}

/// Who gets the words that follow.
enum Receiver {
    Linker,
    Program,
    Harness,
}

/// Cuts off what stands behind `-args`, `--` or `-harness`, and doubles the dash of long options.
///
/// Behind `-args` and `-harness`, one `--` and further words of the same name are swallowed, as llvm-jitlink does; each ends the
/// other. A word that is the value of the option before it is left alone.
///
/// Errors: an unknown option.
pub(super) fn split(args: impl Iterator<Item = OsString>, command: &Command) -> Result<Split> {
    let mut args = args.peekable();
    let mut split = Split { linker: args.by_ref().take(1).collect(), ..Split::default() };
    let (mut receiver, mut dashes, mut value_follows, mut in_run) = (Receiver::Linker, false, false, false);
    while let Some(word) = args.next() {
        if in_run
            && is_lazy(&word)
            && let Some(file) = args.next_if(is_file)
        {
            split.runs.last_mut().into_iter().for_each(|run| run.push((file.clone(), true)));
            continue;
        }
        let starts_run = !value_follows && matches!(receiver, Receiver::Linker) && is_file(&word);
        if in_run && starts_run {
            split.runs.last_mut().into_iter().for_each(|run| run.push((word.clone(), false)));
            continue;
        }
        in_run = starts_run;
        if starts_run {
            split.linker.push(word);
            split.runs.push(Vec::new());
            continue;
        }
        if std::mem::take(&mut value_follows) {
            split.linker.push(word);
            continue;
        }
        match (word.to_str(), &receiver) {
            (Some("-args" | "--args"), Receiver::Program) if dashes => split.program.push(word),
            (Some("-args" | "--args"), _) => receiver = Receiver::Program,
            (Some("-harness" | "--harness"), _) => receiver = Receiver::Harness,
            (Some("--"), Receiver::Linker) => {
                split.program.extend(args);
                break;
            }
            (Some("--"), _) if !dashes => dashes = true,
            (_, Receiver::Program) => split.program.push(word),
            (_, Receiver::Harness) => split.harness.push(word),
            (Some(text), Receiver::Linker) => {
                let (normal, follows) = normalize(text, command)?;
                value_follows = follows;
                split.linker.push(normal.into());
            }
            (None, Receiver::Linker) => split.linker.push(word),
        }
    }
    Ok(split)
}

/// Whether `word`, where no value is expected, is a file.
fn is_file(word: &OsString) -> bool {
    !word.is_empty() && (word == "-" || !word.as_encoded_bytes().starts_with(b"-"))
}

fn is_lazy(word: &OsString) -> bool {
    word == "-lazy" || word == "--lazy"
}

/// The word as clap wants it, and whether the next word is its value.
fn normalize(word: &str, command: &Command) -> Result<(String, bool)> {
    let Some(body) = word.strip_prefix('-').filter(|b| !b.is_empty()) else {
        return Ok((word.to_string(), false));
    };
    let body = body.strip_prefix('-').unwrap_or(body);
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    if matches!(name, "args" | "harness") {
        bail!("for the -{name} option: it takes no value, but all words that follow");
    }
    if let Some(arg) = command.get_arguments().find(|a| a.get_long() == Some(name)) {
        let follows = value.is_none() && takes_value(arg) && !is_boolean(command, name);
        return Ok((format!("--{body}"), follows && !arg.is_require_equals_set()));
    }
    if matches!(name, "version" | "V") {
        return Ok(("--version".into(), false));
    }
    if name == "h" {
        return Ok(("--help".into(), false));
    }
    // -lfoo, -L dir, -l=foo, -hidden-lfoo.
    for prefix in ["hidden-l", "weak-l", "l", "L"] {
        let Some(rest) = body.strip_prefix(prefix) else { continue };
        let rest = rest.strip_prefix('=').unwrap_or(rest);
        return Ok(match (prefix.len(), rest.is_empty()) {
            (1, _) => (format!("-{prefix}{rest}"), rest.is_empty()),
            (_, true) => (format!("--{prefix}"), true),
            (_, false) => (format!("--{prefix}={rest}"), false),
        });
    }
    bail!("Unknown command line argument '{word}'.  {}Try: 'rjitlink --help'", proposal(name, command));
}

/// What to say of the option that is most like `name`.
fn proposal(name: &str, command: &Command) -> String {
    let options = command.get_arguments().filter_map(|a| a.get_long());
    let similar = options.map(|option| (strsim::jaro_winkler(name, option), option));
    let nearest = similar.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|n| n.0 >= LEAST_SIMILARITY);
    nearest.map_or_else(String::new, |(_, option)| format!("Did you mean '-{option}'?  "))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && arg.get_num_args().is_none_or(|n| n.takes_values())
}

#[cfg(test)]
mod tests {
    use super::super::options::command;
    use super::*;

    fn split_of(line: &str) -> Result<[String; 3]> {
        let split = split(line.split(' ').map(OsString::from), &command())?;
        let join = |words: Vec<OsString>| words.join(" ".as_ref()).into_string().unwrap();
        Ok([join(split.linker), join(split.program), join(split.harness)])
    }

    fn words(line: &str) -> [String; 3] {
        split_of(line).unwrap()
    }

    #[test]
    fn long_options_get_two_dashes() {
        assert_eq!(words("r -noexec m.o -entry=f -entry f")[0], "r --noexec m.o --entry=f --entry f");
    }

    #[test]
    fn a_value_is_not_an_option() {
        assert_eq!(words("r -entry -noexec -jd -lazy")[0], "r --entry -noexec --jd -lazy");
    }

    #[test]
    fn library_options_take_all_three_forms() {
        assert_eq!(words("r -lfoo -l foo -l=foo -Ldir -L dir -L=dir")[0], "r -lfoo -l foo -lfoo -Ldir -L dir -Ldir");
        assert_eq!(words("r -hidden-lf -hidden-l f -weak-l=f")[0], "r --hidden-l=f --hidden-l f --weak-l=f");
    }

    #[test]
    fn lazy_is_not_library_azy() {
        assert_eq!(words("r -lazy f.o")[0], "r --lazy f.o");
    }

    #[test]
    fn program_arguments_are_cut_off() {
        assert_eq!(words("r m.o -args -noexec -- -- b")[1], "-noexec -- b");
        assert_eq!(words("r m.o -- -noexec -args b")[1], "-noexec -args b");
    }

    #[test]
    fn harness_files_and_arguments_end_each_other() {
        assert_eq!(words("r m.o -harness h.o -noexec -args a b -harness g.o"), ["r m.o", "a b", "h.o -noexec g.o"]);
    }

    #[test]
    fn an_unknown_option_proposes_the_nearest() {
        for (word, nearest) in [("-noexek", "-noexec"), ("--show-graph=x", "-show-graphs"), ("-entri", "-entry")] {
            let message = split_of(&format!("r {word}")).unwrap_err().to_string();
            assert!(message.contains(&format!("Did you mean '{nearest}'?")), "{message}");
        }
    }
}
