//! Where thread-local sections go, decided for all of a program before anything of it is linked.
//!
//! Code of the initial-exec and local-exec models needs variables at constant offsets from the thread pointer, of which there is only a
//! reserve. If all variables fit, that is where they go, and the other models are rewritten to use the offsets too. If not, relocations
//! are looked at: variables with accesses that need offsets come first, then small ones before large ones, and the rest goes into
//! a block that threads get when they first ask for it ([`crate::rt::ThreadLocalMemory::allocate_dynamic`]).
//!
//! Code of the local dynamic model asks for the block once for all variables of its file, so those that it accesses go together.

use super::error::SessionError;
use super::ids::UnitId;
use super::symbol_table::{Definition, SymbolTables};
use super::threads::Sharing;
use super::unit::MaterializationUnit;
use crate::base::{ExecutorAddr, align_up};
use crate::link::EdgeKindInfo;
use crate::link::arch::Architecture;
use crate::link::object_file::{ObjectPlace, SectionKind, SymbolKind};
use crate::rt;
use crate::rt::{ThreadLocalMemory, ThreadLocalPlace};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the thread-local sections of a file are, and what its code of the local dynamic model asks for.
#[derive(Debug, Default)]
pub(super) struct UnitThreadLocals {
    /// Sections, ascending, and their places.
    places: Vec<(u32, ThreadLocalPlace)>,
    /// The block that module-relative offsets count from; without, they count from the thread pointer.
    pub module: Option<u64>,
}

impl UnitThreadLocals {
    /// Where `section` is.
    pub fn place(&self, section: u32) -> Option<ThreadLocalPlace> {
        let at = self.places.binary_search_by_key(&section, |place| place.0).ok()?;
        Some(self.places[at].1)
    }
}

/// A thread-local section.
type Section = (UnitId, u32);

/// What a file's relocations say about thread-local sections.
#[derive(Default)]
struct Uses {
    /// Sections accessed with an offset from the thread pointer.
    by_offset: Vec<Section>,
    /// Sections accessed relative to the module.
    in_module: Vec<Section>,
}

/// Sections that must be in one block or all in none.
#[derive(Default)]
struct Group {
    needs_offset: bool,
    size: u64,
    /// Indexes of sections.
    members: Vec<usize>,
}

impl SymbolTables {
    /// Gives the thread-local sections of the files that were added since it was last called their places.
    ///
    /// Errors: that they do not fit the reserve, where there is nothing else.
    pub fn place_thread_locals(
        &mut self,
        memory: &dyn ThreadLocalMemory,
        arch: &dyn Architecture,
        sharing: Sharing,
    ) -> Result<(), SessionError> {
        let first = std::mem::replace(&mut self.placed_units, self.units.len());
        let new = self.units[first..].iter();
        let mut sections: Vec<Section> = new.flat_map(|unit| unit.kept_thread_local_sections()).collect();
        sections.sort_by_key(|(unit, _)| self.units[unit.index()].link_place());
        if sections.is_empty() {
            return Ok(());
        }
        let pieces: Vec<(u64, u64)> = sections.iter().map(|&section| self.piece(section)).collect();
        let mut modules = FxHashMap::default();
        let places = match memory.allocate(&pieces) {
            Ok(offsets) => offsets.into_iter().map(ThreadLocalPlace::Offset).collect(),
            Err(error) => {
                let uses = self.thread_local_uses(arch.edge_kinds(), sharing);
                let groups = groups(&sections, &pieces, &uses);
                let Ok(places) = place_groups(memory, &pieces, groups) else {
                    return Err(error.into());
                };
                self.thread_local_overflow = Some(error.to_string());
                modules = self.modules(&sections, &places, &uses);
                places
            }
        };
        let mut of_units: BTreeMap<UnitId, UnitThreadLocals> = BTreeMap::new();
        for (&(unit, section), place) in sections.iter().zip(places) {
            of_units.entry(unit).or_default().places.push((section, place));
        }
        for (unit, module) in modules {
            of_units.entry(unit).or_default().module = Some(module);
        }
        for (unit, thread_locals) in of_units {
            // A file that was there before has its places; it can refer to none of the new ones relative to its module.
            self.units[unit.index()].thread_locals.set(thread_locals).unwrap_or(());
        }
        Ok(())
    }

    /// Size and alignment of `section`.
    fn piece(&self, (unit, section): Section) -> (u64, u64) {
        let header = &self.units[unit.index()].file.sections.at(section as usize);
        let common = self.common_align.get(&(unit, section)).copied().unwrap_or(1);
        (header.size, header.align.max(common))
    }

    /// What each file says about thread-local sections.
    fn thread_local_uses(&self, kinds: &[EdgeKindInfo], sharing: Sharing) -> Vec<Uses> {
        let of_unit = |unit: &Arc<MaterializationUnit>| self.uses_of(unit, kinds);
        if !sharing.begin() {
            return self.units.iter().map(of_unit).collect();
        }
        rt::in_pool(|| self.units.par_iter().map(of_unit).collect())
    }

    fn uses_of(&self, unit: &MaterializationUnit, kinds: &[EdgeKindInfo]) -> Uses {
        let mut uses = Uses::default();
        if !unit.mentions_thread_locals() {
            return uses;
        }
        let mut edges = Vec::new();
        for (index, section) in unit.file.sections.iter().enumerate() {
            if section.kind == SectionKind::Unloaded || unit.is_discarded(index as u32) {
                continue;
            }
            edges.clear();
            // Damage is reported when the section is linked.
            if unit.file.edges(index as u32, &mut edges).is_err() {
                continue;
            }
            for edge in &edges {
                let class = kinds[usize::from(edge.kind.0)].class;
                if class.needs_thread_pointer_offset()
                    && let Some(section) = self.section_of(unit, edge.symbol)
                {
                    if edge.in_module { &mut uses.in_module } else { &mut uses.by_offset }.push(section);
                }
            }
        }
        uses
    }

    /// The section that symbol `index` of `unit` is defined in, wherever that is.
    pub fn section_of(&self, unit: &MaterializationUnit, index: u32) -> Option<Section> {
        let symbol = unit.file.symbols.at(index as usize);
        if !symbol.is_global() || symbol.name.is_empty() {
            return unit.place(index).map(|(section, _)| (unit.id, section));
        }
        match self.entries[self.follow(unit.entries[index as usize]).index()].definition {
            Definition::Unit { unit, symbol } => {
                self.units[unit.index()].place(symbol).map(|(section, _)| (unit, section))
            }
            _ => None,
        }
    }

    /// The blocks that the module-relative offsets of files count from, where that is not the thread pointer.
    fn modules(&self, sections: &[Section], places: &[ThreadLocalPlace], uses: &[Uses]) -> FxHashMap<UnitId, u64> {
        let new: FxHashMap<Section, ThreadLocalPlace> = sections.iter().copied().zip(places.iter().copied()).collect();
        let place = |&(unit, section): &Section| {
            new.get(&(unit, section)).copied().or_else(|| self.units[unit.index()].thread_local_place(section))
        };
        let module_of = |uses: &Uses| {
            uses.in_module.iter().filter_map(place).find_map(|place| match place {
                ThreadLocalPlace::Dynamic { module, .. } => Some(module),
                ThreadLocalPlace::Offset(_) => None,
            })
        };
        self.units.iter().zip(uses).filter_map(|(unit, uses)| Some((unit.id, module_of(uses)?))).collect()
    }
}

/// The groups of `sections`, whose sizes and alignments are `pieces`, in the order in which the reserve is given to them.
fn groups(sections: &[Section], pieces: &[(u64, u64)], uses: &[Uses]) -> Vec<Group> {
    let index: FxHashMap<Section, usize> =
        sections.iter().enumerate().map(|(index, &section)| (section, index)).collect();
    // Union-find: each section's representative is the end of the way through `parent`.
    let mut parent: Vec<usize> = (0..sections.len()).collect();
    fn find(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    for uses in uses {
        let mut together = uses.in_module.iter().filter_map(|section| index.get(section).copied());
        if let Some(first) = together.next() {
            for other in together {
                let (a, b) = (find(&mut parent, first), find(&mut parent, other));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (member, piece) in pieces.iter().enumerate() {
        let group = groups.entry(find(&mut parent, member)).or_default();
        group.size = group.size.saturating_add(piece.0);
        group.members.push(member);
    }
    for section in uses.iter().flat_map(|uses| &uses.by_offset) {
        if let Some(group) = index.get(section).and_then(|&at| groups.get_mut(&find(&mut parent, at))) {
            group.needs_offset = true;
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| (!group.needs_offset, group.size));
    groups
}

/// Places `groups` in turn: what the reserve has no room for goes into one block.
fn place_groups(
    memory: &dyn ThreadLocalMemory,
    pieces: &[(u64, u64)],
    groups: Vec<Group>,
) -> Result<Vec<ThreadLocalPlace>, SessionError> {
    let mut places = vec![ThreadLocalPlace::Offset(ExecutorAddr::NULL); pieces.len()];
    let mut rest = Vec::new();
    for group in groups {
        let wanted: Vec<(u64, u64)> = group.members.iter().map(|&member| pieces[member]).collect();
        match memory.allocate(&wanted) {
            Ok(offsets) => {
                for (&member, offset) in group.members.iter().zip(offsets) {
                    places[member] = ThreadLocalPlace::Offset(offset);
                }
            }
            Err(_) => rest.extend(group.members),
        }
    }
    // Sizes in files are below 2^47, and the sum of as many as there are files stays below 2^64.
    // Offset 0 is left out: a null address would mean that it is not known yet.
    let (mut size, mut align) = (8u64, 1);
    let mut offsets = Vec::with_capacity(rest.len());
    for &member in &rest {
        let start = align_up(size, pieces[member].1).unwrap_or(u64::MAX);
        offsets.push(start);
        size = start.saturating_add(pieces[member].0);
        align = align.max(pieces[member].1);
    }
    let module = memory.allocate_dynamic(size, align)?;
    for (member, offset) in rest.into_iter().zip(offsets) {
        places[member] = ThreadLocalPlace::Dynamic { module, offset };
    }
    Ok(places)
}

impl MaterializationUnit {
    /// Its thread-local sections that are part of the program.
    pub fn kept_thread_local_sections(&self) -> impl Iterator<Item = Section> + '_ {
        let kept = |&index: &u32| {
            self.is_thread_local(index) && self.file.sections.at(index as usize).size != 0 && !self.is_discarded(index)
        };
        self.special_sections.iter().copied().filter(kept).map(|index| (self.id, index))
    }

    /// Where thread-local section `section` is; `None` before that is decided.
    pub fn thread_local_place(&self, section: u32) -> Option<ThreadLocalPlace> {
        self.thread_locals.get()?.place(section)
    }

    /// The block that its module-relative offsets count from, if that is not the thread pointer.
    pub fn thread_local_module(&self) -> Option<u64> {
        self.thread_locals.get()?.module
    }

    /// Whether anything in the file is or may refer to a thread-local variable.
    fn mentions_thread_locals(&self) -> bool {
        let section = |section: u32| self.file.sections.at(section as usize).kind == SectionKind::ThreadLocal;
        self.file.symbols.iter().any(|symbol| {
            symbol.kind == SymbolKind::ThreadLocal
                || matches!(symbol.place, ObjectPlace::Section(index) | ObjectPlace::Common(index) if section(index))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::PretendReserve;

    const UNIT: UnitId = UnitId::at(0);

    /// The sections of each group, for sections 0, 1 and so on of the sizes given.
    fn grouped(sizes: &[u64], by_offset: &[u32], in_module: &[&[u32]]) -> Vec<Vec<usize>> {
        let sections: Vec<Section> = (0..sizes.len() as u32).map(|section| (UNIT, section)).collect();
        let pieces: Vec<(u64, u64)> = sizes.iter().map(|&size| (size, 1)).collect();
        let of_unit = |list: &[u32]| list.iter().map(|&section| (UNIT, section)).collect::<Vec<_>>();
        let mut uses = vec![Uses { by_offset: of_unit(by_offset), in_module: Vec::new() }];
        uses.extend(in_module.iter().map(|list| Uses { by_offset: Vec::new(), in_module: of_unit(list) }));
        groups(&sections, &pieces, &uses).into_iter().map(|group| group.members).collect()
    }

    #[test]
    fn what_needs_offsets_comes_first_and_small_before_large() {
        assert_eq!(grouped(&[9, 5, 7, 1], &[2, 0], &[]), [vec![2], vec![0], vec![3], vec![1]]);
    }

    #[test]
    fn what_a_file_accesses_in_its_module_stays_together() {
        assert_eq!(grouped(&[9, 5, 7, 1], &[], &[&[0, 3], &[3, 2]]), [vec![1], vec![0, 2, 3]]);
        assert_eq!(grouped(&[9, 5, 7], &[2], &[&[0, 2]]), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn what_does_not_fit_goes_into_one_block() {
        let memory = PretendReserve::default();
        let pieces = [(1 << 24, 64), (8, 8), (1 << 25, 4096)];
        let groups = groups(&[(UNIT, 0), (UNIT, 1), (UNIT, 2)], &pieces, &[]);
        let places = place_groups(&memory, &pieces, groups).unwrap();
        assert!(matches!(places[1], ThreadLocalPlace::Offset(_)));
        let [
            ThreadLocalPlace::Dynamic { module: a, offset: first },
            _,
            ThreadLocalPlace::Dynamic { module: b, offset: second },
        ] = places[..]
        else {
            panic!("{places:?}");
        };
        assert_eq!(a, b);
        assert!(first != 0 && first.is_multiple_of(64) && second.is_multiple_of(4096) && second >= first + (1 << 24));
    }
}
