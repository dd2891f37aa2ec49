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
    /// A checker that knows of nothing yet.
    pub(super) fn new() -> Checker {
        Checker { linked: Arc::new(Mutex::new(LinkedCode::default())) }
    }

    /// What tells the checker what is linked; for the session's options.
    pub(super) fn recorder(&self) -> Box<dyn Plugin> {
        Box::new(recorder::Recorder(self.linked.clone()))
    }

    /// Makes `name`, a symbol at an address of the user's, known to rules.
    pub(super) fn define_absolute(&self, name: &str, address: u64) {
        self.linked.lock().unwrap_or_else(PoisonError::into_inner).define_absolute(name, address);
    }

    /// Evaluates the rules of `path` that begin with `name`, for code of `arch`; prints to stderr which do not hold.
    ///
    /// Errors: that the file cannot be read, has no rules, or has rules that do not hold.
    pub(super) fn run(&self, path: &Path, name: &str, arch: Arch) -> Result<()> {
        let text = fs::read(path).with_context(|| format!("'{}'", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = rules::read(&text, name);
        if rules.is_empty() {
            bail!("Some checks in {} failed: it has no line that begins with \"# {name}:\"", path.display());
        }
        let mut failed = false;
        for rule in rules {
            if let Err(message) = expression::check(&rule, &linked, arch) {
                eprintln!("{message}");
                failed = true;
            }
        }
        if failed {
            bail!("Some checks in {} failed", path.display());
        }
        Ok(())
    }
}
