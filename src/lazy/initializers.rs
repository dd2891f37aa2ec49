//! Initializers and finalizers: which, and in what order.
//!
//! The order is the static program's: `.preinit_array` first; then pieces of `.init`; then by priority; then in link order: that of
//! files on the command line, archive members as a static linker loads them ([`super::link_order`]). Finalizers run the other way round.

use super::batch::Root;
use super::fragments::{self, is_fragment, is_run};
use super::ids::DylibId;
use super::symbol_table::SymbolTables;
use super::unit::MaterializationUnit;
use crate::base::{AddrRange, ExecutorAddr};
use crate::link::object_file::{InitializerOrder, SectionKind};
use crate::rt::ExecutorProcessControl;
use crate::rt::image::FunctionArrayRange;
use std::sync::Arc;

/// Sections full of pointers to functions, in the order they are to be run.
#[derive(Debug, Default)]
pub(super) struct FunctionArrays {
    arrays: Vec<FunctionArray>,
}

#[derive(Debug)]
struct FunctionArray {
    unit: Arc<MaterializationUnit>,
    section: u32,
    size: u64,
    /// Whether it is no array at all, but a piece of code.
    is_code: bool,
    order: InitializerOrder,
}

/// The initializers and finalizers of `dylibs`, each JITDylib's after those before it.
pub(super) fn collect(tables: &SymbolTables, dylibs: &[DylibId]) -> (FunctionArrays, FunctionArrays) {
    let (mut initializers, mut finalizers) = (FunctionArrays::default(), FunctionArrays::default());
    for dylib in dylibs {
        let (first_initializer, first_finalizer) = (initializers.arrays.len(), finalizers.arrays.len());
        for &id in &tables.dylibs[dylib.index()].units {
            let unit = &tables.units[id.index()];
            for &index in &unit.special_sections {
                let section = unit.file.sections.at(index as usize);
                let code = |priority| InitializerOrder { phase: 1, priority, backwards: false };
                let (list, order) = match section.kind {
                    SectionKind::Initializers(order) => (&mut initializers, order),
                    SectionKind::Finalizers(order) => (&mut finalizers, order),
                    SectionKind::InitializerCode => (&mut initializers, code(0)),
                    // Finalizers run the other way round, but the pieces of one function do not.
                    SectionKind::FinalizerCode => {
                        let earlier = finalizers.arrays.len() as u32;
                        (&mut finalizers, code(u32::MAX - earlier))
                    }
                    _ => continue,
                };
                let is_code = is_fragment(section.kind);
                let runs = if is_code { is_run(unit, index) } else { section.size >= 8 };
                if runs && !unit.is_discarded(index) {
                    list.arrays.push(FunctionArray {
                        unit: unit.clone(),
                        section: index,
                        size: section.size & !7,
                        is_code,
                        order,
                    });
                }
            }
        }
        let key = |a: &FunctionArray| (a.order.phase, a.order.priority);
        initializers.arrays[first_initializer..].sort_by_key(key);
        finalizers.arrays[first_finalizer..].sort_by_key(key);
    }
    (initializers, finalizers)
}

impl FunctionArrays {
    /// What must be linked before [`FunctionArrays::functions`].
    pub fn roots(&self) -> impl Iterator<Item = Root> + '_ {
        self.arrays.iter().map(|a| Root::Section(a.unit.id, a.section))
    }

    /// The arrays of pointers in files that are linked section by section: file and section.
    pub fn of_lazy_files(&self) -> Vec<(&Arc<MaterializationUnit>, u32)> {
        let arrays = self.arrays.iter().filter(|array| !array.is_code && array.unit.by_section());
        arrays.map(|array| (&array.unit, array.section)).collect()
    }

    /// Where the arrays are, once they are linked.
    pub fn ranges(&self) -> Vec<FunctionArrayRange> {
        let range = |a: &FunctionArray| FunctionArrayRange {
            address: a.unit.section_address(a.section).0,
            size: a.size,
            backwards: a.order.backwards,
        };
        self.arrays.iter().map(range).collect()
    }

    /// The functions, in the order that initializers run.
    pub fn functions(&self, executor: &dyn ExecutorProcessControl) -> Vec<ExecutorAddr> {
        let mut functions = Vec::new();
        for array in &self.arrays {
            let start = array.unit.section_address(array.section);
            if array.is_code {
                functions.push(fragments::function(start));
                continue;
            }
            let mut pointers = executor.read_pointers(AddrRange::new(start, array.size));
            // 0 and -1 mark the ends of .ctors lists.
            pointers.retain(|p| p.0 != 0 && p.0 != u64::MAX);
            if array.order.backwards {
                pointers.reverse();
            }
            functions.append(&mut pointers);
        }
        functions
    }
}
