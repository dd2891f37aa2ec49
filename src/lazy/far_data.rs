//! Data that may lie anywhere, where a program is too large for everything to be in reach of everything.
//!
//! Linked memory is one reservation in which signed 32-bit distances reach from any place to any other. A program can have more: arrays
//! of gigabytes in position-independent code, which finds them through the GOT, or in code of the medium and large models, which makes
//! whole addresses. What such a program has in large writable sections goes elsewhere, as long as all that refers to a section
//! can do so wherever it is, and the largest first. That is decided before anything of the program is linked: how the code that refers
//! to a variable can be relaxed depends on it. Programs that fit, which is to say all but a few, are not looked at.

use super::ids::UnitId;
use super::symbol_table::SymbolTables;
use super::threads::Sharing;
use super::unit::MaterializationUnit;
use crate::base::MemProt;
use crate::link::arch::Architecture;
use crate::link::object_file::{ObjectFile, SectionKind};
use crate::rt;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sections smaller than this stay where they are: moving them would not help.
const SMALLEST: u64 = 1 << 20;

/// The bytes of `file` that linked memory must have room for if everything in it is linked.
pub(super) fn loaded_size(file: &ObjectFile) -> u64 {
    let loaded = file.sections.iter().filter(|s| !matches!(s.kind, SectionKind::Unloaded | SectionKind::ThreadLocal));
    loaded.fold(0, |sum, section| sum.saturating_add(section.size))
}

impl SymbolTables {
    /// Chooses what lies far away among the sections of files that were added since it was last called, if all of them together do
    /// not fit `capacity` bytes with some room to spare for stubs and tables.
    pub fn place_far_data(&mut self, capacity: u64, arch: &dyn Architecture, sharing: Sharing) {
        let first = std::mem::replace(&mut self.far_units, self.units.len());
        let limit = capacity - capacity / 8;
        if self.near_size <= limit {
            return;
        }
        let mut candidates: Vec<(Reverse<u64>, UnitId, u32)> = Vec::new();
        for unit in &self.units[first..] {
            for (index, section) in unit.file.sections.iter().enumerate() {
                let index = index as u32;
                let is_data = matches!(section.kind, SectionKind::Loaded | SectionKind::Common);
                let movable = is_data && section.prot == MemProt::ReadWrite && section.size >= SMALLEST;
                if movable && !unit.is_discarded(index) && self.set_of(unit, index).is_none() {
                    candidates.push((Reverse(section.size), unit.id, index));
                }
            }
        }
        let bound = |unit: &Arc<MaterializationUnit>| self.bound_by(unit, arch);
        let bound: Vec<Vec<(UnitId, u32)>> = if candidates.is_empty() {
            Vec::new()
        } else if sharing.begin() {
            rt::in_pool(|| self.units.par_iter().map(bound).collect())
        } else {
            self.units.iter().map(bound).collect()
        };
        let bound: FxHashSet<(UnitId, u32)> = bound.into_iter().flatten().collect();
        candidates.retain(|&(_, unit, section)| !bound.contains(&(unit, section)));
        candidates.sort_unstable();
        let mut far: BTreeMap<UnitId, Vec<u32>> = BTreeMap::new();
        for (Reverse(size), unit, section) in candidates {
            if self.near_size <= limit {
                break;
            }
            self.near_size -= size;
            far.entry(unit).or_default().push(section);
        }
        for (unit, mut sections) in far {
            sections.sort_unstable();
            // Only the units since `first` are in here, each for the first time.
            self.units[unit.index()].far.set(sections).unwrap_or(());
        }
    }

    /// The sections that `unit` refers to with edges that reach only so far, and its own that have such edges.
    fn bound_by(&self, unit: &MaterializationUnit, arch: &dyn Architecture) -> Vec<(UnitId, u32)> {
        let mut bound = Vec::new();
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
            let mut short = edges.iter().filter(|edge| !arch.reaches_everywhere(edge.kind)).peekable();
            if short.peek().is_some() {
                bound.push((unit.id, index as u32));
            }
            bound.extend(short.filter_map(|edge| self.section_of(unit, edge.symbol)));
        }
        bound
    }
}

impl MaterializationUnit {
    /// Whether `section` may be out of reach of the rest of the program.
    pub fn is_far(&self, section: u32) -> bool {
        self.far.get().is_some_and(|far| far.binary_search(&section).is_ok())
    }
}
