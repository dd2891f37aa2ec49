//! `-check`: rules about linked code, written beside its source, evaluated once everything is linked and before anything runs.
//!
//! A rule is a comment that begins with `# jitlink-check:` (`-check-name` gives another word) and goes on in the next line behind a
//! backslash ([`rules`]). It compares two expressions ([`expression`]):
//!
//! ```text
//! rule       = expression [ "=" expression ]
//! expression = operand { operator operand }        from left to right, no precedence; operator = + - & | << >>
//! operand    = ( "(" expression ")" | load | name | number ) [ "[" high ":" low "]" ]
//! load       = "*" "{" size "}" expression         `size` bytes, little-endian; takes all of the expression that follows
//! name       = symbol
//!            | "decode_operand(" symbol [ "+" number ] "," number ")"
//!            | "next_pc(" symbol ")"
//!            | "stub_addr(" file "," symbol [ "," kind ] ")" | "got_addr(" file "," symbol ")"
//!            | "section_addr(" file "," section ")"
//! ```
//!
//! Numbers are unsigned, of 64 bits, and wrap. What linked code is made of is recorded by a plugin while it is linked ([`recorder`],
//! [`linked_code`]); instructions are decoded with LLVM's numbering of operands ([`instruction`]).

mod expression;
#[cfg(test)]
mod expression_tests;
mod instruction;
mod linked_code;
mod recorder;
mod rules;

use self::linked_code::LinkedCode;
use crate::base::Arch;
use crate::cli::{CommandLine, Options};
use crate::lazy::Plugin;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Checks of one session: what it has linked, and what must hold of it.
pub(super) struct Checker {
    linked: Arc<Mutex<LinkedCode>>,
}

impl Checker {
    /// A checker for what `command` asks to be checked, which knows of its absolute symbols only; `None` if it asks for nothing.
    pub(super) fn for_command(command: &CommandLine) -> Option<Checker> {
        if command.options.check.is_empty() {
            return None;
        }
        let mut linked = LinkedCode::default();
        for (_, definition) in &command.plan.definitions {
            linked.define_absolute(&definition.name, definition.address);
        }
        Some(Checker { linked: Arc::new(Mutex::new(linked)) })
    }

    /// What tells the checker what is linked; for the session's options.
    pub(super) fn recorder(&self) -> Box<dyn Plugin> {
        Box::new(recorder::Recorder(self.linked.clone()))
    }

    /// Evaluates the rules of the files that `options` name, for code of `arch`, up to the first file with rules that do not hold;
    /// prints those to stderr.
    ///
    /// Errors: a file that cannot be read, has no rules, or has rules that do not hold.
    pub(super) fn run(&self, options: &Options, arch: Arch) -> Result<()> {
        let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        options.check.iter().try_for_each(|path| check_file(path, &options.check_name, &linked, arch))
    }
}

fn check_file(path: &Path, name: &str, linked: &LinkedCode, arch: Arch) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("'{}'", path.display()))?;
    let rules = rules::read(&String::from_utf8_lossy(&text), name);
    if rules.is_empty() {
        bail!("Some checks in {} failed: it has no line that begins with \"# {name}:\"", path.display());
    }
    let mut failed = false;
    for rule in rules {
        if let Err(message) = expression::check(&rule, linked, arch) {
            eprintln!("{message}");
            failed = true;
        }
    }
    if failed {
        bail!("Some checks in {} failed", path.display());
    }
    Ok(())
}
