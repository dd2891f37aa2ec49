//! `-show-addrs`: where symbols, sections, GOT entries and stubs are.

use super::{base_name, defined_symbols, print, sections, text};
use crate::base::ExecutorAddr;
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::tables::{GOT_SECTION, STUBS_SECTION};
use crate::link::{BlockId, Content, SymbolId, SymbolPlace};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of linked graphs, by name.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    symbols: BTreeMap<String, Region>,
    files: BTreeMap<String, FileRegions>,
}

#[derive(Debug, Default)]
struct FileRegions {
    sections: BTreeMap<String, Region>,
    /// By target.
    got: BTreeMap<String, Region>,
    stubs: BTreeMap<String, Region>,
}

/// Where something is.
#[derive(Clone, Copy, Debug)]
struct Region {
    target: ExecutorAddr,
    /// Where its content is while it is linked; null for zero-fill.
    content: usize,
    size: u64,
}

impl Addresses {
    /// Adds an absolute symbol that no graph defines.
    pub fn define(&self, name: &str, address: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.symbols.insert(name.to_string(), Region { target: ExecutorAddr(address), content: 0, size: 0 });
    }

    /// Prints everything that is known.
    pub fn print(&self) {
        print(&self.to_string());
    }
}

impl Plugin for Arc<Addresses> {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for graph in graphs {
            known.add(graph);
        }
        Ok(())
    }
}

impl Known {
    fn add(&mut self, graph: &FixedUpGraph<'_>) {
        let defined = defined_symbols(graph, false);
        let named: Vec<BlockId> = defined.iter().map(|symbol| symbol.block).collect();
        for symbol in defined {
            let region = region(graph, symbol.block, symbol.offset, symbol.symbol.size);
            self.symbols.insert(text(symbol.symbol.name).into_owned(), region);
        }
        for (index, symbol) in graph.graph.symbols.iter().enumerate() {
            let id = SymbolId(index as u32);
            if graph.is_own_absolute(id) {
                let region = Region { target: graph.address(id), content: 0, size: 0 };
                self.symbols.insert(text(symbol.name).into_owned(), region);
            }
        }
        let file = self.files.entry(base_name(&graph.graph.name).to_string()).or_default();
        for (name, blocks) in sections(graph) {
            let (Some(&first), Some(&last)) = (blocks.first(), blocks.last()) else { continue };
            let end = &graph.graph.blocks[last.index()];
            let start = graph.graph.blocks[first.index()].address;
            let size = end.address.0.wrapping_add(end.size).wrapping_sub(start.0);
            // JITLink has dropped what is empty.
            if size == 0 && !blocks.iter().any(|&block| named.contains(&block)) {
                continue;
            }
            let mut whole = region(graph, first, 0, 0);
            whole.size = size;
            file.sections.insert(text(name).into_owned(), whole);
            let entries = match name {
                GOT_SECTION => &mut file.got,
                STUBS_SECTION => &mut file.stubs,
                _ => continue,
            };
            for block in blocks {
                if let Some(target) = entry_target(graph, block) {
                    let size = graph.graph.blocks[block.index()].size;
                    entries.insert(target, region(graph, block, 0, size));
                }
            }
        }
    }
}

/// The name of what a GOT entry or, through its GOT entry, a stub goes to.
fn entry_target(graph: &FixedUpGraph<'_>, block: BlockId) -> Option<String> {
    let target = graph.graph.block_edges(block).first()?.target;
    let symbol = &graph.graph.symbols[target.index()];
    match symbol.place {
        SymbolPlace::Defined { block: entry, .. } if symbol.name.is_empty() && entry != block => {
            entry_target(graph, entry)
        }
        _ => (!symbol.name.is_empty()).then(|| text(symbol.name).into_owned()),
    }
}

fn region(graph: &FixedUpGraph<'_>, block: BlockId, offset: u64, size: u64) -> Region {
    let b = &graph.graph.blocks[block.index()];
    let content = match b.content {
        Content::ZeroFill => 0,
        _ => (graph.content(block).as_ptr() as usize).wrapping_add(offset as usize),
    };
    Region { target: b.address.offset(offset), content, size }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(f, "Registered addresses:\nSymbols:")?;
        for (name, region) in &known.symbols {
            writeln!(f, "  \"{name}\" {region}")?;
        }
        for (name, file) in &known.files {
            writeln!(f, "File \"{name}\":")?;
            for (title, regions) in [("Section", &file.sections), ("GOT", &file.got), ("Stubs", &file.stubs)] {
                for (name, region) in regions {
                    writeln!(f, "  {title} \"{name}\": {region}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "target addr = 0x{:016x}, ", self.target.0)?;
        match self.content {
            0 => write!(f, "zero-fill: {} bytes", self.size),
            start => {
                let end = start.wrapping_add(self.size as usize);
                write!(f, "content: {start:#x} -- {end:#x} ({} bytes)", self.size)
            }
        }
    }
}
