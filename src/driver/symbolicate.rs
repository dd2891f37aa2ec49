//! `-symbolicate-with`: names for the addresses in backtraces.
//!
//! The table is what `-write-symtab` writes. Of each line of input one column counts: the last one, if that is a hexadecimal number, else
//! the first one that is a whole address, as in our own backtraces. If it is at or behind a symbol, the symbol is put behind the line.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

/// How far behind a symbol an address may be.
const REACH: u64 = 1 << 31;

/// How many characters a whole address has, with its prefix.
const WHOLE_ADDRESS: usize = 18;

/// Copies `inputs` (`-` is standard input) to stdout, with names out of `table`.
///
/// Errors: a file that cannot be read.
pub(super) fn run<'a>(table: &Path, inputs: impl Iterator<Item = &'a Path>) -> Result<()> {
    let symbols = Symbols::parse(&read(table)?);
    let mut out = std::io::stdout().lock();
    for input in inputs {
        for line in read(input)?.split('\n') {
            // A reader that went away has seen enough.
            if writeln!(out, "{}", symbols.annotate(line)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let text = read.with_context(|| format!("'{}'", path.display()))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.strip_suffix('\n').map(str::to_string).unwrap_or(text))
}

/// Symbols by address, each with its graph.
struct Symbols(BTreeMap<u64, (String, String)>);

impl Symbols {
    /// Reads a table; lines that are neither a graph nor a symbol are passed over.
    fn parse(text: &str) -> Symbols {
        let mut symbols = BTreeMap::new();
        let mut graph = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('"') {
                graph = name.strip_suffix('"').unwrap_or(name).to_string();
            } else if let Some((address, name)) = line.split_once(' ')
                && let Some(address) = hexadecimal(address)
            {
                symbols.insert(address, (name.trim().to_string(), graph.clone()));
            }
        }
        Symbols(symbols)
    }

    /// `line` with the symbol of its address, if there is one.
    fn annotate(&self, line: &str) -> String {
        let trimmed = line.trim_end();
        let named = trimmed.rsplit_once(char::is_whitespace).and_then(|(before, last)| {
            let whole = |column: &&str| column.len() == WHOLE_ADDRESS && column.starts_with("0x");
            let address = hexadecimal(last).or_else(|| hexadecimal(before.split_whitespace().find(whole)?))?;
            let (start, (name, graph)) = self.0.range(..=address).next_back()?;
            let offset = address - start;
            match offset {
                0 => Some(format!("{trimmed} {name} ({graph})")),
                _ if offset < REACH => Some(format!("{trimmed} {name} + {offset} ({graph})")),
                _ => None,
            }
        });
        named.unwrap_or_else(|| line.to_string())
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_names() {
        let symbols = Symbols::parse("\"a.o\"\n0x1000 main\n0x1010 foo bar\n\"b.o\"\n2000 g\nnothing\n");
        for (line, expected) in [
            ("#0 0x1000", "#0 0x1000 main (a.o)"),
            ("#0 1004  ", "#0 1004 main + 4 (a.o)"),
            ("x y 0x1011", "x y 0x1011 foo bar + 1 (a.o)"),
            ("f 0x2001", "f 0x2001 g + 1 (b.o)"),
            ("0x1000", "0x1000"),
            ("f 0xfff", "f 0xfff"),
            ("f 0x80002000", "f 0x80002000"),
            ("#1 0x0000000000001004 in main + 0x4 (a.o)", "#1 0x0000000000001004 in main + 0x4 (a.o) main + 4 (a.o)"),
            ("no address", "no address"),
            ("", ""),
        ] {
            assert_eq!(symbols.annotate(line), expected);
        }
    }
}
