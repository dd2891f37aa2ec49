//! Writing JSON (RFC 8259).

use std::fmt::Write;

/// `text` as a JSON string, quotes included.
pub(super) fn string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => write!(json, "\\u{:04x}", u32::from(c)).unwrap_or(()),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// An array of `items`, which are JSON.
pub(super) fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// An object of `members`, whose values are JSON.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members = members.into_iter().map(|(name, value)| format!("{}:{value}", string(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(string("a\"b\\c\nd"), "\"a\\\"b\\\\c\\u000ad\"");
    }

    #[test]
    fn values_nest() {
        assert_eq!(object([("a", array(["1".into(), object([])])), ("b", string("c"))]), "{\"a\":[1,{}],\"b\":\"c\"}");
    }
}
