//! What linked memory may be used for.

/// Protection of linked memory while the program runs. Writable and executable at once cannot be said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MemProt {
    /// `r--`: constants, unwind tables, data that only relocations write.
    Read,
    /// `r-x`: code.
    ReadExec,
    /// `rw-`: data.
    ReadWrite,
}

impl MemProt {
    /// Every protection, in the order segments of a batch are laid out.
    pub const ALL: [MemProt; 3] = [MemProt::Read, MemProt::ReadExec, MemProt::ReadWrite];

    /// Its place in [`MemProt::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for MemProt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MemProt::Read => "r--",
            MemProt::ReadExec => "r-x",
            MemProt::ReadWrite => "rw-",
        })
    }
}
