//! Values of options: numbers, sizes, definitions of symbols.
//!
//! Texts of errors are llvm-jitlink's where it has them.

/// A library's name as given to `-l` and its like.
pub(crate) type LibraryName = String;

/// `-abs NAME=ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    /// The symbol.
    pub name: String,
    /// Its address.
    pub address: u64,
}

/// `-alias [JD:]NAME=[JD:]NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    /// The definition as written.
    pub text: String,
    /// The JITDylib that the new name is for; `None`: that of the option's position.
    pub dylib: Option<String>,
    /// The new name.
    pub name: String,
    /// The JITDylib that the old name is looked up in; `None`: that of the new one.
    pub aliasee_dylib: Option<String>,
    /// The old name.
    pub aliasee: String,
}

/// `-sectcreate SECTION,FILE[@NAME=OFFSET,...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SectCreate {
    /// The section's name.
    pub section: String,
    /// The file with its content.
    pub file: String,
    /// Symbols and their offsets.
    pub symbols: Vec<(String, u64)>,
}

/// A boolean as llvm-jitlink reads them.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "TRUE" | "True" | "1" => Ok(true),
        "false" | "FALSE" | "False" | "0" => Ok(false),
        _ => Err(format!("'{text}' is invalid value for boolean argument! Try 0 or 1")),
    }
}

/// A number as llvm-jitlink reads them: decimal, `0x…`, `0b…`, or octal with a leading 0.
pub(super) fn parse_number(text: &str) -> Result<u64, String> {
    number(text).ok_or_else(|| format!("'{text}' value invalid for ulong argument!"))
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', b'b' | b'B', ..] => (&text[2..], 2),
        [b'0', b'o' | b'O', ..] => (&text[2..], 8),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // from_str_radix would take a sign.
    digits.bytes().all(|b| b.is_ascii_alphanumeric()).then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// A size in bytes: a number with `Kb` (also if there is none), `Mb` or `Gb`.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, unit) = [("kb", 1u64 << 10), ("mb", 1 << 20), ("gb", 1 << 30)]
        .iter()
        .find_map(|&(suffix, unit)| lower.strip_suffix(suffix).map(|d| (d.trim_end(), unit)))
        .unwrap_or((&lower, 1 << 10));
    let size: u64 = digits.parse().map_err(|_| "Invalid numeric format for slab size".to_string())?;
    match size.checked_mul(unit) {
        Some(0) => Err("a slab of no bytes is of no use".into()),
        Some(bytes) => Ok(bytes),
        None => Err("the slab is larger than any address space".into()),
    }
}

/// The value of `-abs`.
pub(super) fn parse_definition(text: &str) -> Result<Definition, String> {
    let (name, address) =
        text.split_once('=').ok_or_else(|| format!("Invalid absolute define \"{text}\". Syntax: <name>=<addr>"))?;
    let address = address.trim();
    let address = number(address)
        .ok_or_else(|| format!("Invalid address expression \"{address}\" in absolute symbol definition \"{text}\""))?;
    Ok(Definition { name: name.trim().to_string(), address })
}

/// The value of `-alias`.
pub(super) fn parse_alias(text: &str) -> Result<Alias, String> {
    let invalid = || format!("Invalid alias definition \"{text}\". Syntax: [<dst-jd>:]<alias>=[<src-jd>:]<aliasee>");
    let (new, old) = text.split_once('=').ok_or_else(invalid)?;
    let side = |text: &str| match text.split_once(':') {
        Some((dylib, name)) => (Some(dylib.trim().to_string()), name.trim().to_string()),
        None => (None, text.trim().to_string()),
    };
    let ((dylib, name), (aliasee_dylib, aliasee)) = (side(new), side(old));
    if name.is_empty() || aliasee.is_empty() {
        return Err(invalid());
    }
    Ok(Alias { text: text.to_string(), dylib, name, aliasee_dylib, aliasee })
}

/// The value of `-sectcreate`: split at the last `@`, then at the last `,` before it.
pub(super) fn parse_sect_create(text: &str) -> Result<SectCreate, String> {
    let (section, symbols) = text.rsplit_once('@').map_or((text, None), |(section, symbols)| (section, Some(symbols)));
    let (section, file) = section.rsplit_once(',').unwrap_or((section, ""));
    if file.is_empty() || section.is_empty() {
        return Err(format!("In -sectcreate={text}, filename component cannot be empty"));
    }
    let symbol = |definition: &str| {
        let (name, offset) = definition.split_once('=').unwrap_or((definition, ""));
        if name.is_empty() {
            return Err(format!("In -sectcreate={text}, symbol name cannot be empty"));
        }
        let value = number(offset).ok_or_else(|| format!("In -sectcreate={text}, {offset} is not a valid integer"))?;
        Ok((name.to_string(), value))
    };
    let symbols = symbols.map_or(Ok(Vec::new()), |all| all.split(',').map(symbol).collect())?;
    Ok(SectCreate { section: section.to_string(), file: file.to_string(), symbols })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_radix() {
        for (text, value) in [("10", 10), ("0x10", 16), ("010", 8), ("0b10", 2), ("0", 0)] {
            assert_eq!(parse_number(text), Ok(value), "{text}");
        }
        for text in ["", "-1", "+1", "0x", "12a", "0x10000000000000000"] {
            assert!(parse_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, value) in [("1", 1 << 10), ("2Kb", 2 << 10), ("3 MB", 3 << 20), ("1gb", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(value), "{text}");
        }
        for text in ["abc", "0", "99999999999Gb", "-1"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn definitions_split_at_the_first_equals_sign() {
        let named = |name: &str, address| Ok(Definition { name: name.into(), address });
        for (text, value) in [("a=1", named("a", 1)), (" a = 0x10 ", named("a", 16)), ("=1", named("", 1))] {
            assert_eq!(parse_definition(text), value, "{text}");
        }
        for text in ["a", "a=", "a=zz", "a=b=1"] {
            assert!(parse_definition(text).is_err(), "{text}");
        }
    }

    #[test]
    fn aliases_may_name_jitdylibs() {
        let parts = |text| {
            let alias = parse_alias(text).unwrap();
            [alias.dylib.unwrap_or_default(), alias.name, alias.aliasee_dylib.unwrap_or_default(), alias.aliasee]
        };
        for (text, expected) in
            [("a=b", ["", "a", "", "b"]), ("A:a=B:b", ["A", "a", "B", "b"]), ("a=B:b", ["", "a", "B", "b"])]
        {
            assert_eq!(parts(text), expected, "{text}");
        }
        for text in ["a", "a=", "=a", "A:=b", "a=B:"] {
            assert!(parse_alias(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sections_are_made_of_files() {
        let parsed = parse_sect_create("__DATA,__data,a.txt@foo=0,bar=0x10").unwrap();
        assert_eq!((&*parsed.section, &*parsed.file), ("__DATA,__data", "a.txt"));
        assert_eq!(parsed.symbols, [("foo".to_string(), 0), ("bar".to_string(), 16)]);
        for text in ["abc", ",f", "abc,", "abc,f@foo=zz", "abc,f@=1", "abc,f@"] {
            assert!(parse_sect_create(text).is_err(), "{text}");
        }
    }
}
