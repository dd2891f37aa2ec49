//! `-show-graphs`: graphs as text, in the form of JITLink's `LinkGraph::dump`.

use super::call_frames::CallFrames;
use super::{Defined, defined_symbols, print, sections, text};
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::tables::{GOT_SECTION, STUBS_SECTION};
use crate::link::{BlockId, Content, Edge, Linkage, Scope, Symbol, SymbolId, SymbolPlace, arch};
use anyhow::{Result, anyhow};
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Prints graphs whose names match.
pub(super) struct GraphPrinter {
    names: Regex,
}

impl GraphPrinter {
    /// For names in which `regex` is found.
    ///
    /// Errors: that it is no regular expression.
    pub fn new(regex: &str) -> Result<GraphPrinter> {
        let names = Regex::new(regex).map_err(|error| anyhow!("for the -show-graphs option: {error}"))?;
        Ok(GraphPrinter { names })
    }
}

impl Plugin for GraphPrinter {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        for graph in graphs.iter().filter(|graph| self.names.is_match(&graph.graph.name)) {
            let mut out = String::new();
            // Writing to a string cannot fail.
            dump(&mut out, graph).ok();
            print(&out);
        }
        Ok(())
    }
}

fn dump(out: &mut String, graph: &FixedUpGraph<'_>) -> std::fmt::Result {
    let name = &graph.graph.name;
    writeln!(out, "Link graph \"{name}\" post-fixup:\nLinkGraph \"{name}\" (triple = {})", graph.triple)?;
    let defined = defined_symbols(graph, true);
    let frames = CallFrames::of(graph);
    for (name, blocks) in sections(graph) {
        writeln!(out, "section {}:\n", text(name))?;
        for block in blocks {
            if graph.is_unwind_records(block) {
                frames.dump(out, graph, block)?;
                continue;
            }
            let symbols: Vec<&Defined<'_>> = defined.iter().filter(|d| d.block == block).collect();
            if graph.graph.blocks[block.index()].size != 0 || !symbols.is_empty() {
                let entries = [GOT_SECTION, STUBS_SECTION].contains(&name);
                dump_block(out, graph, block, &symbols, entries, frames.of_code(block))?;
            }
        }
    }
    let undefined = |wanted: fn(&FixedUpGraph<'_>, SymbolId) -> bool| {
        let mut found = BTreeMap::new();
        for (index, symbol) in graph.graph.symbols.iter().enumerate() {
            let id = SymbolId(index as u32);
            if !symbol.name.is_empty() && wanted(graph, id) {
                found.entry(symbol.name).or_insert((id, symbol));
            }
        }
        found
    };
    writeln!(out, "Absolute symbols:")?;
    dump_undefined(out, graph, &undefined(|graph, id| graph.is_own_absolute(id)))?;
    writeln!(out, "\nExternal symbols:")?;
    let external = |graph: &FixedUpGraph<'_>, id: SymbolId| {
        !matches!(graph.graph.symbols[id.index()].place, SymbolPlace::Defined { .. }) && !graph.is_own_absolute(id)
    };
    dump_undefined(out, graph, &undefined(external))
}

fn dump_undefined(
    out: &mut String,
    graph: &FixedUpGraph<'_>,
    symbols: &BTreeMap<&[u8], (SymbolId, &Symbol)>,
) -> std::fmt::Result {
    if symbols.is_empty() {
        writeln!(out, "  none")?;
    }
    for (id, symbol) in symbols.values() {
        let address = graph.address(*id).0;
        let own = graph.is_own_absolute(*id);
        let linkage = if own { symbol.linkage } else { Linkage::Strong };
        let weak = if !own && symbol.linkage == Linkage::Weak { " (weakly referenced)" } else { "" };
        writeln!(
            out,
            "  {address:#x}: {address:#x} (addressable + 0x00000000): size: 0x{:08x}, linkage: {}, scope: {}, live  -   {}{weak}",
            if own { symbol.size } else { 0 },
            linkage_name(linkage),
            scope_name(symbol.scope),
            text(symbol.name),
        )?;
    }
    Ok(())
}

fn dump_block(
    out: &mut String,
    graph: &FixedUpGraph<'_>,
    id: BlockId,
    symbols: &[&Defined<'_>],
    entries: bool,
    frames: &[u64],
) -> std::fmt::Result {
    let block = &graph.graph.blocks[id.index()];
    let start = block.address.0;
    let zero_fill = if block.content == Content::ZeroFill { ", zero-fill" } else { "" };
    writeln!(
        out,
        "  block {start:#x} size = 0x{:08x}, align = {}, alignment-offset = 0{zero_fill}",
        block.size, block.align
    )?;
    if symbols.is_empty() {
        writeln!(out, "    no symbols")?;
    } else {
        writeln!(out, "    symbols:")?;
    }
    for Defined { symbol, offset, address, .. } in symbols {
        let live = if entries && symbol.name.is_empty() { "dead" } else { "live" };
        let name = if symbol.name.is_empty() { "<anonymous symbol>".into() } else { text(symbol.name) };
        writeln!(
            out,
            "      {address:#x} (block + 0x{offset:08x}): size: 0x{:08x}, linkage: {}, scope: {}, {live}  -   {name}",
            symbol.size,
            linkage_name(symbol.linkage),
            scope_name(symbol.scope),
            address = address.0,
        )?;
    }
    let kept = frames.iter().map(|frame| ShownEdge {
        offset: 0,
        addend: 0,
        kind: "Keep-Alive",
        target: addressable(*frame, 0),
    });
    dump_edges(out, start, kept.chain(shown_edges(graph, graph.graph.block_edges(id), 0)))
}

/// An edge as it is printed.
pub(super) struct ShownEdge {
    /// In the block.
    pub offset: u32,
    pub addend: i64,
    pub kind: &'static str,
    pub target: String,
}

/// `edges` of a block, of which what is printed begins `skipped` bytes behind the block's start.
pub(super) fn shown_edges<'a>(
    graph: &'a FixedUpGraph<'_>,
    edges: &'a [Edge],
    skipped: u32,
) -> impl Iterator<Item = ShownEdge> + 'a {
    let kinds = arch::of(graph.graph.target.arch).map_or(&[][..], |arch| arch.edge_kinds());
    edges.iter().map(move |edge| ShownEdge {
        offset: edge.offset - skipped,
        addend: edge.addend,
        kind: kinds.get(usize::from(edge.kind.0)).map_or("<Unrecognized edge kind>", |kind| kind.name),
        target: target(graph, edge.target),
    })
}

/// Prints `edges`, the last part of a block at `start`.
pub(super) fn dump_edges(out: &mut String, start: u64, edges: impl Iterator<Item = ShownEdge>) -> std::fmt::Result {
    let mut edges = edges.peekable();
    writeln!(out, "    {}", if edges.peek().is_none() { "no edges" } else { "edges:" })?;
    for ShownEdge { offset, addend, kind, target } in edges {
        let sign = if addend < 0 { '-' } else { '+' };
        writeln!(
            out,
            "      {:#x} (block + 0x{offset:08x}), addend = {sign}0x{:08x}, kind = {kind}, target = {target}",
            start.wrapping_add(u64::from(offset)),
            addend.unsigned_abs(),
        )?;
    }
    writeln!(out)
}

/// What JITLink calls something without a name, `offset` bytes behind the start of the block at `block`.
pub(super) fn addressable(block: u64, offset: u64) -> String {
    format!("addressable@{block:#x}+0x{offset:08x}")
}

fn target(graph: &FixedUpGraph<'_>, id: SymbolId) -> String {
    let symbol = &graph.graph.symbols[id.index()];
    match symbol.place {
        _ if !symbol.name.is_empty() => text(symbol.name).into_owned(),
        SymbolPlace::Defined { block, offset } => addressable(graph.graph.blocks[block.index()].address.0, offset),
        _ => addressable(graph.address(id).0, 0),
    }
}

fn linkage_name(linkage: Linkage) -> &'static str {
    match linkage {
        Linkage::Strong => "strong",
        Linkage::Weak => "weak",
    }
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Default => "default",
        Scope::Hidden => "hidden",
        Scope::Local => "local",
    }
}
