//! A MaterializationUnit: one object file in a JITDylib, and how much of it is linked.

use super::claims::{Claim, Claimed};
use super::digest::Digest;
use super::ids::{BatchId, DylibId, EntryId, EntryPointsId, UnitId};
use super::thread_local_places::UnitThreadLocals;
use crate::base::ExecutorAddr;
use crate::link::object_file::{ObjectPlace, ObjectSymbol, SectionKind, SymbolKind};
use crate::link::unwind::UnwindTables;
use crate::link::{LinkError, ObjectFile};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much of a file one request links, and whether its functions are entry points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Laziness {
    /// The file is linked as a whole as soon as anything in it is referred to.
    Eager,
    /// Its functions are entry points; calling one links the whole file.
    Object,
    /// Its functions are entry points; calling one links the section it is in and what that reaches.
    Function,
}

/// The size in bytes of the smallest pages of any system.
const SMALLEST_PAGE: u64 = 0x1000;

/// One object file in a JITDylib. Shared by all threads; what changes is atomic.
#[derive(Debug)]
pub(super) struct MaterializationUnit {
    pub id: UnitId,
    pub dylib: DylibId,
    pub file: ObjectFile,
    pub laziness: Laziness,
    /// For each symbol of the file its entry in the JITDylib's symbol table; [`MaterializationUnit::LOCAL`] for local ones.
    pub entries: Vec<EntryId>,
    /// Sections that are not part of the program, because another file's copy of their group is. Empty if there are none.
    pub discarded: Vec<bool>,
    /// Whether other JITDylibs do not see what it defines.
    pub hidden: bool,
    /// Its sections that are more than code and data, ascending.
    pub special_sections: Vec<u32>,
    /// What was found out about it while it was read, if it was not in memory.
    pub digest: Option<Digest>,
    /// One per section.
    sections: Vec<Claim>,
    /// The file as a whole, where it is not linked section by section.
    whole: Claim,
    /// The entry points of its functions, if it is lazy.
    pub entry_points: Option<EntryPointsId>,
    /// Stubs of indirect functions.
    pub indirect: Claim,
    /// Where the pointers of the indirect functions are; claimed with `indirect`.
    pub indirect_pointers: Claim,
    /// Whether those pointers hold what the resolvers answered.
    pub indirect_resolved: AtomicBool,
    /// Where its thread-local sections are, once that is decided.
    pub thread_locals: OnceLock<UnitThreadLocals>,
    /// Its sections that may be out of reach of the rest of the program, ascending, once that is decided.
    pub far: OnceLock<Vec<u32>>,
    unwind: OnceLock<Result<UnwindTables, LinkError>>,
    functions: OnceLock<Vec<u32>>,
    indirect_functions: OnceLock<Vec<u32>>,
    index: OnceLock<SectionIndex>,
    announced: AtomicBool,
    /// Its place in the link order, where that is not the order in which units were added.
    link_place: OnceLock<u32>,
}

impl MaterializationUnit {
    /// In `entries`: the symbol is local.
    pub const LOCAL: EntryId = EntryId(u32::MAX);

    /// A unit of which nothing is linked; `entries`, `discarded` and `special_sections` are filled in by the symbol table.
    pub fn new(id: UnitId, dylib: DylibId, file: ObjectFile, laziness: Laziness) -> MaterializationUnit {
        let mut sections = Vec::new();
        sections.resize_with(file.sections.len(), Claim::default);
        MaterializationUnit {
            id,
            dylib,
            laziness,
            entries: vec![MaterializationUnit::LOCAL; file.symbols.len()],
            discarded: Vec::new(),
            hidden: false,
            special_sections: Vec::new(),
            digest: None,
            sections,
            whole: Claim::default(),
            entry_points: None,
            indirect: Claim::default(),
            indirect_pointers: Claim::default(),
            indirect_resolved: AtomicBool::new(false),
            thread_locals: OnceLock::new(),
            far: OnceLock::new(),
            unwind: OnceLock::new(),
            functions: OnceLock::new(),
            indirect_functions: OnceLock::new(),
            index: OnceLock::new(),
            announced: AtomicBool::new(false),
            link_place: OnceLock::new(),
            file,
        }
    }

    /// Its place among all units, as a static linker has them; that of its own number until it has another.
    pub fn link_place(&self) -> u32 {
        self.link_place.get().copied().unwrap_or(self.id.number())
    }

    /// Gives it its place, once.
    pub fn set_link_place(&self, place: u32) {
        self.link_place.get_or_init(|| place);
    }

    /// Whether sections are linked one by one.
    pub fn by_section(&self) -> bool {
        self.laziness == Laziness::Function
    }

    /// Returns whether symbol `symbol` of the file is called through an entry point.
    pub fn is_entry_point(&self, symbol: u32) -> bool {
        let s = self.file.symbols.at(symbol as usize);
        if self.laziness == Laziness::Eager || s.kind != SymbolKind::Function {
            return false;
        }
        matches!(s.place, ObjectPlace::Section(section) if !self.begins_page(section, s.value))
    }

    /// Returns whether a page begins `offset` bytes into `section`, wherever that is linked. A
    /// function there is a table of code, which the program copies or maps (libffi's closures do):
    /// what is at its address must be its own code.
    fn begins_page(&self, section: u32, offset: u64) -> bool {
        let section = self.file.sections.at(section as usize);
        section.align >= SMALLEST_PAGE && (offset + u64::from(section.align_offset)).is_multiple_of(SMALLEST_PAGE)
    }

    /// Whether `section` is thread-local; such sections are always linked one by one, since all of a program's are before it starts.
    pub fn is_thread_local(&self, section: u32) -> bool {
        self.file.sections.at(section as usize).kind == SectionKind::ThreadLocal
    }

    /// Whether any of its sections is thread-local; known once such sections have places.
    pub fn has_thread_locals(&self) -> bool {
        self.thread_locals.get().is_some()
    }

    /// The claim that linking `section` needs.
    fn claim_of(&self, section: u32) -> &Claim {
        if self.by_section() || self.is_thread_local(section) { &self.sections[section as usize] } else { &self.whole }
    }

    /// Claims `section`, or the file, for `batch`.
    pub fn claim(&self, section: u32, batch: BatchId) -> Claimed {
        self.claim_of(section).claim(batch)
    }

    /// Which batch links `section`.
    pub fn owner(&self, section: u32) -> Option<BatchId> {
        self.claim_of(section).owner()
    }

    /// Where `section` is; null before its batch is resolved.
    pub fn section_address(&self, section: u32) -> ExecutorAddr {
        self.sections[section as usize].address()
    }

    /// Publishes where `section` is.
    pub fn publish_section(&self, section: u32, address: ExecutorAddr) {
        self.sections[section as usize].publish(address);
    }

    /// Whether the program uses another file's copy of `section`.
    pub fn is_discarded(&self, section: u32) -> bool {
        self.discarded.get(section as usize).copied().unwrap_or(false)
    }

    /// Its unwind records, read on first use.
    pub fn unwind(&self) -> Result<&UnwindTables, LinkError> {
        self.unwind.get_or_init(|| UnwindTables::read(&self.file)).as_ref().map_err(Clone::clone)
    }

    /// The same, if they have been read.
    pub fn known_unwind(&self) -> Option<&UnwindTables> {
        self.unwind.get()?.as_ref().ok()
    }

    /// The symbols that have an entry point, ascending: an entry point's number is its place in here.
    ///
    /// Aliases at one address have an entry point each, as they have names; [`MaterializationUnit::same_address`] is the one that is their address.
    pub fn functions(&self) -> &[u32] {
        self.functions.get_or_init(|| {
            let global = |&i: &u32| self.entries[i as usize] != MaterializationUnit::LOCAL;
            let kept = |&i: &u32| match self.file.symbols.at(i as usize).place {
                ObjectPlace::Section(section) => !self.is_discarded(section),
                _ => false,
            };
            let all = 0..self.file.symbols.len() as u32;
            let mut functions = self.local_functions();
            functions.extend(all.filter(|i| self.is_entry_point(*i)).filter(global).filter(kept));
            functions.sort_unstable();
            functions
        })
    }

    /// The numbers of the entry points whose functions are in `section`.
    pub fn functions_in(&self, section: u32) -> impl Iterator<Item = u32> + '_ {
        let index = self.index.get_or_init(|| SectionIndex::of(self));
        range_of(&index.functions, section).iter().map(|&(_, number)| number)
    }

    /// The sections that are linked wherever `section` is, although it does not refer to them.
    pub fn dependents_of(&self, section: u32) -> impl Iterator<Item = u32> + '_ {
        let index = self.index.get_or_init(|| SectionIndex::of(self));
        range_of(&index.dependents, section).iter().map(|&(_, dependent)| dependent)
    }

    /// The number of the entry point of `symbol`.
    pub fn function_number(&self, symbol: u32) -> Option<u32> {
        self.functions().binary_search(&symbol).ok().map(|n| n as u32)
    }

    /// The first entry point whose function is at the same place as that of entry point `number`: its stub is the address of both.
    pub fn same_address(&self, number: u32) -> u32 {
        let index = self.index.get_or_init(|| SectionIndex::of(self));
        let alias = index.aliases.binary_search_by_key(&number, |&(alias, _)| alias);
        alias.map_or(number, |position| index.aliases[position].1)
    }

    /// The indirect functions it defines, ascending by symbol.
    pub fn indirect_functions(&self) -> &[u32] {
        self.indirect_functions.get_or_init(|| {
            let kept = |s: &ObjectSymbol| matches!(s.place, ObjectPlace::Section(s) if !self.is_discarded(s));
            let symbols = self.file.symbols.iter().enumerate();
            let indirect = symbols.filter(|(_, s)| s.kind == SymbolKind::IndirectFunction && kept(s));
            indirect.map(|(i, _)| i as u32).collect()
        })
    }

    /// The place of `symbol` among the indirect functions.
    pub fn indirect_number(&self, symbol: u32) -> Option<u32> {
        self.indirect_functions().binary_search(&symbol).ok().map(|n| n as u32)
    }

    /// The section and offset of symbol `symbol`, if it is defined in a section.
    pub fn place(&self, symbol: u32) -> Option<(u32, u64)> {
        let s = self.file.symbols.at(symbol as usize);
        match s.place {
            ObjectPlace::Section(section) | ObjectPlace::Common(section) => Some((section, s.value)),
            _ => None,
        }
    }

    /// Where the body of symbol `symbol` is, if its section's batch is resolved.
    pub fn symbol_address(&self, symbol: u32) -> Option<ExecutorAddr> {
        let (section, offset) = self.place(symbol)?;
        let address = self.section_address(section);
        (!address.is_null()).then(|| address.offset(offset))
    }

    /// True for the first caller: the file is about to be linked for the first time.
    pub fn announce(&self) -> bool {
        !self.announced.swap(true, Ordering::Relaxed)
    }
}

/// What belongs to a section, for files of which sections are linked one by one.
#[derive(Debug)]
struct SectionIndex {
    /// Section and number of an entry point, ascending.
    functions: Vec<(u32, u32)>,
    /// Section and dependent section, ascending.
    dependents: Vec<(u32, u32)>,
    /// Entry points whose function is that of an earlier one too, and the earliest, ascending.
    aliases: Vec<(u32, u32)>,
}

impl SectionIndex {
    fn of(unit: &MaterializationUnit) -> SectionIndex {
        let section_of = |(number, &symbol): (usize, &u32)| Some((unit.place(symbol)?.0, number as u32));
        let mut functions: Vec<_> = unit.functions().iter().enumerate().filter_map(section_of).collect();
        functions.sort_unstable();
        let loaded = unit.file.sections.iter().enumerate().filter(|(_, s)| s.kind == SectionKind::Loaded);
        let mut dependents: Vec<_> = loaded.filter_map(|(d, s)| Some((s.linked_to?, d as u32))).collect();
        dependents.sort_unstable();
        let offset_of = |number: u32| unit.file.symbols.at(unit.functions()[number as usize] as usize).value;
        let mut aliases = Vec::new();
        let mut by_offset: Vec<(u64, u32)> = Vec::new();
        for of_section in functions.chunk_by(|a, b| a.0 == b.0).filter(|of_section| of_section.len() > 1) {
            by_offset.clear();
            by_offset.extend(of_section.iter().map(|&(_, number)| (offset_of(number), number)));
            by_offset.sort_unstable();
            for same in by_offset.chunk_by(|a, b| a.0 == b.0) {
                aliases.extend(same[1..].iter().map(|&(_, number)| (number, same[0].1)));
            }
        }
        aliases.sort_unstable();
        SectionIndex { functions, dependents, aliases }
    }
}

/// The pairs of `pairs`, ascending, that begin with `section`.
fn range_of(pairs: &[(u32, u32)], section: u32) -> &[(u32, u32)] {
    let from = &pairs[pairs.partition_point(|(s, _)| *s < section)..];
    // Few belong to a section.
    let count = from.iter().take_while(|(s, _)| *s == section).count();
    &from[..count]
}
