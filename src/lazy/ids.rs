//! Numbers for what a session holds many of.

use std::num::NonZeroU32;

macro_rules! id {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        $vis struct $name(pub(super) u32);
        impl $name {
            /// The number as an index.
            pub(super) fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// The same for what is mostly there or not: an `Option` of it is no larger.
macro_rules! optional_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub(super) struct $name(NonZeroU32);
        impl $name {
            /// The one at `index`, which is below 2^32 - 1.
            pub(super) const fn at(index: usize) -> $name {
                match NonZeroU32::new((index as u32).wrapping_add(1)) {
                    Some(number) => $name(number),
                    None => panic!("more things than there are numbers for"),
                }
            }

            /// The number as an index.
            pub(super) fn index(self) -> usize {
                self.number() as usize
            }

            /// The number.
            pub(super) fn number(self) -> u32 {
                self.0.get() - 1
            }
        }
    };
}

optional_id!(
    /// A materialization unit of a session.
    UnitId
);
optional_id!(
    /// An archive given to a session.
    ArchiveId
);
id!(
    /// A JITDylib of a session.
    pub DylibId
);
id!(
    /// A symbol of one JITDylib.
    pub(super) EntryId
);
id!(
    /// Entry points of a session that are made together.
    pub(super) EntryPointsId
);
/// A batch of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct BatchId(pub(super) u32);

id!(
    /// A set of sections that `__start_` and `__stop_` symbols bracket.
    pub(super) SetId
);
