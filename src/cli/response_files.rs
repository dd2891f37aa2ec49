//! Response files: of a word `@FILE`, the words in the file are the command line.
//!
//! As LLVM's tools have them with GNU quoting: words are separated by blanks and line ends; a backslash takes the next byte as it is,
//! also within quotes of either kind; what is quoted may have blanks; there are no empty words. A file may name others, and relative
//! names are looked up in the current directory. Where there is no such file, `@FILE` is a word like any other. Text is UTF-8, or
//! UTF-16 with a byte order mark.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Files that name each other in a row can multiply; no command line has more words than this.
const MOST_WORDS: usize = 1 << 22;

/// Puts the words of response files in place of their names, everywhere but in the program's name and behind `--`, where words are the
/// program's as they are.
///
/// Errors: a file that cannot be read, is no text, or contains itself.
pub(super) fn expand(words: Vec<OsString>) -> Result<Vec<OsString>> {
    if !words.iter().skip(1).any(|word| file_of(word).is_some()) {
        return Ok(words);
    }
    let mut expanded = Vec::new();
    let mut words = words.into_iter();
    expanded.extend(words.next());
    let mut separates = true;
    for word in words.by_ref() {
        let ends = separates && word == "--";
        separates &= !["-args", "--args", "-harness", "--harness"].iter().any(|option| word == *option);
        add(word, &mut Vec::new(), &mut expanded)?;
        if ends {
            break;
        }
    }
    expanded.extend(words);
    Ok(expanded)
}

/// The file that `word` names, if there is one.
fn file_of(word: &OsString) -> Option<PathBuf> {
    let name = word.as_encoded_bytes().strip_prefix(b"@").filter(|name| !name.is_empty())?;
    let path = PathBuf::from(OsString::from_vec(name.to_vec()));
    path.exists().then_some(path)
}

/// Appends `word`, or those of the file that it names, to `words`. `open` are the files that are being read.
fn add(word: OsString, open: &mut Vec<PathBuf>, words: &mut Vec<OsString>) -> Result<()> {
    let Some(path) = file_of(&word) else {
        words.push(word);
        return Ok(());
    };
    let failed = || format!("cannot read the response file '{}'", path.display());
    let same = path.canonicalize().with_context(failed)?;
    if open.contains(&same) {
        bail!("recursive expansion of: '{}'", same.display());
    }
    let text = decode(std::fs::read(&path).with_context(failed)?, &path)?;
    open.push(same);
    for word in tokenize(&text) {
        add(OsString::from_vec(word), open, words)?;
    }
    open.pop();
    if words.len() > MOST_WORDS {
        bail!("the response file '{}' makes the command line longer than {MOST_WORDS} words", path.display());
    }
    Ok(())
}

/// `bytes` as UTF-8, without a byte order mark. Without one they are taken as they are, since names of files are any bytes.
fn decode(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
    let word: fn([u8; 2]) -> u16 = match *bytes {
        [0xef, 0xbb, 0xbf, ref text @ ..] => return Ok(text.to_vec()),
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Ok(bytes),
    };
    let (pairs, odd) = bytes[2..].as_chunks::<2>();
    let text = char::decode_utf16(pairs.iter().copied().map(word)).collect::<Result<String, _>>();
    match text {
        Ok(text) if odd.is_empty() => Ok(text.into_bytes()),
        _ => bail!("the response file '{}' is no UTF-16 text", path.display()),
    }
}

/// The words of `text`.
fn tokenize(text: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quote) = (Vec::new(), Vec::new(), None);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) if bytes.peek().is_some() => word.extend(bytes.next()),
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b' ' | b'\t' | b'\r' | b'\n', None) => {
                words.push(std::mem::take(&mut word));
            }
            // Arguments are C strings.
            (0, _) => {}
            _ => word.push(byte),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_by_gnu_tools() {
        let rows: [(&str, &[&str]); 9] = [
            ("a.o\t-entry  f\r\nb.o\n", &["a.o", "-entry", "f", "b.o"]),
            (r#""y z" 'q w' a\ b"#, &["y z", "q w", "a b"]),
            (r#""c\"d" 'e\f' \\g"#, &["c\"d", "ef", "\\g"]),
            ("'' \"\" x''y", &["xy"]),
            ("\"open x", &["open x"]),
            ("end\\", &["end\\"]),
            ("# no comment", &["#", "no", "comment"]),
            ("line\\\nline", &["line\nline"]),
            (" \n", &[]),
        ];
        for (text, words) in rows {
            let found: Vec<String> =
                tokenize(text.as_bytes()).into_iter().map(|w| String::from_utf8(w).unwrap()).collect();
            assert_eq!(found, words, "{text}");
        }
    }

    #[test]
    fn text_is_utf8_or_marked_utf16() {
        let rows: [(&[u8], Option<&str>); 6] = [
            (b"a.o", Some("a.o")),
            (b"\xef\xbb\xbfa.o", Some("a.o")),
            (b"\xff\xfea\0.\0", Some("a.")),
            (b"\xfe\xff\0a\0.", Some("a.")),
            (b"\xff\xfea\0.", None),
            (b"\xff\xfe\0\xd8", None),
        ];
        for (bytes, text) in rows {
            let found = decode(bytes.to_vec(), Path::new("f")).ok();
            assert_eq!(found.as_deref(), text.map(str::as_bytes), "{bytes:x?}");
        }
    }
}
