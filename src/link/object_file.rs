//! A relocatable object file, read but not linked: what every format can be brought to.
//!
//! A section here is the smallest thing that can be linked by itself. Reading a file costs its section headers and its
//! symbol table; relocations are read section by section, when a section is linked ([`ObjectFile::edges`]).

use super::edge::EdgeKind;
use super::error::Result;
use super::file_view::FileView;
use super::graph::{Linkage, Scope};
use super::packed::{ObjectSections, ObjectSymbols};
use crate::base::{MemProt, Target};
use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;

/// A parsed relocatable object; immutable, shared by all threads. Borrows the mapped input.
#[derive(Debug)]
pub struct ObjectFile {
    /// The name messages use: the path as given, or `lib.a[3](member.o)`.
    pub name: String,
    /// What its code is for.
    pub target: Target,
    /// In the file's order, without those that only describe others, and cut up where the format does so; index 0 may be a placeholder.
    /// Behind those come zero-filled sections made for common symbols, one each.
    pub sections: ObjectSections,
    /// Indexed by the format's own symbol index; index 0 is a placeholder where the format counts from 1. A format whose relocations
    /// can do without symbols puts nameless ones behind those.
    pub symbols: ObjectSymbols,
    /// Sets of sections of which the program keeps one copy; none any more once a JITDylib has decided which.
    pub groups: Vec<SectionGroup>,
    /// The sections in those; see [`ObjectFile::members`].
    pub group_members: Vec<u32>,
    /// Reads relocations.
    pub format: Box<dyn ObjectFormat>,
}

/// The part of a format that outlives reading a file's tables.
pub trait ObjectFormat: Debug + Send + Sync {
    /// The relocations of section `section` of `file`, ascending by offset, as edges to symbols of the file.
    ///
    /// Errors: indexes, offsets or types out of range ([`super::LinkErrorKind::Relocation`]). Offsets are checked against the
    /// section's size, symbol indexes against [`ObjectFile::symbols`].
    fn edges(&self, file: &ObjectFile, section: u32, edges: &mut Vec<ObjectEdge>) -> Result<()>;

    /// The call frame records of section `section` of `file`, which is of kind [`SectionKind::Unwind`].
    ///
    /// They are the section's bytes and edges where the format keeps them in DWARF's form with all relocations. Errors as
    /// [`ObjectFormat::edges`].
    fn call_frames(&self, file: &ObjectFile, section: u32) -> Result<CallFrames> {
        let mut frames = CallFrames { content: file.sections.at(section as usize).content.into(), edges: Vec::new() };
        self.edges(file, section, &mut frames.edges)?;
        Ok(frames)
    }

    /// The bytes that [`ObjectFormat::edges`] reads for `section`, or those of them that are easy to find: for who wants them in the cache.
    fn relocation_bytes(&self, _section: u32) -> &'static [u8] {
        &[]
    }

    /// Whether `file` has an edge for which `wanted` holds, as far as that can be said by looking at `budget` of its relocations, code before
    /// data; what was looked at is taken off `budget`. `wanted` is told the edge's kind, and whether it is sure to stay in its section.
    ///
    /// Relocations are looked at through `view`; if that is of copies, as far as they are among those.
    fn has_edge(
        &self,
        file: &ObjectFile,
        view: FileView<'_>,
        budget: &mut usize,
        wanted: &mut dyn FnMut(EdgeKind, bool) -> bool,
    ) -> bool;

    /// Whether section `section` can be left out if nothing refers to it: `false` if the file says that it has to stay.
    fn may_strip(&self, section: u32) -> bool {
        let _ = section;
        true
    }

    /// Whether the file asks for stacks whose contents can be executed, as GNU C's functions in functions do.
    fn wants_executable_stack(&self) -> bool {
        false
    }

    /// The names of the file's sections that are not among [`ObjectFile::sections`], because they only describe those. For those who look at
    /// what is in the file.
    fn tables(&self) -> Vec<&'static [u8]> {
        Vec::new()
    }

    /// The operating system that the file says it is for, as triples spell it; empty if it does not say, or its target does.
    fn operating_system(&self) -> &'static str {
        ""
    }

    /// The sections of `file` that hold debug information (DWARF), which linking leaves out; none for a format of which nobody
    /// has read any.
    ///
    /// Errors: those of reading them and their relocations.
    fn debug_sections(&self, file: &ObjectFile) -> Result<Vec<DebugSection>> {
        let _ = file;
        Ok(Vec::new())
    }
}

/// A section of debug information, before relocation.
#[derive(Clone, Debug)]
pub struct DebugSection {
    /// Index into [`ObjectFile::sections`].
    pub section: u32,
    /// Its name as DWARF calls it: `.debug_info`.
    pub name: &'static [u8],
    /// Its bytes.
    pub content: Vec<u8>,
    /// Its relocations, ascending by offset.
    pub edges: Vec<ObjectEdge>,
}

impl ObjectFile {
    /// The sections in `group`, one of the file's.
    pub fn members(&self, group: &SectionGroup) -> &[u32] {
        &self.group_members[group.members.start as usize..group.members.end as usize]
    }

    /// The relocations of section `section` as edges; see [`ObjectFormat::edges`].
    pub fn edges(&self, section: u32, edges: &mut Vec<ObjectEdge>) -> Result<()> {
        self.format.edges(self, section, edges)
    }

    /// The triple that LLVM makes of the file: `x86_64--`, `x86_64--freebsd`.
    pub fn triple(&self) -> String {
        format!("{}{}", self.target, self.format.operating_system())
    }

    /// See [`ObjectFormat::debug_sections`].
    pub fn debug_sections(&self) -> Result<Vec<DebugSection>> {
        self.format.debug_sections(self)
    }

    /// See [`ObjectFormat::has_edge`].
    pub fn has_edge(
        &self,
        view: FileView<'_>,
        budget: &mut usize,
        wanted: &mut dyn FnMut(EdgeKind, bool) -> bool,
    ) -> bool {
        self.format.has_edge(self, view, budget, wanted)
    }

    /// The file itself, to be looked at where it is.
    pub fn view(&self) -> FileView<'static> {
        FileView::of(self.symbols.file())
    }
}

/// An edge whose target is a symbol of the file, not yet of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectEdge {
    /// Where in the section, in bytes.
    pub offset: u32,
    /// What is computed.
    pub kind: EdgeKind,
    /// Index into [`ObjectFile::symbols`].
    pub symbol: u32,
    /// `A` of the formulas.
    pub addend: i64,
    /// Whether `T` of the formulas is the target's offset in its module's thread-local memory, in the place of the one from the thread
    /// pointer: the two are the same wherever the module's memory is relaxed to begin at the thread pointer.
    pub in_module: bool,
}

/// Call frame records in DWARF's form; see [`super::unwind`].
#[derive(Debug, Default)]
pub struct CallFrames {
    /// The records, one behind another.
    pub content: Cow<'static, [u8]>,
    /// Their relocations, ascending by offset. The first address in a frame description entry has one, unless its code is gone.
    pub edges: Vec<ObjectEdge>,
}

/// What a section is to the linker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SectionKind {
    /// Not part of the running program: debug information, notes for tools, tables of the file itself.
    Unloaded,
    /// Code or data.
    Loaded,
    /// The memory of one common symbol, if no other file's is used.
    Common,
    /// Call frame records; linked record by record with the code they describe (see [`super::unwind`]).
    Unwind,
    /// Thread-local data.
    ThreadLocal,
    /// Pointers to functions to be called before `main`.
    Initializers(InitializerOrder),
    /// Pointers to functions to be called at exit.
    Finalizers(InitializerOrder),
    /// A piece of the function that is called before those (`.init`): code that is run from its start to its end.
    InitializerCode,
    /// A piece of the function that is called after those (`.fini`).
    FinalizerCode,
}

impl SectionKind {
    /// Whether the program starts with it, or ends: thread-local data, and all that is called before and after `main`.
    pub fn is_special(self) -> bool {
        match self {
            SectionKind::Unloaded | SectionKind::Loaded | SectionKind::Common | SectionKind::Unwind => false,
            SectionKind::ThreadLocal
            | SectionKind::Initializers(_)
            | SectionKind::Finalizers(_)
            | SectionKind::InitializerCode
            | SectionKind::FinalizerCode => true,
        }
    }
}

/// When the functions of an initializer section are called, relative to those of others; ascending.
/// Finalizers run in the opposite order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InitializerOrder {
    /// 0 for `.preinit_array`, which comes before everything, 1 for pieces of code, 2 for the rest.
    pub phase: u8,
    /// Constructor priority, 0 first; [`InitializerOrder::DEFAULT_PRIORITY`] if none was given.
    pub priority: u32,
    /// Whether the section's pointers are called last to first (`.ctors`).
    pub backwards: bool,
}

impl InitializerOrder {
    /// The priority of initializers that name none: after all that do.
    pub const DEFAULT_PRIORITY: u32 = 65536;
}

/// One section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectSection {
    /// Its name; not necessarily UTF-8.
    pub name: &'static [u8],
    /// What it is to the linker.
    pub kind: SectionKind,
    /// What its memory may be used for.
    pub prot: MemProt,
    /// Its bytes; shorter than `size` (empty) if zero-filled.
    pub content: &'static [u8],
    /// Its size in bytes.
    pub size: u64,
    /// Alignment in bytes, a power of two.
    pub align: u64,
    /// What its address leaves modulo `align`, in bytes: 0 unless it is a piece cut out of a greater section.
    pub align_offset: u32,
    /// The section without which this one is of no use: it is linked wherever that one is (`SHF_LINK_ORDER`).
    pub linked_to: Option<u32>,
}

impl ObjectSection {
    /// Whether it is zero-filled memory without content.
    pub fn is_zero_fill(&self) -> bool {
        self.content.is_empty() && self.size != 0
    }
}

/// What a symbol names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Code that answers with the address of the function to use (`STT_GNU_IFUNC`).
    IndirectFunction,
    /// A thread-local variable.
    ThreadLocal,
    /// Anything else.
    Data,
}

/// Where an object's symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectPlace {
    /// Somewhere else.
    Undefined,
    /// In section `index` of the file, `value` bytes from its start.
    Section(u32),
    /// At address `value`.
    Absolute,
    /// Zero-filled memory shared with all common symbols of that name; the file's own is section `index`, which holds nothing else.
    Common(u32),
    /// Where symbol `index` of the file is, which is defined nowhere in it: another name for another file's symbol.
    Alias(u32),
}

/// One symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectSymbol {
    /// Its linker-level name; empty for section symbols.
    pub name: &'static [u8],
    /// Where it is.
    pub place: ObjectPlace,
    /// Offset or address; see [`ObjectPlace`].
    pub value: u64,
    /// Size in bytes; 0 if unknown.
    pub size: u64,
    /// What it names.
    pub kind: SymbolKind,
    /// Strong or weak; for an undefined one, weak means that it may stay undefined.
    pub linkage: Linkage,
    /// Who may see it.
    pub scope: Scope,
}

impl ObjectSymbol {
    /// Whether other files can refer to it, or it refers to other files.
    pub fn is_global(&self) -> bool {
        self.scope != Scope::Local
    }

    /// Whether the file defines it.
    pub fn is_defined(&self) -> bool {
        self.place != ObjectPlace::Undefined
    }
}

/// Sections of which a program keeps one copy, named by a signature (COMDAT, `.gnu.linkonce`).
#[derive(Clone, Debug)]
pub struct SectionGroup {
    /// The name that makes two groups the same.
    pub signature: &'static [u8],
    /// The symbol that bears that name, if the file says so.
    pub symbol: Option<u32>,
    /// The sections in it: a range of [`ObjectFile::group_members`].
    pub members: Range<u32>,
}
