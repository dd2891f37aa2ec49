//! Common symbols: variables that several files define without a value, and of which the program has one.

use super::symbol_table::SymbolTables;
use super::unit::MaterializationUnit;
use crate::link::object_file::{ObjectPlace, ObjectSymbol};

impl SymbolTables {
    /// Of two common symbols the bigger one is used, with the greater alignment; says whether that is the new one.
    pub fn merge_commons(
        &mut self,
        old: (&MaterializationUnit, &ObjectSymbol),
        new: (&MaterializationUnit, &ObjectSymbol),
    ) -> bool {
        let align = |(unit, symbol): (&MaterializationUnit, &ObjectSymbol)| match symbol.place {
            ObjectPlace::Common(section) => {
                let own = unit.file.sections.at(section as usize).align;
                ((unit.id, section), own.max(self.common_align.get(&(unit.id, section)).copied().unwrap_or(1)))
            }
            _ => ((unit.id, 0), 1),
        };
        let ((old_key, old_align), (new_key, new_align)) = (align(old), align(new));
        let replace = new.1.size > old.1.size;
        self.common_align.insert(if replace { new_key } else { old_key }, old_align.max(new_align));
        replace
    }
}
