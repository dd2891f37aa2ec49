//! Harness mode: objects of a test get at the inside of the objects under test.
//!
//! What a harness object defines replaces what objects under test define under that name, local symbols too; what it leaves
//! undefined, they make visible, if it is local or hidden there. References by section and offset, as compilers make them to local
//! symbols, stay what they are.

use crate::link::object_file::{ObjectPlace, ObjectSymbol};
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
        for symbol in files.flat_map(|file| file.symbols.iter()).filter(|s| s.is_global() && !s.name.is_empty()) {
            if symbol.is_defined() { &mut harness.defined } else { &mut harness.wanted }.insert(symbol.name);
        }
        harness.wanted.retain(|name| !harness.defined.contains(name));
        harness
    }

    /// Opens `file`, which is under test, to the harness.
    pub fn apply(&self, file: &mut ObjectFile) {
        for index in 0..file.symbols.len() {
            let symbol = file.symbols.at(index);
            if !symbol.is_defined() || symbol.name.is_empty() {
                continue;
            }
            let scope = Scope::Default;
            if self.defined.contains(symbol.name) {
                let (place, linkage) = (ObjectPlace::Undefined, Linkage::Strong);
                file.symbols.set(index, ObjectSymbol { place, linkage, value: 0, scope, ..symbol });
            } else if self.wanted.contains(symbol.name) {
                file.symbols.set(index, ObjectSymbol { scope, ..symbol });
            }
        }
    }
}
