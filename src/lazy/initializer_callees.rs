//! Functions that initializers call: they are called whatever the program does.
//!
//! In a large C++ program, lazy files have hundreds of initializers, and each calls constructors. One by one, when they are called, that is
//! hundreds of first calls on one core; together with the initializers, all cores link them. What is looked at are the
//! initializers themselves and the local functions that they call, not what is called from there: nearly all of that code is one straight line,
//! while functions of other files may do many things.
//!
//! It is done for large programs only, since others have nothing to win, and not for one in which something is missing: that must not
//! be noticed before it is called.

use super::batch::{PARALLEL_PARTS, Root};
use super::ids::UnitId;
use super::initializers::FunctionArrays;
use super::session::Session;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use crate::link::object_file::{ObjectEdge, ObjectPlace, ObjectSymbol, SymbolKind};
use crate::rt;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Local functions of a file that are looked at, at most.
const MOST_LOCAL: usize = 64;

/// The bodies of the functions with entry points that `initializers` call, to be linked with them; none where that does not pay.
pub(super) fn roots(session: &Session, tables: &SymbolTables, initializers: &FunctionArrays) -> Vec<Root> {
    let arrays = initializers.of_lazy_files();
    let pays = arrays.len() >= PARALLEL_PARTS && session.executes() && !session.wants_all_first_calls();
    if !pays || !tables.missing.is_empty() || !session.use_threads() {
        return Vec::new();
    }
    let callees = |(unit, section): &(&Arc<MaterializationUnit>, u32)| {
        let nothing_read = (None, Vec::new());
        Callees { session, tables, unit, looked_at: Vec::new(), read: nothing_read, found: Vec::new() }
            .of_array(*section)
    };
    let mut found: Vec<(UnitId, u32)> = rt::in_pool(|| arrays.par_iter().flat_map_iter(callees).collect());
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(unit, section)| Root::Section(unit, section)).collect()
}

/// Looks for what the initializers of one array call.
struct Callees<'a> {
    session: &'a Session,
    tables: &'a SymbolTables,
    unit: &'a Arc<MaterializationUnit>,
    /// Places of functions of the file: section and offset.
    looked_at: Vec<(u32, u64)>,
    /// The section whose edges were read last, and those: many functions may be in one section.
    read: (Option<u32>, Vec<ObjectEdge>),
    /// Sections of functions with entry points.
    found: Vec<(UnitId, u32)>,
}

impl Callees<'_> {
    fn of_array(mut self, section: u32) -> Vec<(UnitId, u32)> {
        for pointer in self.edges(section, 0..u64::MAX) {
            self.note_local(&pointer, pointer.addend);
        }
        let mut next = 0;
        while let Some(&(section, offset)) = self.looked_at.get(next) {
            next += 1;
            self.of_function(section, offset);
        }
        // Large local functions have entry points as well.
        self.found.extend(self.looked_at.iter().map(|&(section, _)| (self.unit.id, section)));
        self.found
    }

    /// Notes what the function of the file at `offset` in `section` calls.
    fn of_function(&mut self, section: u32, offset: u64) {
        let Some(range) = self.extent(section, offset) else { return };
        let arch = self.session.arch();
        let code = self.unit.file.sections.at(section as usize).content;
        let is_call = |edge: &ObjectEdge| arch.is_call(edge.kind, code, edge.offset as usize);
        for edge in self.edges(section, range).into_iter().filter(is_call) {
            let entry = self.unit.entries[edge.symbol as usize];
            if entry == MaterializationUnit::LOCAL {
                self.note_local(&edge, arch.behind_target(edge.kind, edge.addend));
                continue;
            }
            let Definition::Unit { unit, symbol } = self.tables.entries[self.tables.follow(entry).index()].definition
            else {
                continue;
            };
            let unit = &self.tables.units[unit.index()];
            if let Some((section, _)) = unit.place(symbol).filter(|_| unit.by_section() && unit.is_entry_point(symbol))
            {
                self.found.push((unit.id, section));
            }
        }
    }

    /// Notes the local function that `edge` leads to, `behind` bytes behind its symbol.
    fn note_local(&mut self, edge: &ObjectEdge, behind: i64) {
        let symbol = self.unit.file.symbols.at(edge.symbol as usize);
        if let ObjectPlace::Section(section) = symbol.place {
            let place = (section, symbol.value.wrapping_add_signed(behind));
            if self.looked_at.len() < MOST_LOCAL && !self.looked_at.contains(&place) {
                self.looked_at.push(place);
            }
        }
    }

    /// Where in `section` the function that begins at `offset` is.
    fn extent(&self, section: u32, offset: u64) -> Option<Range<u64>> {
        let begins_there = |s: &ObjectSymbol| {
            s.kind == SymbolKind::Function && s.place == ObjectPlace::Section(section) && s.value == offset
        };
        let size = self.unit.file.symbols.iter().find(begins_there)?.size;
        Some(offset..offset.saturating_add(size))
    }

    /// The edges of `section` that are in `range`; none if they cannot be read: that is said when it is linked.
    fn edges(&mut self, section: u32, range: Range<u64>) -> Vec<ObjectEdge> {
        let (read, edges) = &mut self.read;
        if read.replace(section) != Some(section) {
            edges.clear();
            if self.unit.file.edges(section, edges).is_err() {
                edges.clear();
            }
        }
        let place = |offset: u64| edges.partition_point(|edge| u64::from(edge.offset) < offset);
        edges[place(range.start)..place(range.end)].to_vec()
    }
}
