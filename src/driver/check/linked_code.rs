//! What rules can ask about linked code.

use std::collections::{BTreeMap, HashMap};

/// How much a definition of a name counts: of two, the greater one is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// A reference to something that is not linked, or elsewhere.
    Reference,
    /// A symbol that only its own file knows.
    Local,
    /// A symbol of a file.
    Global,
    /// What callers reach under the name of a lazy function, or an address that the user gave.
    EntryPoint,
}

/// A symbol with its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Known {
    /// Its address.
    pub address: u64,
    /// Whether linked memory is there.
    pub has_content: bool,
    rank: Rank,
}

/// Symbols, memory and files of linked code.
#[derive(Debug, Default)]
pub(super) struct LinkedCode {
    symbols: HashMap<String, Known>,
    blocks: BTreeMap<u64, Block>,
    files: HashMap<String, LinkedFile>,
}

#[derive(Debug)]
struct Block {
    size: u64,
    /// Empty if it is zeroes.
    bytes: Vec<u8>,
}

/// A file as rules name it.
#[derive(Debug, Default)]
pub(super) struct LinkedFile {
    /// The names of the graphs that are called so: more than one if folders differ.
    graphs: Vec<String>,
    /// The lowest address of each section.
    pub sections: HashMap<String, u64>,
    /// GOT entries by the symbol whose address they hold.
    pub got: HashMap<String, u64>,
    /// Call stubs by the symbol they go to.
    pub stubs: HashMap<String, u64>,
}

impl LinkedCode {
    /// Makes `name` known as `address`, where nothing is linked.
    pub fn define_absolute(&mut self, name: &str, address: u64) {
        self.define(name, address, Rank::EntryPoint, false);
    }

    /// Makes `name` known, unless a definition of it that counts as much or more is.
    pub fn define(&mut self, name: &str, address: u64, rank: Rank, has_content: bool) {
        let known = Known { address, has_content, rank };
        match self.symbols.get_mut(name) {
            Some(old) if old.rank >= rank => {}
            Some(old) => *old = known,
            None => {
                self.symbols.insert(name.to_string(), known);
            }
        }
    }

    /// Notes that `size` bytes at `address` are `bytes`, or zeroes if that is empty.
    pub fn add_block(&mut self, address: u64, size: u64, bytes: &[u8]) {
        if size != 0 {
            self.blocks.insert(address, Block { size, bytes: bytes.to_vec() });
        }
    }

    /// The file that the graph called `graph` is linked from.
    pub fn file_of_graph(&mut self, graph: &str) -> &mut LinkedFile {
        let base = graph.rsplit('/').next().unwrap_or(graph);
        let file = self.files.entry(base.to_string()).or_default();
        if !file.graphs.iter().any(|known| known == graph) {
            file.graphs.push(graph.to_string());
        }
        file
    }

    /// The symbol `name`.
    pub fn symbol(&self, name: &str) -> Option<Known> {
        self.symbols.get(name).copied()
    }

    /// The file called `name`, without folders.
    ///
    /// Errors: that there is none, or more than one.
    pub fn file(&self, name: &str) -> Result<&LinkedFile, String> {
        let file = self.files.get(name).ok_or_else(|| format!("RTDyldChecker: file \"{name}\" not recognized"))?;
        match file.graphs.len() {
            1 => Ok(file),
            _ => Err(format!("When -check is passed, file names must be distinct (duplicate: \"{name}\")")),
        }
    }

    /// The linked bytes from `address` on to the end of their block; `None` if nothing is linked there, or only zeroes.
    pub fn content(&self, address: u64) -> Option<&[u8]> {
        let (start, block) = self.blocks.range(..=address).next_back()?;
        block.bytes.get(usize::try_from(address - start).ok()?..).filter(|bytes| !bytes.is_empty())
    }

    /// The number that the `size` bytes at `address` are, little-endian; `None` if not all of them are linked. `size` is at most 8.
    pub fn load(&self, address: u64, size: u64) -> Option<u64> {
        let mut value = 0;
        for index in 0..size {
            let at = address.checked_add(index)?;
            let (start, block) = self.blocks.range(..=at).next_back()?;
            let offset = at - start;
            if offset >= block.size {
                return None;
            }
            let byte = block.bytes.get(offset as usize).copied().unwrap_or(0);
            value |= u64::from(byte) << (8 * index);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_go_from_block_to_block_and_no_further() {
        let mut code = LinkedCode::default();
        code.add_block(0x1000, 4, &[1, 2, 3, 4]);
        code.add_block(0x1004, 4, &[]);
        assert_eq!(code.load(0x1002, 4), Some(0x0403));
        for (address, size) in [(0x1006, 4), (0xfff, 1), (0x1008, 1), (u64::MAX, 2)] {
            assert_eq!(code.load(address, size), None, "{address:#x}");
        }
    }

    #[test]
    fn the_greater_definition_counts_and_the_first_of_equals() {
        let mut code = LinkedCode::default();
        for (address, rank) in [(1, Rank::Local), (2, Rank::Global), (3, Rank::Global), (4, Rank::Reference)] {
            code.define("f", address, rank, true);
        }
        assert_eq!(code.symbol("f").map(|known| known.address), Some(2));
    }

    #[test]
    fn a_file_name_is_good_for_one_file() {
        let mut code = LinkedCode::default();
        code.file_of_graph("a/x.o").got.insert("s".into(), 8);
        code.file_of_graph("a/x.o");
        assert_eq!(code.file("x.o").unwrap().got["s"], 8);
        assert!(code.file("a/x.o").is_err());
        code.file_of_graph("b/x.o");
        assert!(code.file("x.o").unwrap_err().contains("must be distinct"));
    }
}
