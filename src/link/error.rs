//! What can be wrong with an input or with the way its pieces fit.

use super::arch::FixupError;
use std::fmt;

/// Result of anything in the link layer.
pub type Result<T> = std::result::Result<T, LinkError>;

/// An error about one file or one graph, complete enough to be printed as it is: it names the file and the place in it.
///
/// One word, because nearly every function can answer one, and nearly none does: see [`LinkError::kind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct LinkError(Box<LinkErrorKind>);

/// What a [`LinkError`] is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkErrorKind {
    /// The file is damaged: something in it points outside it, or contradicts itself.
    #[error("In {file}, {place}: {what}")]
    Malformed {
        /// The file or archive member.
        file: String,
        /// Where in it: `section .text`, `symbol 7`, `archive header at offset 0x44`.
        place: String,
        /// What is wrong, and what to do about it where that is known.
        what: String,
    },
    /// The file is no relocatable object or archive, or one for something else.
    #[error("{file} {what}")]
    Unsuitable {
        /// The file.
        file: String,
        /// Why it cannot be used.
        what: String,
    },
    /// A relocation that cannot be expressed as an edge.
    #[error("In {file}, section {section}, offset {offset:#x}: {what}")]
    Relocation {
        /// The file or archive member.
        file: String,
        /// The section the relocation applies to.
        section: String,
        /// Byte offset in that section.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A call frame record that refers to what is not there. The words that JITLink has for it come first.
    #[error("{what} (in {file}, section {section}, offset {offset:#x})")]
    CallFrame {
        /// What is wrong.
        what: String,
        /// The file or archive member.
        file: String,
        /// The section with the record.
        section: String,
        /// Byte offset in that section.
        offset: u64,
    },
    /// A fixup that could not be applied.
    #[error(transparent)]
    Fixup(FailedFixup),
}

/// A fixup that could not be applied: everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFixup {
    /// The graph.
    pub graph: String,
    /// The section of the block.
    pub section: String,
    /// Name of the edge kind.
    pub kind: &'static str,
    /// Name of the target symbol.
    pub target: String,
    /// Address of the target.
    pub target_address: u64,
    /// What is added to it.
    pub addend: i64,
    /// Address of the place.
    pub address: u64,
    /// Name of the symbol that the place is behind, in the same block; empty if there is none.
    pub place: String,
    /// Address of that symbol, or of the block.
    pub place_address: u64,
    /// What is wrong.
    pub error: FixupError,
    /// What to do about it; may be empty.
    pub advice: &'static str,
}

impl fmt::Display for FailedFixup {
    /// In JITLink's words where it has them, as of LLVM 22.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FailedFixup { graph, section, kind, error, advice, .. } = self;
        write!(f, "In graph {graph}, section {section}: ")?;
        let relation = match error {
            FixupError::OutOfRange { .. } => "out of range of",
            FixupError::Misaligned { .. } => "not aligned for",
            FixupError::WrongInstruction { .. } | FixupError::OutsideBlock => {
                write!(f, "{error} ({kind} fixup to {} at address ", self.target)?;
                self.write_place(f)?;
                return write!(f, "){advice}");
            }
        };
        self.write_target(f)?;
        write!(f, " is {relation} {kind} fixup at address ")?;
        self.write_place(f)?;
        write!(f, ": {error}{advice}")
    }
}

impl FailedFixup {
    fn write_target(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FailedFixup { target, target_address, addend, .. } = self;
        let value = target_address.wrapping_add_signed(*addend);
        write!(f, "relocation target {value:#x} ")?;
        match addend {
            0 => write!(f, "({target})"),
            _ => write!(f, "with addend {addend:#x} ({target}:{target_address:#x} + {addend:#x})"),
        }
    }

    fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FailedFixup { address, place, place_address, .. } = self;
        let distance = address.wrapping_sub(*place_address);
        match &**place {
            "" => write!(f, "{address:#x} (<anonymous block> @ {place_address:#x} + {distance:#x})"),
            name => write!(f, "{address:#x} ({name}, {place_address:#x} + {distance:#x})"),
        }
    }
}

impl std::error::Error for FailedFixup {}

impl From<LinkErrorKind> for LinkError {
    #[cold]
    fn from(kind: LinkErrorKind) -> LinkError {
        LinkError(Box::new(kind))
    }
}

impl LinkError {
    /// What it is about.
    pub fn kind(&self) -> &LinkErrorKind {
        &self.0
    }

    /// The fixup that it is about, if it is about one.
    pub(crate) fn fixup_mut(&mut self) -> Option<&mut FailedFixup> {
        match &mut *self.0 {
            LinkErrorKind::Fixup(failed) => Some(failed),
            _ => None,
        }
    }

    /// A [`LinkErrorKind::Malformed`].
    #[cold]
    pub fn malformed(file: impl fmt::Display, place: impl fmt::Display, what: impl fmt::Display) -> LinkError {
        LinkErrorKind::Malformed { file: file.to_string(), place: place.to_string(), what: what.to_string() }.into()
    }

    /// A [`LinkErrorKind::CallFrame`] about the record at `offset` of `section`.
    #[cold]
    pub fn call_frame(file: &str, section: &[u8], offset: usize, what: impl fmt::Display) -> LinkError {
        let section = String::from_utf8_lossy(section).into_owned();
        LinkErrorKind::CallFrame { what: what.to_string(), file: file.to_string(), section, offset: offset as u64 }
            .into()
    }

    /// A [`LinkErrorKind::Unsuitable`].
    #[cold]
    pub fn unsuitable(file: impl fmt::Display, what: impl fmt::Display) -> LinkError {
        LinkErrorKind::Unsuitable { file: file.to_string(), what: what.to_string() }.into()
    }
}
