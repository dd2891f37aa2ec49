//! Text stubs (`.tbd`): YAML documents that list what a dynamic library exports, for linking without it.
//!
//! - Versions 2 and 3 have the tag `!tapi-tbd-v2` and `!tapi-tbd-v3`, and say `archs` where version 4 (`!tapi-tbd`) says `targets`, an
//!   architecture and a platform each. Names of Objective-C classes have their C underscore in the former and not in the latter.
//! - Version 5 is JSON, which is YAML too: `main_library` and `libraries` have the same shape, and symbols are sorted by segment
//!   and kind.
//!
//! Documents behind the first one (`libraries` in version 5) are libraries that the first one reexports: their symbols are
//! its own. Platforms are not told apart.

use super::stub::StubLibrary;
use crate::base::{Arch, Format, Target};
use crate::link::error::{LinkError, Result};
use saphyr_parser::{Event, Parser};

/// How deep values nest; stubs need six levels.
const MAX_DEPTH: usize = 16;

/// Most targets that one message lists.
const MAX_TARGETS: usize = 10;

/// Whether `data` begins as a text stub does.
pub(super) fn is_text_stub(data: &[u8]) -> bool {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let start = &data[..data.len().min(1024)];
    let start = start.trim_ascii_start();
    if start.starts_with(b"{") {
        return start.windows(VERSION_KEY.len()).any(|w| w == VERSION_KEY.as_bytes());
    }
    // Comments may come first; an object file is told by its first byte.
    if !matches!(start.first(), Some(b'-' | b'#' | b'%')) {
        return false;
    }
    start.split(|&b| b == b'\n').take(32).any(|line| line.starts_with(b"--- !tapi-tbd"))
}

/// The key that only version 5 has.
const VERSION_KEY: &str = "tapi_tbd_version";

/// A value of a document.
#[derive(Debug)]
enum Node {
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Node)>),
}

impl Node {
    /// What a mapping has under `key`.
    fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Mapping(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The values of a sequence; a value that is none stands for itself.
    fn items(&self) -> &[Node] {
        match self {
            Node::Sequence(items) => items,
            other => std::slice::from_ref(other),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Node::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The texts under `key`, none if it is not there.
    fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).map_or(&[][..], Node::items).iter().filter_map(Node::text)
    }
}

/// How the names of a kind become symbols.
#[derive(Clone, Copy)]
enum Kind {
    /// They are.
    Symbol,
    /// Each of these prefixes makes one.
    ObjectiveC(&'static [&'static str]),
}

const CLASS: Kind = Kind::ObjectiveC(&["_OBJC_CLASS_$", "_OBJC_METACLASS_$"]);
const EH_TYPE: Kind = Kind::ObjectiveC(&["_OBJC_EHTYPE_$"]);
const IVAR: Kind = Kind::ObjectiveC(&["_OBJC_IVAR_$"]);

/// The keys under which versions 2 to 4 list names.
const YAML_KINDS: &[(&str, Kind)] = &[
    ("symbols", Kind::Symbol),
    ("weak-symbols", Kind::Symbol),
    ("weak-def-symbols", Kind::Symbol),
    ("thread-local-symbols", Kind::Symbol),
    ("objc-classes", CLASS),
    ("objc-eh-types", EH_TYPE),
    ("objc-ivars", IVAR),
];

/// The keys under which version 5 does.
const JSON_KINDS: &[(&str, Kind)] = &[
    ("global", Kind::Symbol),
    ("weak", Kind::Symbol),
    ("thread_local", Kind::Symbol),
    ("objc_class", CLASS),
    ("objc_eh_type", EH_TYPE),
    ("objc_ivar", IVAR),
];

/// Reads the text stub `data`, called `name` in messages.
///
/// Errors: that it is no stub of a known version, is damaged, or has nothing for `target`.
pub(super) fn read(name: &str, data: &[u8], target: Target) -> Result<StubLibrary> {
    let text = std::str::from_utf8(data).map_err(|error| LinkError::malformed(name, "text stub", error))?;
    let documents = documents(name, text)?;
    let mut reader = Reader { name, target, stub: StubLibrary { is_text: true, ..StubLibrary::default() } };
    match documents.first() {
        Some((_, document)) if document.get(VERSION_KEY).is_some() => reader.json(document)?,
        _ => reader.yaml(&documents)?,
    }
    Ok(reader.stub)
}

struct Reader<'a> {
    name: &'a str,
    target: Target,
    stub: StubLibrary,
}

impl Reader<'_> {
    /// Whether `name` (`arm64`, `x86_64-macos`) is for the target's architecture.
    fn is_for_target(&self, name: &str) -> bool {
        let arch = name.split('-').next().unwrap_or_default();
        // The names are the same with signed pointers (arm64e).
        let names: &[&str] = match self.target.arch {
            Arch::X86_64 => &["x86_64", "x86_64h"],
            Arch::Aarch64 => &["arm64", "arm64e"],
            Arch::Riscv64 => &[],
        };
        self.target.format == Format::MachO && names.contains(&arch)
    }

    fn check_target<'n>(&self, targets: impl Iterator<Item = &'n str>) -> Result<()> {
        let targets: Vec<&str> = targets.collect();
        if targets.iter().any(|target| self.is_for_target(target)) {
            return Ok(());
        }
        let more = match targets.len().saturating_sub(MAX_TARGETS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let listed = targets[..targets.len().min(MAX_TARGETS)].join(", ");
        let what = format!("is a text stub for {listed}{more}, not for {}", self.target);
        Err(LinkError::unsuitable(self.name, what))
    }

    /// Adds the names that `section`, part of a list of exports, has under the keys of `kinds`.
    fn add_names(&mut self, section: &Node, kinds: &[(&str, Kind)], underscore: &str) {
        for &(key, kind) in kinds {
            for name in section.texts(key) {
                match kind {
                    Kind::Symbol => self.stub.symbols.push(name.as_bytes().to_vec()),
                    Kind::ObjectiveC(prefixes) => {
                        let symbols = prefixes.iter().map(|prefix| format!("{prefix}{underscore}{name}").into_bytes());
                        self.stub.symbols.extend(symbols);
                    }
                }
            }
        }
    }

    fn yaml(&mut self, documents: &[(String, Node)]) -> Result<()> {
        for (index, (tag, document)) in documents.iter().enumerate() {
            let (key, underscore) = match tag.as_str() {
                "!tapi-tbd-v2" | "!tapi-tbd-v3" => ("archs", ""),
                "!tapi-tbd" if document.texts("tbd-version").next() == Some("4") => ("targets", "_"),
                other => {
                    let version = document.texts("tbd-version").next().unwrap_or(other);
                    let what = format!("is a text stub of version '{version}'; versions 2 to 5 can be read");
                    return Err(LinkError::unsuitable(self.name, what));
                }
            };
            if index == 0 {
                self.check_target(document.get(key).map_or(&[][..], Node::items).iter().filter_map(Node::text))?;
                self.stub.install_name = document.texts("install-name").next().unwrap_or_default().to_string();
            }
            for list in ["exports", "reexports"] {
                for section in document.get(list).map_or(&[][..], Node::items) {
                    if section.texts(key).any(|target| self.is_for_target(target)) {
                        self.add_names(section, YAML_KINDS, underscore);
                    }
                }
            }
        }
        Ok(())
    }

    fn json(&mut self, document: &Node) -> Result<()> {
        let version = document.texts(VERSION_KEY).next().unwrap_or_default();
        if version != "5" {
            let what = format!("is a text stub of version '{version}'; versions 2 to 5 can be read");
            return Err(LinkError::unsuitable(self.name, what));
        }
        let main = document.get("main_library");
        let first = |node: Option<&Node>, key: &str| {
            let node = node?.items().first()?;
            Some(node.texts(key).next()?.to_string())
        };
        let infos = main.and_then(|main| main.get("target_info")).map_or(&[][..], Node::items);
        self.check_target(infos.iter().flat_map(|info| info.texts("target")))?;
        self.stub.install_name = first(main.and_then(|main| main.get("install_names")), "name").unwrap_or_default();
        let inlined = document.get("libraries").map_or(&[][..], Node::items);
        for library in main.into_iter().chain(inlined) {
            for list in ["exported_symbols", "reexported_symbols"] {
                for section in library.get(list).map_or(&[][..], Node::items) {
                    // Without targets: for all of them.
                    if section.get("targets").is_none() || section.texts("targets").any(|t| self.is_for_target(t)) {
                        for segment in ["data", "text"] {
                            if let Some(segment) = section.get(segment) {
                                self.add_names(segment, JSON_KINDS, "_");
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The documents of `text`, each with the tag of its outermost value.
fn documents(name: &str, text: &str) -> Result<Vec<(String, Node)>> {
    /// A collection that is being read; a mapping's next key, if it has been read.
    enum Open {
        Sequence(Vec<Node>),
        Mapping(Vec<(String, Node)>, Option<String>),
    }
    let malformed = |what: &dyn std::fmt::Display| LinkError::malformed(name, "text stub", what);
    let mut documents: Vec<(String, Node)> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut tag = String::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| malformed(&error))?;
        let line = span.start.line();
        let node = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == MAX_DEPTH => {
                return Err(malformed(&format_args!("line {line}: values nest too deep")));
            }
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(Vec::new()));
                continue;
            }
            Event::MappingStart(_, its_tag) => {
                if open.is_empty() {
                    tag = its_tag.map_or_else(String::new, |tag| format!("{}{}", tag.handle, tag.suffix));
                }
                open.push(Open::Mapping(Vec::new(), None));
                continue;
            }
            Event::Scalar(value, ..) => Node::Scalar(value.into_owned()),
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence(items)) => Node::Sequence(items),
                Some(Open::Mapping(pairs, _)) => Node::Mapping(pairs),
                None => continue,
            },
            Event::Alias(_) => return Err(malformed(&format_args!("line {line}: stubs have no aliases"))),
            _ => continue,
        };
        match (open.last_mut(), node) {
            (None, node) => documents.push((std::mem::take(&mut tag), node)),
            (Some(Open::Sequence(items)), node) => items.push(node),
            (Some(Open::Mapping(pairs, key)), node) => match (key.take(), node) {
                (Some(key), node) => pairs.push((key, node)),
                (None, Node::Scalar(text)) => *key = Some(text),
                (None, _) => return Err(malformed(&format_args!("line {line}: a key is no text"))),
            },
        }
    }
    Ok(documents)
}

#[cfg(test)]
#[path = "text_stub_tests.rs"]
mod tests;
