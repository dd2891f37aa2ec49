//! The linker scripts that stand in the place of libraries: lists of the files that are meant (GNU ld manual, "File Commands").
//!
//! Such a `libname.so` is a text of a few statements, most often one `GROUP` of a shared library and an archive. Scripts that lay
//! out memory are something else, and refused.

/// What a script asks to be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptInput {
    /// A file: a path, or a name to be searched for.
    File(String),
    /// The library that `-l` and this would mean.
    Library(String),
}

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// Statements that say nothing about which files to link; each is followed by words in parentheses.
const WITHOUT_FILES: [&str; 4] = ["OUTPUT_FORMAT", "OUTPUT_ARCH", "TARGET", "ENTRY"];
/// Statements that list files.
const WITH_FILES: [&str; 2] = ["INPUT", "GROUP"];

/// Whether `text` begins like a script that lists files, after white space and comments.
pub fn is_script(text: &[u8]) -> bool {
    // Its beginning is enough, and may be cut within a character.
    let text = String::from_utf8_lossy(&text[..text.len().min(4096)]);
    matches!(Tokens::new(&text).next(), Ok(Some(Token::Word(word))) if is_statement(&word))
}

fn is_statement(word: &str) -> bool {
    WITHOUT_FILES.contains(&word) || WITH_FILES.contains(&word)
}

/// The files that the script `text` lists, in order. Those in `AS_NEEDED` are among them: a library that nothing needs does no
/// harm in a program that is never written to a file.
///
/// # Errors
/// Other statements than those that list files or describe the output's format, and bad syntax.
pub fn parse(text: &str) -> Result<Vec<ScriptInput>, ScriptError> {
    let mut tokens = Tokens::new(text);
    let mut inputs = Vec::new();
    while let Some(token) = tokens.next()? {
        match token {
            Token::Semicolon => {}
            Token::Word(word) if is_statement(&word) => {
                let files = WITH_FILES.contains(&word.as_str());
                tokens.list(&word, &mut |name| inputs.extend(files.then(|| input(name))))?;
            }
            Token::Word(word) => return Err(tokens.error(format!("{word} is not supported in the place of a library"))),
            Token::Open | Token::Close => return Err(tokens.error("a parenthesis without a statement")),
        }
    }
    Ok(inputs)
}

fn input(name: String) -> ScriptInput {
    match name.strip_prefix("-l") {
        Some(library) => ScriptInput::Library(library.to_string()),
        None => ScriptInput::File(name),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    Semicolon,
}

struct Tokens<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Tokens<'a> {
        Tokens { text, line: 1 }
    }

    fn error(&self, what: impl Into<String>) -> ScriptError {
        ScriptError { line: self.line, what: what.into() }
    }

    /// Goes on behind the next `size` bytes, which it answers.
    fn take(&mut self, size: usize) -> &'a str {
        let (taken, rest) = self.text.split_at(size);
        self.line += taken.matches('\n').count();
        self.text = rest;
        taken
    }

    /// Skips white space, commas and comments.
    fn skip(&mut self) -> Result<(), ScriptError> {
        loop {
            let blank = self.text.find(|c: char| !c.is_whitespace() && c != ',').unwrap_or(self.text.len());
            self.take(blank);
            if !self.text.starts_with("/*") {
                return Ok(());
            }
            let end = self.text[2..].find("*/").ok_or_else(|| self.error("a comment without an end"))?;
            self.take(end + 4);
        }
    }

    fn next(&mut self) -> Result<Option<Token>, ScriptError> {
        self.skip()?;
        let Some(first) = self.text.chars().next() else {
            return Ok(None);
        };
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ';' => Some(Token::Semicolon),
            _ => None,
        };
        if single.is_some() {
            self.take(1);
            return Ok(single);
        }
        if first == '"' {
            let end = self.text[1..].find('"').ok_or_else(|| self.error("a quoted name without an end"))?;
            let quoted = self.take(end + 2);
            return Ok(Some(Token::Word(quoted[1..=end].to_string())));
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';' | '"');
        let end = self.text.find(ends).unwrap_or(self.text.len());
        Ok(Some(Token::Word(self.take(end).to_string())))
    }

    /// Reads the words in parentheses behind `statement`, those of an `AS_NEEDED` in them too.
    fn list(&mut self, statement: &str, add: &mut dyn FnMut(String)) -> Result<(), ScriptError> {
        if self.next()? != Some(Token::Open) {
            return Err(self.error(format!("{statement} without a list in parentheses")));
        }
        let mut nested = false;
        loop {
            match self.next()? {
                Some(Token::Word(word)) if word == "AS_NEEDED" && !nested => {
                    if self.next()? != Some(Token::Open) {
                        return Err(self.error("AS_NEEDED without a list in parentheses"));
                    }
                    nested = true;
                }
                Some(Token::Word(word)) => add(word),
                Some(Token::Close) if nested => nested = false,
                Some(Token::Close) => return Ok(()),
                Some(Token::Open) => return Err(self.error("a parenthesis in a list")),
                Some(Token::Semicolon) | None => return Err(self.error(format!("the list of {statement} has no end"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        let show = |input| match input {
            ScriptInput::File(name) => name,
            ScriptInput::Library(name) => format!("<{name}>"),
        };
        parse(text).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn files_are_listed_in_order() {
        for (text, expected) in [
            ("", &[][..]),
            ("INPUT(a.o)", &["a.o"]),
            ("INPUT ( a.o, b.o -lm )", &["a.o", "b.o", "<m>"]),
            ("GROUP(/lib/x.so.6 x.a AS_NEEDED ( ld.so ) z.a)", &["/lib/x.so.6", "x.a", "ld.so", "z.a"]),
            ("INPUT(-l:libx.a)", &["<:libx.a>"]),
            ("INPUT(\"with blank.a\")", &["with blank.a"]),
            ("OUTPUT_FORMAT(elf64-x86-64)\n/* GROUP(no) */ INPUT(a);INPUT(b)", &["a", "b"]),
            ("OUTPUT_FORMAT(\"elf\",\"big\", \"little\") GROUP(a/*b*/ c)", &["a/*b*/", "c"]),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn errors_name_their_line() {
        for (text, line, part) in [
            ("SECTIONS { }", 1, "SECTIONS is not supported"),
            ("INPUT(a)\nVERSION(1)", 2, "VERSION is not supported"),
            ("INPUT", 1, "INPUT without a list"),
            ("GROUP(a\n\nb", 3, "GROUP has no end"),
            ("GROUP(a AS_NEEDED b)", 1, "AS_NEEDED without a list"),
            ("GROUP(AS_NEEDED(a)", 1, "no end"),
            ("INPUT(a (b))", 1, "a parenthesis in a list"),
            ("\n/* ", 2, "a comment without an end"),
            ("INPUT(\"a)", 1, "a quoted name without an end"),
            (")", 1, "without a statement"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.line == line && error.what.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn every_truncation_is_read_or_refused() {
        let text = "/* c */ OUTPUT_FORMAT(elf64) GROUP ( /lib/é.so \"q\" AS_NEEDED ( -lm ) )";
        for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
            let files = parse(&text[..end]);
            assert!(files.is_err() || files.unwrap().len() <= 3);
        }
    }

    #[test]
    fn a_script_is_known_by_its_first_statement() {
        for (text, expected) in [
            (&b"/* GNU ld script */\nGROUP ( x )"[..], true),
            (b" INPUT(-lz)", true),
            (b"SECTIONS {}", false),
            (b"hello", false),
            (b"", false),
            (b"\x7fELF\x02", false),
            (b"/* \xff", false),
        ] {
            assert_eq!(is_script(text), expected, "{}", String::from_utf8_lossy(text));
        }
    }
}
