//! What position means: which JITDylib a word belongs to, and whether it is lazy.

use anyhow::{Result, bail};
use clap::{ArgMatches, parser::ValueSource};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The inputs of a command line.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// JITDylibs in order of mention; the first is `main`.
    pub dylibs: Vec<String>,
    /// Inputs in the order of words.
    pub inputs: Vec<Input>,
    /// `-L` directories of each JITDylib.
    pub library_dirs: Vec<Vec<PathBuf>>,
}

/// One input and what its position gives it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// The file or library name as written.
    pub name: OsString,
    /// What it is.
    pub kind: InputKind,
    /// Index of its JITDylib in [`Plan::dylibs`].
    pub dylib: usize,
    /// Whether its functions are linked when they are first called.
    pub lazy: bool,
}

/// What an input is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum InputKind {
    /// An object or archive.
    File,
    /// A `-l` library.
    Library,
}

enum Word {
    Jd(String),
    Dir(PathBuf),
    Lazy,
    Input(OsString, InputKind),
}

/// Reads the positions out of `matches`.
///
/// Errors: a `-lazy` that no input follows.
pub(super) fn plan(matches: &ArgMatches) -> Result<Plan> {
    let words = words(matches);
    let mut plan = Plan { dylibs: vec!["main".into()], inputs: Vec::new(), library_dirs: vec![Vec::new()] };
    let mut lazy = false;
    let mut current = 0;
    for word in words.into_values() {
        match word {
            Word::Lazy => lazy = true,
            Word::Input(name, kind) => {
                plan.inputs.push(Input { name, kind, dylib: current, lazy: std::mem::take(&mut lazy) })
            }
            Word::Jd(_) | Word::Dir(_) if lazy => break,
            Word::Jd(name) => {
                current = plan.dylibs.iter().position(|d| *d == name).unwrap_or(plan.dylibs.len());
                if current == plan.dylibs.len() {
                    plan.dylibs.push(name);
                    plan.library_dirs.push(Vec::new());
                }
            }
            Word::Dir(dir) => plan.library_dirs[current].push(dir),
        }
    }
    if lazy {
        bail!("-lazy must stand directly before the file or -l library that it makes lazy");
    }
    Ok(plan)
}

/// All positional words by index.
fn words(matches: &ArgMatches) -> BTreeMap<usize, Word> {
    let mut words = BTreeMap::new();
    let indices = |id: &str| {
        let given = matches.value_source(id) == Some(ValueSource::CommandLine);
        matches.indices_of(id).filter(|_| given).into_iter().flatten().collect::<Vec<usize>>()
    };
    let text = |id: &str| matches.get_many::<String>(id).into_iter().flatten().cloned();
    words.extend(indices("lazy").into_iter().map(|i| (i, Word::Lazy)));
    words.extend(indices("jd").into_iter().zip(text("jd").map(Word::Jd)));
    words
        .extend(indices("library").into_iter().zip(text("library").map(|n| Word::Input(n.into(), InputKind::Library))));
    let dirs = matches.get_many::<PathBuf>("library_dir").into_iter().flatten().cloned();
    words.extend(indices("library_dir").into_iter().zip(dirs.map(Word::Dir)));
    let files = matches.get_many::<OsString>("files").into_iter().flatten().cloned();
    words.extend(indices("files").into_iter().zip(files.map(|f| Word::Input(f, InputKind::File))));
    words
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;
    use clap::CommandFactory;

    fn plan_of(line: &str) -> Result<Plan> {
        let split = super::super::words::split(line.split(' ').map(OsString::from), &Options::command());
        plan(&Options::command().try_get_matches_from(split.linker)?)
    }

    fn inputs(line: &str) -> Vec<(String, usize, bool)> {
        let inputs = plan_of(line).unwrap().inputs;
        inputs.into_iter().map(|i| (i.name.into_string().unwrap(), i.dylib, i.lazy)).collect()
    }

    #[test]
    fn lazy_marks_the_next_input_only() {
        assert_eq!(
            inputs("r m.o -lazy f.o g.o -lazy -lz -lazy -noexec h.a"),
            [
                ("m.o".into(), 0, false),
                ("f.o".into(), 0, true),
                ("g.o".into(), 0, false),
                ("z".into(), 0, true),
                ("h.a".into(), 0, true),
            ]
        );
    }

    #[test]
    fn jd_governs_what_follows() {
        assert_eq!(
            inputs("r m.o -jd=A a.o -jd B b.o -jd A c.o"),
            [("m.o".into(), 0, false), ("a.o".into(), 1, false), ("b.o".into(), 2, false), ("c.o".into(), 1, false)]
        );
    }

    #[test]
    fn lazy_without_an_input_is_an_error() {
        assert!(plan_of("r m.o -lazy").is_err());
        assert!(plan_of("r m.o -lazy -jd=A a.o").is_err());
    }

    #[test]
    fn directories_belong_to_their_jitdylib() {
        let plan = plan_of("r m.o -Lx -jd=A -Ly a.o").unwrap();
        assert_eq!(plan.library_dirs, [vec![PathBuf::from("x")], vec![PathBuf::from("y")]]);
    }
}
