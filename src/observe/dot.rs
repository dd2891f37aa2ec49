//! `-show-graphs=dot`: graphs of a batch for Graphviz. A node is a block with its symbols, a cluster a graph, an arrow an edge.

use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::object_file::ObjectPlace;
use crate::link::{BlockId, SymbolId, SymbolPlace};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;

/// Writes every batch to standard output as a `digraph` of its own.
#[derive(Debug)]
pub struct DotGraphs;

impl Plugin for DotGraphs {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        // Output that cannot be written, to a full disk for instance, does not keep the program from running.
        std::io::stdout().write_all(dot(graphs).as_bytes()).ok();
        Ok(())
    }
}

fn dot(graphs: &[FixedUpGraph<'_>]) -> String {
    let Some(batch) = graphs.first().map(|graph| graph.batch) else {
        return String::new();
    };
    let mut text = format!("digraph \"batch {batch}\" {{\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n");
    // Where blocks are, to find those that symbols of other graphs lead to.
    let mut blocks: BTreeMap<u64, (u64, String)> = BTreeMap::new();
    for (number, graph) in graphs.iter().enumerate() {
        for block in graph.graph.block_ids() {
            let of = &graph.graph.blocks[block.index()];
            blocks.insert(of.address.0, (of.size, node(number, block.0)));
        }
    }
    let mut elsewhere = BTreeMap::new();
    let mut arrows = BTreeSet::new();
    for (number, graph) in graphs.iter().enumerate() {
        cluster(&mut text, number, graph);
        for block in graph.graph.block_ids() {
            for edge in graph.graph.block_edges(block) {
                let to = target(graph, number, edge.target, &blocks, &mut elsewhere);
                arrows.insert(format!("  {} -> {to};\n", node(number, block.0)));
            }
        }
    }
    for (address, name) in elsewhere {
        writeln!(text, "  a{address:x} [label={}, shape=ellipse];", quoted(&name)).unwrap_or(());
    }
    text.extend(arrows);
    text.push_str("}\n");
    text
}

fn node(graph: usize, block: u32) -> String {
    format!("g{graph}b{block}")
}

fn cluster(text: &mut String, number: usize, graph: &FixedUpGraph<'_>) {
    if graph.graph.blocks.is_empty() {
        return;
    }
    let title = quoted(&graph.graph.name);
    writeln!(text, "  subgraph cluster{number} {{\n    label={title};").unwrap_or(());
    for block in graph.graph.block_ids() {
        let of = &graph.graph.blocks[block.index()];
        let section = &graph.graph.sections[of.section.index()];
        let mut label =
            format!("{} {}\n{} {:#x} bytes", String::from_utf8_lossy(section.name), section.prot, of.address, of.size);
        for name in names(graph, block) {
            label.push('\n');
            label.push_str(&name);
        }
        writeln!(text, "    {} [label={}];", node(number, block.0), quoted(&label)).unwrap_or(());
    }
    text.push_str("  }\n");
}

/// The names of the symbols in a block, each once.
fn names(graph: &FixedUpGraph<'_>, block: BlockId) -> BTreeSet<String> {
    let own = graph
        .graph
        .symbols
        .iter()
        .filter(|symbol| matches!(symbol.place, SymbolPlace::Defined { block: b, .. } if b == block));
    let mut names: BTreeSet<&[u8]> = own.map(|symbol| symbol.name).collect();
    let section = graph.file_sections().find(|(_, b)| *b == block).map(|(section, _)| ObjectPlace::Section(section));
    if let (Some((_, file)), Some(section)) = (graph.file(), section) {
        names.extend(file.symbols.iter().filter(|symbol| symbol.place == section).map(|symbol| symbol.name));
    }
    // Those that begin with a dollar sign mark what is code and what data in it (AAELF64, "Mapping symbols").
    names
        .into_iter()
        .filter(|name| !name.is_empty() && !name.starts_with(b"$"))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

/// The node that `symbol` is in: a block of the batch, or one for an address elsewhere.
fn target(
    graph: &FixedUpGraph<'_>,
    number: usize,
    symbol: SymbolId,
    blocks: &BTreeMap<u64, (u64, String)>,
    elsewhere: &mut BTreeMap<u64, String>,
) -> String {
    let of = &graph.graph.symbols[symbol.index()];
    if let SymbolPlace::Defined { block, .. } = of.place {
        return node(number, block.0);
    }
    let address = graph.address(symbol).0;
    if let Some((start, (size, node))) = blocks.range(..=address).next_back()
        && address - start < *size
    {
        return node.clone();
    }
    let name = String::from_utf8_lossy(of.name);
    elsewhere.entry(address).or_insert_with(|| format!("{name}\n{address:#x}").trim_start().to_string());
    format!("a{address:x}")
}

/// `text` as a quoted string of the DOT language, with its line breaks.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
