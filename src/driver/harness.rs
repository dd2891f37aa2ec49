//! Harness mode: objects of a test get at the inside of the objects under test.
//!
//! What a harness object defines replaces what objects under test define under that name, local symbols too; what it leaves
//! undefined, they make visible, if it is local or hidden there. References by section and offset, as compilers make them to local
//! symbols, stay what they are.

use crate::link::object_file::ObjectPlace;
use crate::link::{Linkage, ObjectFile, Scope};
use rustc_hash::FxHashSet;

/// What harness objects define and refer to.
#[derive(Debug, Default)]
pub(super) struct Harness {
    defined: FxHashSet<&'static [u8]>,
    wanted: FxHashSet<&'static [u8]>,
}

impl Harness {
    /// That of `files`.
    pub fn of<'a>(files: impl Iterator<Item = &'a ObjectFile>) -> Harness {
        let mut harness = Harness::default();
        for symbol in files.flat_map(|file| &file.symbols).filter(|s| s.is_global() && !s.name.is_empty()) {
            if symbol.is_defined() { &mut harness.defined } else { &mut harness.wanted }.insert(symbol.name);
        }
        harness.wanted.retain(|name| !harness.defined.contains(name));
        harness
    }

    /// Opens `file`, which is under test, to the harness.
    pub fn apply(&self, file: &mut ObjectFile) {
        for symbol in file.symbols.iter_mut().filter(|s| s.is_defined() && !s.name.is_empty()) {
            if self.defined.contains(symbol.name) {
                symbol.place = ObjectPlace::Undefined;
                symbol.linkage = Linkage::Strong;
                symbol.value = 0;
                symbol.scope = Scope::Default;
            } else if self.wanted.contains(symbol.name) {
                symbol.scope = Scope::Default;
            }
        }
    }
}
