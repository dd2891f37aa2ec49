//! Which of several definitions counts.

use crate::link::Linkage;
use crate::link::object_file::{ObjectPlace, ObjectSymbol};

/// Which of two definitions is used: the greater one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Gives way to everything else.
    Weak,
    /// Gives way to a definition with content.
    Common,
    /// Gives way to nothing.
    Strong,
}

impl Rank {
    /// That of `symbol`.
    pub fn of(symbol: &ObjectSymbol) -> Rank {
        match (symbol.place, symbol.linkage) {
            (ObjectPlace::Common(_), _) => Rank::Common,
            (_, Linkage::Weak) => Rank::Weak,
            (_, Linkage::Strong) => Rank::Strong,
        }
    }
}
