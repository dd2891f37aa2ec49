//! The allocator of Rust programs: names that rustc's link step defines, and no object file does.
//!
//! Objects of Rust code call `__rust_alloc` and its siblings. When rustc links a program, it adds an object that leads them to the
//! program's `#[global_allocator]` (`__rg_alloc`), or to the default one of the standard library (`__rdl_alloc`); objects made with
//! `--emit obj` and the standard library's archives are without. So where such a name is undefined and one of those implementations is
//! there, it becomes an alias. Newer compilers mangle all of these names (v0 scheme) as items of a crate called `__rustc`; older ones do
//! not. Marks that only say that the link step has been taken are in the runtime ([`PLATFORM`]), under their plain names.

use super::ids::{DylibId, EntryId};
use super::resolution::PLATFORM;
use super::symbol_table::{Definition, SymbolTables};

/// What names of allocator functions begin with, and those of their implementations in the order in which they count.
const FUNCTION: &[u8] = b"__rust_";
const IMPLEMENTATIONS: [&[u8]; 2] = [b"__rg_", b"__rdl_"];

/// The functions.
const FUNCTIONS: [&[u8]; 5] = [b"alloc", b"dealloc", b"realloc", b"alloc_zeroed", b"alloc_error_handler"];

/// What stands for the crate in mangled names: an identifier of seven characters.
const CRATE: &[u8] = b"7___rustc";

/// A name taken apart: what goes before the item's identifier in the mangled form, and the identifier.
struct Item {
    prefix: Option<&'static [u8]>,
    identifier: &'static [u8],
}

impl Item {
    fn of(name: &'static [u8]) -> Option<Item> {
        if name.starts_with(FUNCTION) {
            return Some(Item { prefix: None, identifier: name });
        }
        if !name.starts_with(b"_RNv") {
            return None;
        }
        let at = name.windows(CRATE.len()).position(|part| part == CRATE)? + CRATE.len();
        // The length in decimal digits; an underscore, because an identifier that begins with one needs it.
        let digits = name[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length: usize = std::str::from_utf8(&name[at..at + digits]).ok()?.parse().ok()?;
        let identifier = name[at + digits..].strip_prefix(b"_")?;
        (identifier.len() == length && identifier.starts_with(FUNCTION))
            .then_some(Item { prefix: Some(&name[..at]), identifier })
    }

    /// The name of another item, in the same form.
    fn sibling(&self, identifier: &[u8]) -> Vec<u8> {
        match self.prefix {
            Some(prefix) => [prefix, format!("{}_", identifier.len()).as_bytes(), identifier].concat(),
            None => identifier.to_vec(),
        }
    }
}

impl SymbolTables {
    /// Defines `id`, which nothing else does, if its name is one that rustc's link step would define; says whether it is.
    pub fn define_rust_allocator(&mut self, id: EntryId) -> bool {
        let Some(item) = Item::of(self.entries[id.index()].name) else {
            return false;
        };
        let dylib = self.entries[id.index()].dylib;
        let found = match FUNCTIONS.iter().find(|&&function| item.identifier[FUNCTION.len()..] == *function) {
            Some(function) => IMPLEMENTATIONS.iter().find_map(|start| {
                let name = item.sibling(&[start, *function].concat());
                let searched = std::iter::once(dylib).chain(self.dylibs[dylib.index()].link_order.iter().copied());
                searched.filter_map(|dylib| self.find(dylib, &name)).find(|&other| self.is_available(other))
            }),
            // The plain name of a mark leads to the runtime without help.
            None => item.prefix.and_then(|_| self.mark(item.identifier)),
        };
        let Some(found) = found else {
            return false;
        };
        self.set_definition(id, Definition::Alias(found), false);
        self.require(found);
        true
    }

    /// Whether something defines `id`, or an archive member that would is at hand.
    fn is_available(&self, id: EntryId) -> bool {
        let entry = &self.entries[id.index()];
        entry.definition != Definition::Undefined || entry.archive.is_some()
    }

    /// The runtime's definition of a mark.
    fn mark(&self, identifier: &[u8]) -> Option<EntryId> {
        let platform: DylibId = PLATFORM;
        self.find(platform, identifier).filter(|&id| self.is_available(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        for (name, sibling) in [
            (&b"__rust_alloc"[..], Some(&b"__rdl_alloc"[..])),
            (b"_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc", Some(b"_RNvCsfLfy6EI15iL_7___rustc11___rdl_alloc")),
            (b"_RNvCs1_7___rustc19___rust_alloc_zeroed", Some(b"_RNvCs1_7___rustc11___rdl_alloc")),
            (b"_RNvCs1_7___rustc13___rust_alloc", None),
            (b"_RNvCs1_7___rustc12___other_item", None),
            (b"_RNvCs1_7___rustc", None),
            (b"_RNvCs1_7___rustc99999999999999999999999_x", None),
            (b"__rdl_alloc", None),
            (b"malloc", None),
            (b"", None),
        ] {
            let found = Item::of(name).map(|item| item.sibling(b"__rdl_alloc"));
            assert_eq!(found.as_deref(), sibling, "{}", String::from_utf8_lossy(name));
        }
    }
}
