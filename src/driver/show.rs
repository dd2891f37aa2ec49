//! What `-show-…` options print and `-write-symtab` writes: plugins that look at linked graphs.
//!
//! Formats are llvm-jitlink's, so that patterns written for it match. A local symbol that nothing refers to is not shown: JITLink
//! has none.

mod addrs;
mod call_frames;
mod contents;
mod graphs;
mod jitdylibs;
mod symtab;

pub(super) use addrs::Addresses;
pub(super) use jitdylibs::print as print_jitdylibs;

use super::observers::DOT;
use super::self_relocations::SelfRelocations;
use crate::base::ExecutorAddr;
use crate::cli::{CommandLine, Options};
use crate::lazy::{FixedUpGraph, GraphOptions, Plugin};
use crate::link::{BlockId, Scope, Symbol, SymbolId, SymbolPlace};
use anyhow::Result;
use std::io::Write;
use std::sync::Arc;

/// The plugins that options ask for, and what is left to be printed at the end.
pub(super) struct Shows {
    /// What the session shows graphs to.
    pub plugins: Vec<Box<dyn Plugin>>,
    /// What `-show-addrs` prints.
    pub addresses: Option<Arc<Addresses>>,
}

impl Shows {
    /// Those of `command`.
    ///
    /// Errors: a regular expression that is none, a file that cannot be written.
    pub fn new(command: &CommandLine) -> Result<Shows> {
        let options = &command.options;
        let mut shows = Shows { plugins: Vec::new(), addresses: None };
        if options.add_self_relocations {
            shows.plugins.push(Box::new(SelfRelocations));
        }
        if let Some(path) = &options.write_symtab {
            shows.plugins.push(Box::new(symtab::SymbolTableWriter::create(path)?));
        }
        if options.show_addrs {
            let addresses: Arc<Addresses> = Arc::default();
            for (_, definition) in &command.plan.definitions {
                addresses.define(&definition.name, definition.address);
            }
            shows.plugins.push(Box::new(addresses.clone()));
            shows.addresses = Some(addresses);
        }
        if let Some(regex) = options.show_graphs.as_deref().filter(|regex| !regex.is_empty() && *regex != DOT) {
            shows.plugins.push(Box::new(graphs::GraphPrinter::new(regex)?));
        }
        if options.show_relocated_section_contents {
            shows.plugins.push(Box::new(contents::ContentPrinter));
        }
        Ok(shows)
    }

    /// What graphs have to be like.
    pub fn graph_options(&self, options: &Options) -> GraphOptions {
        // A slab promises JITLink's addresses.
        let separate = options.noexec && options.slab_allocate.is_some();
        GraphOptions { complete: separate || !self.plugins.is_empty(), separate }
    }
}

/// Prints `text` at once: lines of several threads do not mix.
fn print(text: &str) {
    // A reader that went away does not keep the program from running.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
}

/// A symbol that a graph defines, where it is.
struct Defined<'a> {
    symbol: &'a Symbol,
    block: BlockId,
    /// In the block.
    offset: u64,
    address: ExecutorAddr,
}

/// The symbols that `graph` defines, by block and offset; with `anonymous`, also those without a name.
fn defined_symbols<'a>(graph: &'a FixedUpGraph<'_>, anonymous: bool) -> Vec<Defined<'a>> {
    let mut referenced = vec![false; graph.graph.symbols.len()];
    for edge in &graph.graph.edges {
        referenced[edge.target.index()] = true;
    }
    let mut defined: Vec<Defined<'a>> = Vec::new();
    for (index, symbol) in graph.graph.symbols.iter().enumerate() {
        let id = SymbolId(index as u32);
        let SymbolPlace::Defined { block, offset } = symbol.place else { continue };
        let anonymous_symbol = symbol.name.is_empty();
        let alive = symbol.scope != Scope::Local || referenced[index] || anonymous_symbol;
        if !alive || (anonymous_symbol && !anonymous) {
            continue;
        }
        // A graph of a file has its own symbols; those of other files that are in its blocks would be references.
        defined.push(Defined { symbol, block, offset, address: graph.address(id) });
    }
    defined.sort_by_key(|d| (d.block, d.offset, d.symbol.name.is_empty()));
    defined.dedup_by(|b, a| (a.block, a.offset, a.symbol.name) == (b.block, b.offset, b.symbol.name));
    defined
}

/// The sections of `graph` by name, each with its blocks by address; thread-local ones, which are no part of memory, are left out.
fn sections<'a>(graph: &'a FixedUpGraph<'_>) -> Vec<(&'a [u8], Vec<BlockId>)> {
    let mut sections: Vec<(&[u8], Vec<BlockId>)> = Vec::new();
    let mut order: Vec<usize> = (0..graph.graph.sections.len()).collect();
    order.sort_by_key(|&index| graph.graph.sections[index].name);
    for index in order.into_iter().filter(|&index| !graph.graph.sections[index].thread_local) {
        let name = graph.graph.sections[index].name;
        if sections.last().is_none_or(|(last, _)| *last != name) {
            sections.push((name, Vec::new()));
        }
        if let Some((_, blocks)) = sections.last_mut() {
            blocks.extend(graph.graph.block_ids().filter(|b| graph.graph.blocks[b.index()].section.index() == index));
        }
    }
    for (_, blocks) in &mut sections {
        blocks.sort_by_key(|b| graph.graph.blocks[b.index()].address);
    }
    sections
}

/// The last part of a graph's name: what checks and `-show-addrs` call its file.
fn base_name(graph: &str) -> &str {
    // A member's name may have slashes too: the archive's path is what goes.
    let end = graph.find('[').unwrap_or(graph.len());
    let start = graph[..end].rfind('/').map_or(0, |slash| slash + 1);
    &graph[start..]
}

fn text(name: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(name)
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn base_names_are_without_the_folder() {
        for (name, base) in [
            ("a/b/c.o", "c.o"),
            ("c.o", "c.o"),
            ("/x/lib.a[3](dir/m.o)", "lib.a[3](dir/m.o)"),
            ("<indirect stubs graph #1>", "<indirect stubs graph #1>"),
        ] {
            assert_eq!(base_name(name), base);
        }
    }
}
