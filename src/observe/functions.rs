//! The functions of a batch: what profilers want to know.

use crate::base::{ExecutorAddr, MemProt};
use crate::lazy::FixedUpGraph;
use crate::link::object_file::{ObjectPlace, SymbolKind};

/// A piece of linked code.
#[derive(Clone, Debug)]
pub(super) struct Function<'a> {
    /// Its symbol; for code that the linker has made the name of the graph.
    pub name: &'a [u8],
    /// Where it is.
    pub address: ExecutorAddr,
    /// Its bytes.
    pub code: &'a [u8],
    /// Number of the section of its file and offset in it.
    pub place: Option<(u32, u64)>,
}

/// The functions of `graph`: each address once, by the first symbol that is global if one is.
pub(super) fn functions<'a>(graph: &'a FixedUpGraph<'_>) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    match graph.file() {
        None => {
            for block in graph.graph.block_ids() {
                let of = &graph.graph.blocks[block.index()];
                if graph.graph.sections[of.section.index()].prot == MemProt::ReadExec {
                    found.push(Function {
                        name: graph.graph.name.as_bytes(),
                        address: of.address,
                        code: graph.content(block),
                        place: None,
                    });
                }
            }
        }
        Some((_, file)) => {
            for (section, block) in graph.file_sections() {
                let start = graph.graph.blocks[block.index()].address;
                if file.sections.at(section as usize).prot != MemProt::ReadExec {
                    continue;
                }
                let here = file.symbols.iter().filter(|symbol| {
                    symbol.place == ObjectPlace::Section(section)
                        && matches!(symbol.kind, SymbolKind::Function | SymbolKind::IndirectFunction)
                });
                let mut symbols: Vec<_> = here.collect();
                symbols.sort_by_key(|symbol| (symbol.value, !symbol.is_global()));
                symbols.dedup_by_key(|symbol| symbol.value);
                let content = graph.content(block);
                for (index, symbol) in symbols.iter().enumerate() {
                    let limit = symbols.get(index + 1).map_or(content.len() as u64, |next| next.value);
                    let end = if symbol.size == 0 { limit } else { symbol.value.saturating_add(symbol.size) };
                    if let Some(code) = content.get(symbol.value as usize..end as usize) {
                        let place = Some((section, symbol.value));
                        found.push(Function { name: symbol.name, address: start.offset(symbol.value), code, place });
                    }
                }
            }
        }
    }
    found
}
