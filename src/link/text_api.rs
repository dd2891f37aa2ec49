//! TextAPI files (`.tbd`): what a shared library exports, as text, without the library.
//!
//! Only names are of interest here, and of all targets that a file is for: which symbols are null if the library is missing.

/// What the keys of lists of names stand for: the names' prefixes.
const LISTS: [(&str, &[&str]); 7] = [
    ("symbols", &[""]),
    ("weak-symbols", &[""]),
    ("weak-def-symbols", &[""]),
    ("thread-local-symbols", &[""]),
    ("objc-classes", &["_OBJC_CLASS_$_", "_OBJC_METACLASS_$_"]),
    ("objc-eh-types", &["_OBJC_EHTYPE_$_"]),
    ("objc-ivars", &["_OBJC_IVAR_$_"]),
];

/// The names that the TextAPI file `text` exports or reexports; `None` if it is none.
pub fn exported_names(text: &str) -> Option<Vec<String>> {
    let begins = text.trim_start();
    let tagged = begins.starts_with("--- !tapi-tbd") || begins.starts_with("---\narchs:");
    if !tagged || !text.contains("install-name:") {
        return None;
    }
    let mut names = Vec::new();
    let mut exports = false;
    let mut rest = text;
    while let Some((line, behind)) = rest.split_once('\n') {
        let indented = line.starts_with([' ', '-']);
        let (key, value) = line.trim_start_matches([' ', '-']).split_once(':').unwrap_or_default();
        if !indented {
            exports = matches!(key, "exports" | "reexports");
        }
        rest = behind;
        let list = LISTS.iter().find(|(name, _)| exports && *name == key);
        let Some((_, prefixes)) = list.filter(|_| value.trim_start().starts_with('[')) else { continue };
        // The list may go on in the next lines.
        let start = text.len() - behind.len() - value.len() - 1;
        let end = text[start..].find(']').map_or(text.len(), |end| start + end);
        let items = text[start..end].trim_start().trim_start_matches('[').split(',');
        for item in items.map(|item| item.trim().trim_matches(['\'', '"'])).filter(|item| !item.is_empty()) {
            names.extend(prefixes.iter().map(|prefix| format!("{prefix}{item}")));
        }
        // On with the line behind the list's end.
        rest = text[end..].split_once('\n').map_or("", |(_, behind)| behind);
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_lists_are_found() {
        let text = "--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-macos ]\ninstall-name: F\nexports:\n  - targets: [ arm64-macos ]\n    \
            symbols: [ _foo, '_bar$x',\n               _baz ]\n    objc-classes: [ C ]\n    weak-symbols: []\n\
            undefineds:\n  - targets: [ arm64-macos ]\n    symbols: [ _no ]\n...\n";
        let names = exported_names(text).unwrap();
        assert_eq!(names, ["_foo", "_bar$x", "_baz", "_OBJC_CLASS_$_C", "_OBJC_METACLASS_$_C"]);
    }

    #[test]
    fn other_files_and_damaged_ones_are_no_trouble() {
        assert_eq!(exported_names("int main;\n"), None);
        let whole = "--- !tapi-tbd\ninstall-name: F\nexports:\n  - symbols: [ _a, _b ]\n";
        assert_eq!(exported_names(whole).unwrap(), ["_a", "_b"]);
        for end in 0..whole.len() {
            exported_names(&whole[..end]);
        }
    }
}
