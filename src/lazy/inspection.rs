//! Complete graphs, for those who look at them (see [`super::session::GraphOptions`]).
//!
//! To link, a graph needs a symbol for each place that an edge refers to, and that is all it gets. Here it gets the others, and
//! what JITLink says of each: names of bodies and entry points, sizes, linkage, scope.

use super::entry_points::EntryPoints;
use super::part::{Part, Publish, Role, UNWIND_RECORDS, UnitPart};
use super::redirectable::RedirectableSymbolManager;
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::base::{ExecutorAddr, MemProt};
use crate::link::object_file::{ObjectPlace, ObjectSection, SectionKind};
use crate::link::{self, Block, BlockId, Linkage, OptionalSymbol, Scope, SectionId, Symbol, SymbolId, SymbolPlace};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What the pointer of an entry point is called.
const POINTER_SUFFIX: &str = "$__stub_ptr";

/// Adds what the graphs of `parts` lack.
pub(super) fn complete(session: &Session, tables: &SymbolTables, parts: &mut [Part]) {
    for part in parts {
        if let Some(unit) = part.unit().cloned() {
            for index in 0..unit.file.symbols.len() as u32 {
                complete_symbol(tables, part, &unit, index);
            }
            for (index, section) in unit.file.sections.iter().enumerate() {
                if is_listed(&section) || is_stripped(part, &unit, index as u32) {
                    part.graph.add_section(section.name, section.prot);
                }
            }
            for name in unit.file.format.tables() {
                part.graph.add_section(name, MemProt::Read);
            }
            for block in part.graph.block_ids() {
                let Block { contiguous, size, .. } = part.graph.blocks[block.index()];
                if contiguous == Some(UNWIND_RECORDS) {
                    part.graph.add_anonymous_symbol(block, 0, size);
                }
            }
            name_sections(part);
            let unnamed = part.graph.symbols.iter_mut().filter(|s| s.name.is_empty());
            unnamed.for_each(|symbol| symbol.scope = Scope::Local);
        }
        for (block, publish) in part.published.clone() {
            match publish {
                Publish::Stubs(points) => {
                    let size = session.arch().pointer_jump_stub().code.len() as u64;
                    let stride = RedirectableSymbolManager::stride(session.arch());
                    name_row(part, block, &points, (stride, size), "", Scope::Default);
                }
                Publish::StubPointers(points) => name_row(part, block, &points, (8, 8), POINTER_SUFFIX, Scope::Hidden),
                Publish::Claim(_)
                    if part.unit().is_none() && part.graph.name == super::synthesized::DSO_HANDLE_GRAPH =>
                {
                    add(
                        part,
                        session.conventions().synthesized().dso_handle,
                        SymbolPlace::Defined { block, offset: 0 },
                        8,
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether JITLink's graphs have `section`, without content: all that is no part of the program except debug information.
fn is_listed(section: &ObjectSection) -> bool {
    section.kind == SectionKind::Unloaded && !section.name.is_empty() && !section.name.starts_with(b".debug_")
}

/// Whether `section` of the file is in the graph of `part` only by name, because nothing can refer to it.
fn is_stripped(part: &Part, unit: &MaterializationUnit, section: u32) -> bool {
    let Role::Unit(unit_part) = &part.role else { return false };
    let loaded = unit.file.sections.at(section as usize).kind == SectionKind::Loaded;
    let whole = !unit.by_section() && !unit.is_discarded(section);
    loaded && whole && unit_part.blocks[section as usize] == UnitPart::NONE
}

/// Sees to it that the graph of `part` has symbol `index` of its file, with all that the file says of it.
fn complete_symbol(tables: &SymbolTables, part: &mut Part, unit: &Arc<MaterializationUnit>, index: u32) {
    let symbol = unit.file.symbols.at(index as usize);
    let Role::Unit(unit_part) = &part.role else { return };
    let known = [unit_part.symbols[index as usize], unit_part.branches[index as usize]];
    let known = known.map(|id| (id != UnitPart::NONE).then_some(SymbolId(id)));
    let place = match symbol.place {
        ObjectPlace::Section(section) | ObjectPlace::Common(section) => match unit_part.blocks[section as usize] {
            UnitPart::NONE => return,
            block => SymbolPlace::Defined { block: BlockId(block), offset: symbol.value },
        },
        ObjectPlace::Absolute if symbol.name.is_empty() => return,
        ObjectPlace::Absolute => SymbolPlace::Absolute(ExecutorAddr(symbol.value)),
        ObjectPlace::Undefined | ObjectPlace::Alias(_) => {
            // Weakly referenced.
            for id in known.into_iter().flatten() {
                part.graph.symbols[id.index()].linkage = symbol.linkage;
            }
            unite(part, known);
            return;
        }
    };
    // Another file's definition counts: this one is no symbol of the program.
    let entry = unit.entries[index as usize];
    let own = Definition::Unit { unit: unit.id, symbol: index };
    if entry != MaterializationUnit::LOCAL && tables.entries[tables.follow(entry).index()].definition != own {
        return;
    }
    if symbol.name.is_empty() {
        return;
    }
    let found = known.into_iter().flatten().find(|id| part.graph.symbols[id.index()].place == place);
    let body = unit.entry_points.is_some() && unit.function_number(index).is_some();
    let name = if body { suffixed(symbol.name, BODY_SUFFIX) } else { symbol.name };
    let id = found.unwrap_or_else(|| part.symbol(name, symbol.size, place));
    let made = &mut part.graph.symbols[id.index()];
    let common = matches!(symbol.place, ObjectPlace::Common(_));
    let linkage = if common { Linkage::Weak } else { symbol.linkage };
    (made.name, made.size, made.linkage, made.scope) = (name, symbol.size, linkage, symbol.scope);
    if symbol.place == ObjectPlace::Absolute {
        part.absolutes.push(id);
    }
    if known.iter().flatten().all(|id| part.graph.symbols[id.index()].place == place) {
        unite(part, known);
    }
}

/// References to a function that are calls have a symbol of their own: of `address` and `branch` only the first is left.
fn unite(part: &mut Part, [address, branch]: [Option<SymbolId>; 2]) {
    if let (Some(address), Some(branch)) = (address, branch)
        && address != branch
    {
        for edge in part.graph.edges.iter_mut().filter(|edge| edge.target == branch) {
            edge.target = address;
        }
        part.graph.symbols[branch.index()].name = b"";
    }
}

/// Some formats refer to a section where others refer to the symbol at its start. Of a symbol that stands for a whole section and a
/// named one at the same place, only that is left.
fn name_sections(part: &mut Part) {
    let mut named: FxHashMap<BlockId, SymbolId> = FxHashMap::default();
    for (index, symbol) in part.graph.symbols.iter().enumerate() {
        if let SymbolPlace::Defined { block, offset: 0 } = symbol.place
            && !symbol.name.is_empty()
        {
            named.entry(block).or_insert(SymbolId(index as u32));
        }
    }
    for index in 0..part.graph.symbols.len() {
        let symbol = &mut part.graph.symbols[index];
        let SymbolPlace::Defined { block, offset: 0 } = symbol.place else { continue };
        let whole = symbol.name.is_empty() && symbol.size != 0 && symbol.size == part.graph.blocks[block.index()].size;
        let Some(&name) = named.get(&block).filter(|_| whole) else { continue };
        symbol.place = SymbolPlace::Absolute(ExecutorAddr::NULL);
        for edge in part.graph.edges.iter_mut().filter(|edge| edge.target.index() == index) {
            edge.target = name;
        }
    }
}

/// Names the pieces of `block`, one for each of `points`.
fn name_row(
    part: &mut Part,
    block: BlockId,
    points: &EntryPoints,
    (stride, size): (u64, u64),
    suffix: &str,
    scope: Scope,
) {
    for number in 0..points.count() {
        let name = suffixed(points.name(number).as_bytes(), suffix);
        let place = SymbolPlace::Defined { block, offset: u64::from(number) * stride };
        let id = add(part, name, place, size);
        part.graph.symbols[id.index()].scope = scope;
    }
}

fn add(part: &mut Part, name: &'static [u8], place: SymbolPlace, size: u64) -> SymbolId {
    part.graph.add_symbol(Symbol {
        name,
        place,
        size,
        linkage: Linkage::Strong,
        scope: Scope::Default,
        stub_target: OptionalSymbol::NONE,
    })
}

/// Names of symbols live as long as the process, as those of mapped files do.
fn suffixed(name: &[u8], suffix: &str) -> &'static [u8] {
    [name, suffix.as_bytes()].concat().leak()
}

impl Part {
    /// The place of `section` of the graph among those of its file; what the linker made comes last.
    pub fn rank(&self, section: SectionId) -> u32 {
        let Some(unit) = self.unit() else { return section.0 };
        let file_section = self.published.iter().find_map(|(block, publish)| match publish {
            Publish::Section(index) if self.graph.blocks[block.index()].section == section => Some(*index),
            _ => None,
        });
        let unwind_section = link::conventions(self.graph.target.format).synthesized().unwind_section;
        let unwind = || {
            let is_unwind = self.graph.sections[section.index()].name == unwind_section;
            let sections = &unit.file.sections;
            sections.iter().position(|s| is_unwind && s.kind == SectionKind::Unwind).map(|index| index as u32)
        };
        file_section.or_else(unwind).unwrap_or(u32::MAX)
    }

    /// The alignment that the file gives its unwind records.
    pub fn unwind_align(&self) -> u64 {
        let sections = self.unit().into_iter().flat_map(|unit| unit.file.sections.iter());
        let unwind = sections.filter(|s| s.kind == SectionKind::Unwind);
        unwind.map(|s| s.align).max().unwrap_or(1).max(4)
    }
}
