//! What can be wrong with an input or with the way its pieces fit.

use std::fmt;

/// Result of anything in the link layer.
pub type Result<T> = std::result::Result<T, LinkError>;

/// An error about one file or one graph, complete enough to be printed as it is: it names the file and the place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
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
    /// A fixup that could not be applied.
    #[error(transparent)]
    Fixup(Box<FailedFixup>),
}

/// A fixup that could not be applied: everything about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "In graph {graph}, section {section}: {what} (target {target} at {target_address:#x}, {kind} fixup at {address:#x}, \
     block {block:#x} + {offset:#x})"
)]
pub struct FailedFixup {
    /// The graph.
    pub graph: String,
    /// The section of the block.
    pub section: String,
    /// Name of the edge kind.
    pub kind: &'static str,
    /// Name of the target symbol.
    pub target: String,
    /// Address of the target including the addend.
    pub target_address: u64,
    /// Address of the place.
    pub address: u64,
    /// Address of the block.
    pub block: u64,
    /// Byte offset of the place in its block.
    pub offset: u32,
    /// What is wrong, and what to do.
    pub what: String,
}

impl LinkError {
    /// A [`LinkError::Malformed`].
    pub fn malformed(file: impl fmt::Display, place: impl fmt::Display, what: impl fmt::Display) -> LinkError {
        LinkError::Malformed { file: file.to_string(), place: place.to_string(), what: what.to_string() }
    }

    /// A [`LinkError::Unsuitable`].
    pub fn unsuitable(file: impl fmt::Display, what: impl fmt::Display) -> LinkError {
        LinkError::Unsuitable { file: file.to_string(), what: what.to_string() }
    }
}
