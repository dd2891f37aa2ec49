//! What position means: which JITDylib a word belongs to, and whether it is lazy.

use super::values::{Alias, Definition, SectCreate};
use anyhow::{Result, anyhow, bail};
use clap::{ArgMatches, parser::ValueSource};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The inputs of a command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// JITDylibs in order of mention; the first is `main`.
    pub dylibs: Vec<String>,
    /// Inputs in the order of words.
    pub inputs: Vec<Input>,
    /// `-L` directories of each JITDylib.
    pub library_dirs: Vec<Vec<PathBuf>>,
    /// `-abs` definitions, each with the index of its JITDylib.
    pub definitions: Vec<(usize, Definition)>,
    /// `-alias` definitions.
    pub aliases: Vec<PlannedAlias>,
    /// `-sectcreate` sections, each with the index of its JITDylib.
    pub sections: Vec<(usize, SectCreate)>,
}

/// One input and what its position gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// An archive whose symbols other JITDylibs do not see.
    HiddenFile,
    /// A `-hidden-l` library.
    HiddenLibrary,
    /// A file whose symbols are null if nothing else defines them.
    WeakFile,
    /// A `-weak-l` library.
    WeakLibrary,
}

/// An alias with the JITDylibs that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedAlias {
    /// The index of the JITDylib of the new name.
    pub dylib: usize,
    /// The new name.
    pub name: String,
    /// The index of the JITDylib that the old name is looked up in, and whether only there: one was named.
    pub aliasee_dylib: usize,
    /// The old name.
    pub aliasee: String,
}

enum Word {
    Jd(String),
    Dir(PathBuf),
    Lazy(bool),
    Input(OsString, InputKind),
    Abs(Definition),
    Alias(Alias),
    Section(SectCreate),
}

/// Reads the positions out of `matches`; `runs` are the files that follow each file in it, and whether they are lazy.
///
/// Errors: a `-lazy` that no input follows; an alias that names a JITDylib that there is not.
pub(super) fn plan(matches: &ArgMatches, runs: Vec<Vec<(OsString, bool)>>) -> Result<Plan> {
    let mut runs = runs.into_iter();
    let words = words(matches);
    let mut plan = Plan { dylibs: vec!["main".into()], library_dirs: vec![Vec::new()], ..Plan::default() };
    let mut aliases = Vec::new();
    let mut lazy = false;
    let mut current = 0;
    for word in words.into_values() {
        match word {
            Word::Lazy(on) => lazy = on,
            Word::Input(name, kind) => {
                plan.inputs.push(Input { name, kind, dylib: current, lazy: std::mem::take(&mut lazy) });
                if kind == InputKind::File {
                    let run = runs.next().unwrap_or_default().into_iter();
                    plan.inputs.extend(run.map(|(name, lazy)| Input { name, kind, dylib: current, lazy }));
                }
            }
            _ if lazy => break,
            Word::Jd(name) => {
                current = plan.dylibs.iter().position(|d| *d == name).unwrap_or(plan.dylibs.len());
                if current == plan.dylibs.len() {
                    plan.dylibs.push(name);
                    plan.library_dirs.push(Vec::new());
                }
            }
            Word::Dir(dir) => plan.library_dirs[current].push(dir),
            Word::Abs(definition) => plan.definitions.push((current, definition)),
            Word::Alias(alias) => aliases.push((current, alias)),
            Word::Section(section) => plan.sections.push((current, section)),
        }
    }
    if lazy {
        bail!("-lazy must stand directly before the file or -l library that it makes lazy");
    }
    // An alias may name a JITDylib that comes after it.
    plan.aliases =
        aliases.into_iter().map(|(current, alias)| place(&plan.dylibs, current, alias)).collect::<Result<_>>()?;
    Ok(plan)
}

fn place(dylibs: &[String], current: usize, alias: Alias) -> Result<PlannedAlias> {
    let find = |name: &str| {
        let found = dylibs.iter().position(|d| d == name);
        found.ok_or_else(|| anyhow!("In alias definition \"{}\" no dylib named {name}", alias.text))
    };
    let dylib = alias.dylib.as_deref().map_or(Ok(current), find)?;
    let aliasee_dylib = alias.aliasee_dylib.as_deref().map_or(Ok(dylib), find)?;
    Ok(PlannedAlias { dylib, name: alias.name, aliasee_dylib, aliasee: alias.aliasee })
}

/// All positional words by index.
fn words(matches: &ArgMatches) -> BTreeMap<usize, Word> {
    let mut words = BTreeMap::new();
    collect(matches, &mut words, "lazy", Word::Lazy);
    collect(matches, &mut words, "jd", Word::Jd);
    collect(matches, &mut words, "library_dir", Word::Dir);
    collect(matches, &mut words, "files", |file| Word::Input(file, InputKind::File));
    collect(matches, &mut words, "load_hidden", |file| Word::Input(file, InputKind::HiddenFile));
    collect(matches, &mut words, "weak_library", |file| Word::Input(file, InputKind::WeakFile));
    for (id, kind) in [
        ("library", InputKind::Library),
        ("hidden_library", InputKind::HiddenLibrary),
        ("weak_l", InputKind::WeakLibrary),
    ] {
        collect(matches, &mut words, id, |name: String| Word::Input(name.into(), kind));
    }
    collect(matches, &mut words, "abs", Word::Abs);
    collect(matches, &mut words, "alias", Word::Alias);
    collect(matches, &mut words, "sectcreate", Word::Section);
    words
}

/// Adds the values that were given for `id` to `words`.
fn collect<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    words: &mut BTreeMap<usize, Word>,
    id: &str,
    word: impl Fn(T) -> Word,
) {
    if matches.value_source(id) == Some(ValueSource::CommandLine) {
        let indices = matches.indices_of(id).into_iter().flatten();
        let values = matches.get_many::<T>(id).into_iter().flatten().cloned();
        words.extend(indices.zip(values.map(word)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::command;
    use super::*;

    fn plan_of(line: &str) -> Result<Plan> {
        let split = super::super::words::split(line.split(' ').map(OsString::from), &command())?;
        plan(&command().try_get_matches_from(split.linker)?, split.runs)
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
    fn files_in_a_row_keep_their_order_and_laziness() {
        let expected = [("a", false), ("b", true), ("c", false), ("z", true), ("d", false), ("e", true), ("f", true)];
        let expected = expected.map(|(name, lazy)| (name.to_string(), 0, lazy));
        assert_eq!(inputs("r a -lazy b c -lazy -lz -noexec d --lazy e -lazy=true f"), expected);
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

    #[test]
    fn lazy_can_be_spelled_out() {
        assert_eq!(inputs("r -lazy=false f.o -lazy=1 g.o"), [("f.o".into(), 0, false), ("g.o".into(), 0, true)]);
    }

    #[test]
    fn an_alias_names_its_jitdylibs() {
        let aliases = |line: &str| {
            let aliases = plan_of(line).unwrap().aliases;
            aliases.into_iter().map(|a| (a.dylib, a.aliasee_dylib)).collect::<Vec<_>>()
        };
        assert_eq!(
            aliases("r m.o -alias a=A:b -alias A:a=b -alias A:a=main:b -jd=A -alias a=b"),
            [(0, 1), (1, 1), (1, 0), (1, 1)]
        );
        let message = plan_of("r m.o -alias foo=NOJD:bar").unwrap_err().to_string();
        assert_eq!(message, "In alias definition \"foo=NOJD:bar\" no dylib named NOJD");
    }

    #[test]
    fn definitions_belong_to_their_jitdylib() {
        let plan = plan_of("r m.o -abs a=1 -jd=A -abs b=2 -sectcreate=s,f").unwrap();
        assert_eq!(plan.definitions.iter().map(|d| d.0).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(plan.sections[0].0, 1);
    }
}
