//! What can go wrong in a session.

use super::hints;
use crate::link::LinkError;
use crate::rt::executor::ExecutorError;
use crate::rt::memory::MemoryError;
use std::fmt;
use std::sync::Arc;

/// Most names that one message lists.
const MAX_NAMES: usize = 10;

/// An error of a session. Cheap to clone: everybody who waits for a batch that failed gets its error.
///
/// One word, as [`LinkError`] is.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionError(Arc<SessionErrorKind>);

/// What a [`SessionError`] is about.
#[derive(Debug, thiserror::Error)]
pub enum SessionErrorKind {
    /// A file is damaged, unsuitable, or its pieces do not fit.
    #[error(transparent)]
    Link(LinkError),
    /// A file could not be read.
    #[error("'{file}': {error}")]
    Input {
        /// The file.
        file: String,
        /// Why.
        error: String,
    },
    /// A file is not what it was when the program started.
    #[error(
        "'{0}' was overwritten while the program runs, so what of it is not linked yet cannot be linked any more; start the program again, and have \
         files that programs run from replaced (written elsewhere, then renamed), not overwritten"
    )]
    FileChanged(String),
    /// Two strong definitions of one symbol in one JITDylib.
    #[error("In {file}, duplicate definition of symbol '{symbol}' (first defined in {first})")]
    DuplicateDefinition {
        /// The file with the second one.
        file: String,
        /// The symbol.
        symbol: String,
        /// The file with the first one.
        first: String,
    },
    /// Symbols that nothing defines.
    #[error("Symbols not found:{}", MissingList(.0))]
    SymbolsNotFound(Vec<MissingSymbol>),
    /// An address that is no reentry trampoline.
    #[error("Reentry address {0:#x} not registered")]
    UnknownReentryAddress(u64),
    /// The target has no reentry trampolines.
    #[error("Architecture not supported: lazy linking on {0}")]
    LazinessUnsupported(&'static str),
    /// Something asked for the linking of lazy files without a runtime.
    #[error("Lazy linking requires the ORC runtime")]
    NoRuntime,
    /// The archive given as ORC runtime is none.
    #[error("Lazy linking requires the ORC runtime, but {name} does not define {missing}")]
    UnsuitableRuntime {
        /// The archive.
        name: String,
        /// What it lacks.
        missing: &'static str,
    },
    /// No memory.
    #[error("{0}")]
    Memory(MemoryError),
    /// The process that runs the program refused something.
    #[error("{0}")]
    Executor(ExecutorError),
}

impl SessionError {
    /// What it is about.
    pub fn kind(&self) -> &SessionErrorKind {
        &self.0
    }
}

impl From<SessionErrorKind> for SessionError {
    #[cold]
    fn from(kind: SessionErrorKind) -> SessionError {
        SessionError(Arc::new(kind))
    }
}

impl From<LinkError> for SessionError {
    #[cold]
    fn from(error: LinkError) -> SessionError {
        SessionErrorKind::Link(error).into()
    }
}

impl From<MemoryError> for SessionError {
    #[cold]
    fn from(error: MemoryError) -> SessionError {
        SessionErrorKind::Memory(error).into()
    }
}

impl From<ExecutorError> for SessionError {
    #[cold]
    fn from(error: ExecutorError) -> SessionError {
        SessionErrorKind::Executor(error).into()
    }
}

/// A symbol that nothing defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSymbol {
    /// Its linker-level name.
    pub name: String,
    /// The file that refers to it; `None` if it is the caller of the session that asked for it.
    pub referrer: Option<String>,
}

struct MissingList<'a>(&'a [MissingSymbol]);

impl fmt::Display for MissingList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(MAX_NAMES)];
        let more = self.0.len() - shown.len();
        let names: Vec<&str> = shown.iter().map(|s| s.name.as_str()).collect();
        write!(f, " [ {}", names.join(", "))?;
        if more > 0 {
            write!(f, ", and {more} more")?;
        }
        f.write_str(" ]")?;
        for symbol in shown {
            if let Some(file) = &symbol.referrer {
                write!(f, "\n  {} is referred to by {file}", symbol.name)?;
            }
        }
        for symbol in shown {
            if let Some(facility) = hints::facility_of(&symbol.name) {
                write!(f, "\n  {} is part of {facility}, which only Apple's systems have", symbol.name)?;
            }
        }
        // Of all, not of those that are shown.
        let mut libraries: Vec<&str> = self.0.iter().filter_map(|s| hints::library_of(&s.name)).collect();
        libraries.sort_unstable();
        libraries.dedup();
        if !libraries.is_empty() {
            write!(f, "\n  try -l{}", libraries.join(" -l"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(count: usize) -> String {
        let symbol = |n| MissingSymbol { name: format!("s{n}"), referrer: (n % 2 == 0).then(|| format!("f{n}.o")) };
        SessionErrorKind::SymbolsNotFound((0..count).map(symbol).collect()).to_string()
    }

    #[test]
    fn missing_symbols_name_their_files() {
        assert_eq!(missing(2), "Symbols not found: [ s0, s1 ]\n  s0 is referred to by f0.o");
    }

    #[test]
    fn libraries_are_proposed_once_each() {
        let symbol = |name: &str| MissingSymbol { name: name.into(), referrer: None };
        let missing = ["sin", "deflate", "s", "cos"].map(symbol).to_vec();
        let message = SessionErrorKind::SymbolsNotFound(missing).to_string();
        assert_eq!(message, "Symbols not found: [ sin, deflate, s, cos ]\n  try -lm -lz");
    }

    #[test]
    fn at_most_ten_names_are_listed() {
        assert!(missing(10).lines().next().unwrap().ends_with(", s9 ]"));
        assert!(missing(13).lines().next().unwrap().ends_with(", s9, and 3 more ]"));
        assert_eq!(missing(13).lines().count(), 6);
    }
}
