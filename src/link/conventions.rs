//! What the systems that use an object format agree on beyond the format itself: the names that linkers define, the names of the
//! runtime, and how a name of a file becomes one of the process.
//!
//! Files that name no format ask [`super::conventions()`] for these, once; each format's folder has its own.

use std::borrow::Cow;
use std::fmt::Debug;

/// The conventions of one object format. Implementations hold no state.
pub trait Conventions: Sync + Debug {
    /// The name under which a program defines `name`, which a file spells with all that its format can add to a name.
    fn definition_name<'a>(&self, name: &'a [u8]) -> &'a [u8];

    /// What the process calls the symbol that a file calls `name`; `None` if the process can have no such symbol.
    fn process_symbol<'a>(&self, name: &'a [u8]) -> Option<ProcessSymbol<'a>>;

    /// What the linker itself defines when something refers to `name`, before the process is asked.
    fn linker_defined(&self, name: &'static [u8]) -> Option<LinkerDefined>;

    /// What the linker defines as `name` if nothing else does.
    fn fallback(&self, name: &[u8]) -> Option<Fallback>;

    /// The names of the ORC runtime's symbols.
    fn runtime(&self) -> &'static RuntimeSymbols;

    /// The names of the sections and symbols that the linker adds.
    fn synthesized(&self) -> &'static SynthesizedNames;
}

/// A symbol of the process: what `dlsym` is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessSymbol<'a> {
    /// Its name in C.
    pub name: &'a [u8],
    /// The version asked for, where the format has such.
    pub version: Option<&'a [u8]>,
}

/// A symbol that the linker defines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkerDefined {
    /// An address in the JITDylib's own memory that tells it from others.
    DsoHandle,
    /// The start of the global offset table.
    GotBase,
    /// The start of the module's thread-local memory.
    ThreadLocalBase,
    /// The first address of all sections of a name, or with `end` the first address behind them.
    SectionBound {
        /// The sections' name.
        section: Cow<'static, [u8]>,
        /// Which of the two.
        end: bool,
    },
}

/// Where a symbol is that the linker defines for want of another definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FallbackPlace {
    /// Nowhere: it is null.
    Null,
    /// At an address in the JITDylib's own memory.
    Handle,
    /// At the first address of linked memory.
    MemoryStart,
    /// At the first address behind linked memory.
    MemoryEnd,
}

/// A symbol that the linker defines if nothing else does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fallback {
    /// Where it is.
    pub place: FallbackPlace,
    /// Whether the name is reserved for the linker: that a library has it would be by chance.
    pub reserved: bool,
}

/// The linker-level names of the ORC runtime's symbols.
#[derive(Debug)]
pub struct RuntimeSymbols {
    /// What all of the runtime's names begin with: a program may replace those symbols.
    pub prefix: &'static [u8],
    /// The function by which the runtime calls the session.
    pub dispatch: &'static [u8],
    /// The symbol whose address is that function's context.
    pub dispatch_context: &'static [u8],
    /// The function that reentry trampolines call.
    pub reentry: &'static [u8],
    /// The tag by which the runtime asks for a function's implementation.
    pub resolve_tag: &'static [u8],
    /// Other names of the runtime's symbols, and those symbols: `standardLazyCompilationAliases`, for archives that leave them to the
    /// linker.
    pub aliases: &'static [(&'static [u8], &'static [u8])],
}

/// Names that the linker gives to what it makes.
#[derive(Debug)]
pub struct SynthesizedNames {
    /// The section of call frame records.
    pub unwind_section: &'static [u8],
    /// The section of [`SynthesizedNames::dso_handle`].
    pub dso_handle_section: &'static [u8],
    /// The variable that tells a JITDylib from others.
    pub dso_handle: &'static [u8],
    /// What a file's code calls its global offset table; empty if it has no name.
    pub got: &'static [u8],
}
