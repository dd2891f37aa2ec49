//! Numbers for what a session holds many of.

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

id!(
    /// A JITDylib of a session.
    pub DylibId
);
id!(
    /// A materialization unit of a session.
    pub(super) UnitId
);
id!(
    /// A symbol of one JITDylib.
    pub(super) EntryId
);
id!(
    /// Entry points of a session that are made together.
    pub(super) EntryPointsId
);
id!(
    /// An archive given to a session.
    pub(super) ArchiveId
);
/// A batch of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct BatchId(pub(super) u32);

id!(
    /// A set of sections that `__start_` and `__stop_` symbols bracket.
    pub(super) SetId
);
