//! Rules, evaluated while they are read.
//!
//! Inside of a load, a symbol where nothing is linked counts as 0, and what is loaded from address 0 is 0: so a rule may load from
//! an absolute symbol as it may from zeroes.
//!
//! As in llvm-jitlink, white space may stand behind names, parentheses, brackets and operators, but not behind a number.

use super::instruction::{self, Operand};
use super::linked_code::LinkedCode;
use crate::base::Arch;

/// What a number of rules expects in a place, in messages.
const OPERAND: &str = "expected '(', '*', identifier, or number";

/// Greatest depth of parentheses and loads.
const MAX_DEPTH: u32 = 256;

/// Evaluates `rule`.
///
/// Errors: a message that quotes it, and says what is wrong with it or which two values differ.
pub(super) fn check(rule: &str, linked: &LinkedCode, arch: Arch) -> Result<(), String> {
    let evaluate = |side: &str| {
        let side = side.trim();
        Evaluator { linked, arch, rest: side, depth: 0 }
            .whole(side)
            .map_err(|message| format!("Error evaluating expression '{rule}': {message}"))
    };
    let Some((left, right)) = rule.split_once('=') else {
        return evaluate(rule).map(|_| ());
    };
    let (left, right) = (evaluate(left)?, evaluate(right)?);
    if left == right { Ok(()) } else { Err(format!("Expression '{rule}' is false: {left:#x} != {right:#x}")) }
}

type Result<T, E = String> = std::result::Result<T, E>;

struct Evaluator<'a> {
    linked: &'a LinkedCode,
    arch: Arch,
    /// What has not been read yet.
    rest: &'a str,
    depth: u32,
}

#[derive(Clone, Copy)]
enum Operator {
    Add,
    Subtract,
    And,
    Or,
    ShiftLeft,
    ShiftRight,
}

impl Operator {
    const ALL: [(&'static str, Operator); 6] = [
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("&", Operator::And),
        ("|", Operator::Or),
        ("<<", Operator::ShiftLeft),
        (">>", Operator::ShiftRight),
    ];

    fn apply(self, left: u64, right: u64) -> u64 {
        match self {
            Operator::Add => left.wrapping_add(right),
            Operator::Subtract => left.wrapping_sub(right),
            Operator::And => left & right,
            Operator::Or => left | right,
            Operator::ShiftLeft => left.wrapping_shl(right as u32),
            Operator::ShiftRight => left.wrapping_shr(right as u32),
        }
    }
}

impl<'a> Evaluator<'a> {
    fn whole(mut self, side: &str) -> Result<u64> {
        let value = self.expression(false)?;
        if self.rest.is_empty() { Ok(value) } else { Err(unexpected(self.rest, side, "")) }
    }

    fn expression(&mut self, in_load: bool) -> Result<u64> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("Expression nested too deeply".into());
        }
        let mut value = self.operand(in_load)?;
        while let Some(operator) = self.operator() {
            value = operator.apply(value, self.operand(in_load)?);
        }
        self.depth -= 1;
        Ok(value)
    }

    fn operator(&mut self) -> Option<Operator> {
        let (text, operator) = Operator::ALL.into_iter().find(|(text, _)| self.rest.starts_with(text))?;
        self.rest = self.rest[text.len()..].trim_start();
        Some(operator)
    }

    fn operand(&mut self, in_load: bool) -> Result<u64> {
        let value = match self.rest.chars().next() {
            None => return Err("Unexpected end of expression".into()),
            Some('(') => {
                let all = self.rest;
                self.skip(1);
                let value = self.expression(in_load)?;
                self.expect_of(')', all)?;
                value
            }
            Some('*') => self.load()?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name(in_load)?,
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some(_) => return Err(unexpected(self.rest, self.rest, OPERAND)),
        };
        if self.rest.starts_with('[') { self.slice(value) } else { Ok(value) }
    }

    /// `[high:low]` of `value`.
    fn slice(&mut self, value: u64) -> Result<u64> {
        self.skip(1);
        let high = self.number()?;
        self.expect(':')?;
        let low = self.number()?;
        self.expect(']')?;
        let width = high.wrapping_sub(low).wrapping_add(1);
        let mask = 1u64.wrapping_shl(width as u32).wrapping_sub(1);
        Ok(value.wrapping_shr(low as u32) & mask)
    }

    fn load(&mut self) -> Result<u64> {
        self.skip(1);
        if !self.rest.starts_with('{') {
            return Err("Expected '{' following '*'.".into());
        }
        self.skip(1);
        let size = self.number()?;
        if !(1..=8).contains(&size) {
            return Err("Invalid size for dereference.".into());
        }
        if !self.rest.starts_with('}') {
            return Err("Missing '}' for dereference.".into());
        }
        self.skip(1);
        let address = self.expression(true)?;
        if address == 0 {
            return Ok(0);
        }
        self.linked
            .load(address, size)
            .ok_or_else(|| format!("Nothing is linked at {address:#x}, from where {size} bytes are to be loaded"))
    }

    fn name(&mut self, in_load: bool) -> Result<u64> {
        let name = self.symbol();
        match name {
            "decode_operand" => self.decode_operand(),
            "next_pc" => self.next_pc(in_load),
            "stub_addr" | "got_addr" => self.table_entry(name == "stub_addr"),
            "section_addr" => self.section_address(),
            _ => self.address(name, in_load).ok_or_else(|| {
                let advice = if name.starts_with('L') {
                    " (this appears to be an assembler local label -  perhaps drop the 'L'?)"
                } else {
                    ""
                };
                format!("No known address for symbol '{name}'{advice}")
            }),
        }
    }

    fn address(&self, name: &str, in_load: bool) -> Option<u64> {
        let known = self.linked.symbol(name)?;
        Some(if in_load && !known.has_content { 0 } else { known.address })
    }

    fn decode_operand(&mut self) -> Result<u64> {
        self.open()?;
        let (name, address) = self.code_symbol()?;
        let mut offset = 0;
        if !self.rest.starts_with(',') {
            match self.operator() {
                Some(Operator::Add) => {
                    if !self.rest.starts_with(|c: char| c.is_ascii_digit()) {
                        return Err(unexpected("", "", "expected ','"));
                    }
                    offset = self.number()?;
                }
                Some(_) => {
                    return Err(unexpected(self.rest, self.rest, "expected '+' for offset or ',' if no offset"));
                }
                None => {}
            }
        }
        self.expect(',')?;
        let index = self.number()?;
        self.expect(')')?;
        let decoded = self.decode(name, address.wrapping_add(offset))?;
        match usize::try_from(index).ok().and_then(|index| decoded.operands.get(index)) {
            Some(Operand::Immediate(value)) => Ok(*value as u64),
            Some(Operand::Register(_)) => Err(format!(
                "Operand '{index}' of instruction '{name}' is not an immediate.\nInstruction is:\n  {decoded}"
            )),
            None => Err(format!(
                "Invalid operand index '{index}' for instruction '{name}'. Instruction has only {} operands.\n\
                 Instruction is:\n  {decoded}",
                decoded.operands.len()
            )),
        }
    }

    fn next_pc(&mut self, in_load: bool) -> Result<u64> {
        self.open()?;
        let (name, address) = self.code_symbol()?;
        self.expect(')')?;
        let size = self.decode(name, address)?.size;
        Ok(self.address(name, in_load).unwrap_or(address).wrapping_add(size))
    }

    fn code_symbol(&mut self) -> Result<(&'a str, u64)> {
        let name = self.symbol();
        let address = self.address(name, false).ok_or_else(|| format!("Cannot decode unknown symbol '{name}'"))?;
        Ok((name, address))
    }

    fn decode(&self, name: &str, address: u64) -> Result<instruction::Instruction> {
        self.linked
            .content(address)
            .and_then(|bytes| instruction::decode(self.arch, bytes))
            .ok_or_else(|| format!("Couldn't decode instruction at '{name}'"))
    }

    fn table_entry(&mut self, stub: bool) -> Result<u64> {
        let (all, file) = self.open_with_file()?;
        let name = self.symbol();
        let mut kind = "";
        if self.rest.starts_with(',') {
            self.skip(1);
            kind = self.up_to_parenthesis(all)?;
        }
        self.expect_of(')', all)?;
        let file_name = file;
        let file = self.linked.file(file_name)?;
        let (table, what) = if stub { (&file.stubs, "stub") } else { (&file.got, "GOT entry") };
        let address = table
            .get(name)
            .ok_or_else(|| format!("RTDyldChecker: no {what} for \"{name}\" registered for file \"{file_name}\""))?;
        if stub && !kind_matches(kind)? {
            return Err(format!(
                "RTDyldChecker: \"{name}\" has 1 stubs in file \"{file_name}\", but none of them matches the stub-kind filter \
                 \"{kind}\" (all encountered kinds are \"{STUB_KIND}\")."
            ));
        }
        Ok(*address)
    }

    fn section_address(&mut self) -> Result<u64> {
        let (all, file_name) = self.open_with_file()?;
        let section = self.up_to_parenthesis(all)?;
        self.expect(')')?;
        let file = self.linked.file(file_name)?;
        file.sections
            .get(section)
            .copied()
            .ok_or_else(|| format!("RTDyldChecker: no section \"{section}\" registered for file \"{file_name}\""))
    }

    /// Reads `(` and a file's name up to a comma; also answers all that is left from the parenthesis on.
    fn open_with_file(&mut self) -> Result<(&'a str, &'a str)> {
        let all = self.rest;
        self.open()?;
        let (file, rest) = self.rest.split_once(',').ok_or_else(|| unexpected("", all, "expected ','"))?;
        self.rest = rest.trim_start();
        Ok((all, file.trim_end()))
    }

    fn up_to_parenthesis(&mut self, all: &str) -> Result<&'a str> {
        let end = self.rest.find(')').ok_or_else(|| unexpected("", all, "expected ')'"))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(text.trim_end())
    }

    fn open(&mut self) -> Result<()> {
        self.expect('(')
    }

    /// Reads `c` and white space.
    fn expect(&mut self, c: char) -> Result<()> {
        self.expect_of(c, self.rest)
    }

    /// Reads `c` and white space; a message quotes `all`.
    fn expect_of(&mut self, c: char, all: &str) -> Result<()> {
        if !self.rest.starts_with(c) {
            return Err(unexpected(self.rest, all, &format!("expected '{c}'")));
        }
        self.skip(c.len_utf8());
        Ok(())
    }

    fn symbol(&mut self) -> &'a str {
        let (name, rest) = self.rest.split_at(symbol_length(self.rest));
        self.rest = rest.trim_start();
        name
    }

    fn number(&mut self) -> Result<u64> {
        let length = number_length(self.rest);
        if length == 0 {
            return Err(unexpected(self.rest, self.rest, "expected number"));
        }
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
            None => (text, 10),
        };
        u64::from_str_radix(digits, radix).map_err(|_| format!("'{text}' is no number of at most 64 bits"))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }
}

/// What kind all stubs are: only 32-bit Arm has several.
const STUB_KIND: &str = "<unknown>";

fn kind_matches(filter: &str) -> Result<bool> {
    let regex =
        regex_lite::Regex::new(filter).map_err(|error| format!("Invalid stub-kind filter \"{filter}\": {error}"))?;
    Ok(filter.is_empty() || regex.is_match(STUB_KIND))
}

fn symbol_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && !":_.$".contains(c)).unwrap_or(text.len())
}

fn number_length(text: &str) -> usize {
    let end = |text: &str, other: fn(char) -> bool| text.find(other).unwrap_or(text.len());
    match text.strip_prefix("0x") {
        Some(digits) => 2 + end(digits, |c| !c.is_ascii_hexdigit()),
        None => end(text, |c| !c.is_ascii_digit()),
    }
}

/// The message about what stands at the start of `rest`, while `all` was being read.
fn unexpected(rest: &str, all: &str, expected: &str) -> String {
    let length = match rest.chars().next() {
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => symbol_length(rest),
        Some(c) if c.is_ascii_digit() => number_length(rest),
        Some(_) if rest.starts_with("<<") || rest.starts_with(">>") => 2,
        Some(c) => c.len_utf8(),
    };
    let mut message = format!("Encountered unexpected token '{}'", &rest[..length]);
    if !all.is_empty() {
        message += &format!(" while parsing subexpression '{all}'");
    }
    if !expected.is_empty() {
        message += &format!(" {expected}");
    }
    message
}
