//! The rules of the repository, checked.
//!
//! Each rule is a function from the text of a file to complaints; each test collects the complaints of one rule over all
//! files it applies to, and each rule is first shown to notice what it forbids.

use std::fs;
use std::path::Path;

/// Files are at most this long.
const MOST_LINES: usize = 500;

/// The layers, and which others each may use besides itself.
const LAYERS: [(&str, &[&str]); 7] = [
    ("base", &[]),
    ("link", &["base"]),
    ("rt", &["base", "link"]),
    ("lazy", &["base", "link", "rt"]),
    ("observe", &["base", "link", "rt", "lazy"]),
    ("cli", &["base", "link", "rt", "lazy"]),
    ("driver", &["base", "link", "rt", "lazy", "observe", "cli"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `folder` for which `wanted` holds, as paths from the package's root with `/`, and their text.
fn files(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
            let name = relative(&path);
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&name) {
                // Binary inputs are no text; no rule is about them.
                if let Ok(text) = fs::read_to_string(&path) {
                    found.push((name, text));
                }
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let relative = path.strip_prefix(root()).expect("files are in the package");
    relative.to_str().expect("names are UTF-8").replace('\\', "/")
}

fn rust_sources() -> Vec<(String, String)> {
    let sources = files("src", |name| name.ends_with(".rs"));
    assert!(sources.len() > 20, "the sources are not where they are looked for");
    sources
}

/// All files of the project that are text and not made by a tool.
fn project_files() -> Vec<(String, String)> {
    let folders = ["src", "tests", "lit-tests", "Inputs", "benches", "docs", ".ci", ".github"];
    let mut all: Vec<_> = folders.iter().flat_map(|folder| files(folder, |_| true)).collect();
    for name in ["Cargo.toml", "README.md"] {
        all.extend(fs::read_to_string(root().join(name)).map(|text| (name.to_string(), text)));
    }
    all
}

/// Lines of Rust source with their numbers, without what follows `//`, up to the file's unit tests.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .enumerate()
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

/// `text` without string literals, good enough for lines of code.
fn without_strings(line: &str) -> String {
    line.replace("\\\"", "").split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Whether `word` occurs in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part) && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

fn assert_none(rule: &str, complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{rule}\n{}", complaints.join("\n"));
}

// --- layers

fn layer_of(name: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let first = name.strip_prefix("src/")?.split(['/', '.']).next()?;
    LAYERS.iter().find(|layer| layer.0 == first)
}

/// Uses of layers that the file `name` may not use.
fn forbidden_uses(name: &str, text: &str) -> Vec<String> {
    let Some((own, allowed)) = layer_of(name) else {
        return Vec::new();
    };
    let mut complaints = Vec::new();
    for (number, line) in code_lines(text) {
        for (at, _) in line.match_indices("crate::") {
            let used = line[at + 7..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let is_layer = LAYERS.iter().any(|layer| layer.0 == used);
            if is_layer && used != *own && !allowed.contains(&used) {
                complaints.push(format!("{name}:{number}: {own} uses {used}"));
            }
        }
    }
    complaints
}

#[test]
fn layers_use_only_those_below_them() {
    assert_eq!(forbidden_uses("src/link/graph.rs", "use crate::base::Arch;\nuse crate::rt::Memory;").len(), 1);
    let complaints = rust_sources().iter().flat_map(|(name, text)| forbidden_uses(name, text)).collect();
    assert_none("a layer uses one above it", complaints);
}

// --- format words

/// Names of object formats, where only generic words may stand.
fn format_words(name: &str, text: &str) -> Vec<String> {
    let words = ["elf", "Elf", "ELF", "macho", "MachO", "coff", "Coff"];
    let mut complaints = Vec::new();
    for (number, line) in code_lines(text) {
        let line = without_strings(line);
        for word in words {
            // `Self` and `self` end in one; a format's name begins a word or a part of one.
            let starts = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric());
            let capital = word.starts_with(char::is_uppercase);
            if line.match_indices(word).any(|(at, _)| starts(at) || capital && !line[..at].ends_with('S')) {
                complaints.push(format!("{name}:{number}: {word}"));
            }
        }
    }
    complaints
}

/// Whether a file must be ignorant of formats: all of link and lazy, but for a format's own folder, the list of the formats, and the
/// one place where a file's format is recognized.
fn is_generic(name: &str) -> bool {
    let generic = name.starts_with("src/link/") || name.starts_with("src/lazy/");
    let knows = ["src/link/elf/", "src/link/macho/", "src/link/mod.rs", "src/link/read.rs"];
    generic
        && !name.ends_with("_tests.rs")
        && !name.ends_with("/testing.rs")
        && !knows.iter().any(|place| name.starts_with(place))
}

#[test]
fn generic_files_name_no_format() {
    assert_eq!(format_words("x", "let a = elf::read();\nlet b: ElfFile;\nlet c = Self::new(self);\n// ELF").len(), 2);
    assert!(is_generic("src/lazy/session.rs") && !is_generic("src/link/elf/read.rs"));
    let sources = rust_sources();
    let generic = sources.iter().filter(|(name, _)| is_generic(name));
    assert_none(
        "a generic file names an object format",
        generic.flat_map(|(name, text)| format_words(name, text)).collect(),
    );
}

// --- unsafe

/// `unsafe` outside the folders for it, or without a reason above it.
fn bad_unsafe(name: &str, text: &str) -> Vec<String> {
    let home = name.starts_with("src/rt/sys/") || name.starts_with("src/rt/orc/") || name == "src/rt/sys.rs";
    let lines: Vec<&str> = text.lines().collect();
    let mut complaints = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = without_strings(line.split("//").next().unwrap_or_default());
        if !has_word(&code, "unsafe") {
            continue;
        }
        // The reason stands in the comment above the statement, or above the attributes of the item.
        let above = lines[..index].iter().rev().map(|line| line.trim());
        let goes_on =
            |line: &&str| !line.starts_with("//") && !line.ends_with([';', '{', '}', ']']) && !line.is_empty();
        let comment = above.skip_while(goes_on);
        let reason = comment
            .take_while(|line| line.starts_with("//") || line.starts_with("#["))
            .any(|line| line.contains("SAFETY:") || line.starts_with("/// # Safety"));
        let declares = code.contains("unsafe extern") || code.contains("#[unsafe(") || code.contains("unsafe fn(");
        if !home {
            complaints.push(format!("{name}:{}: unsafe outside src/rt/sys and src/rt/orc", index + 1));
        } else if !reason && !declares && !line.contains("SAFETY:") {
            complaints.push(format!("{name}:{}: unsafe without a SAFETY comment above it", index + 1));
        }
    }
    complaints
}

#[test]
fn unsafe_has_an_address_and_a_reason() {
    assert_eq!(bad_unsafe("src/lazy/x.rs", "// SAFETY: none\nunsafe { f() }").len(), 1);
    assert_eq!(bad_unsafe("src/rt/sys/x.rs", "unsafe { f() }").len(), 1);
    assert_eq!(bad_unsafe("src/rt/sys/x.rs", "// SAFETY: f has no conditions\nunsafe { f() }").len(), 0);
    let complaints = rust_sources().iter().flat_map(|(name, text)| bad_unsafe(name, text)).collect();
    assert_none("unsafe code", complaints);
}

// --- size, leftovers, machine paths

#[test]
fn files_are_short() {
    let sources = project_files();
    let code =
        sources.iter().filter(|(name, _)| [".rs", ".S", ".c", ".h", ".py"].iter().any(|end| name.ends_with(end)));
    let long = code.filter(|(_, text)| text.lines().count() > MOST_LINES);
    assert_none("files too long", long.map(|(name, text)| format!("{name}: {} lines", text.lines().count())).collect());
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TO", "FIX", "XX", "HA"].iter().zip(["DO", "ME", "X", "CK"]).map(|(a, b)| format!("{a}{b}"));
    let words: Vec<String> = words.chain([format!("{}!(", "todo"), format!("{}ed!(", "unimplement")]).collect();
    let mut complaints = Vec::new();
    for (name, text) in project_files() {
        for (number, line) in text.lines().enumerate() {
            let found = words.iter().filter(|word| word.ends_with('(') && line.contains(*word) || has_word(line, word));
            complaints.extend(found.map(|word| format!("{name}:{}: {word}", number + 1)));
        }
    }
    assert_none("marks of unfinished work", complaints);
}

#[test]
fn no_file_speaks_of_one_machine() {
    let places = ["work", "root", "home", "Users", "farm"].map(|folder| format!("/{folder}/"));
    let mut complaints = Vec::new();
    for (name, text) in project_files() {
        for (number, line) in text.lines().enumerate() {
            // A path begins where no other path goes on: `target/work/` is a folder of the project's own.
            let starts = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-})$*".contains(c));
            let found = places.iter().filter(|place| line.match_indices(*place).any(|(at, _)| starts(at)));
            complaints.extend(found.map(|place| format!("{name}:{}: {place}", number + 1)));
        }
    }
    assert_none("paths of one machine", complaints);
}

#[test]
fn every_lit_test_checks_something() {
    let tests = files("lit-tests", |name| {
        let test = [".c", ".cpp", ".s", ".test"].iter().any(|end| name.ends_with(end));
        test && !name.contains("/support/") && !name.contains("/Inputs/")
    });
    assert!(tests.len() > 30, "the lit tests are not where they are looked for");
    let checks = |text: &String| {
        text.contains("RUN:")
            && ["FileCheck", "%same", "%peer", "%matrix", "%checked", "%ranges"].iter().any(|c| text.contains(c))
    };
    let idle = tests.iter().filter(|(_, text)| !checks(text));
    assert_none("lit tests that check nothing", idle.map(|(name, _)| name.clone()).collect());
}
