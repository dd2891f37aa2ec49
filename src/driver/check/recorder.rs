//! Records linked code for rules, batch by batch.

use super::Recorded;
use super::linked_code::{LinkedCode, Rank};
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::tables::GOT_SECTION;
use crate::link::{self, Scope, SymbolId, SymbolPlace};
use std::sync::PoisonError;

/// Fills in what rules can ask about.
pub(super) struct Recorder(pub Recorded);

impl Plugin for Recorder {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        if let Some(linked) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            for graph in graphs {
                add_symbols(linked, graph);
                add_blocks(linked, graph);
            }
        }
        Ok(())
    }
}

fn add_symbols(linked: &mut LinkedCode, graph: &FixedUpGraph<'_>) {
    for (index, symbol) in graph.graph.symbols.iter().enumerate() {
        let address = graph.address(SymbolId(index as u32)).0;
        if let Some(target) = symbol.stub_target.get() {
            let target = &graph.graph.symbols[target.index()];
            linked.file_of_graph(&graph.graph.name).stubs.insert(text(target.name), address);
        }
        if symbol.name.is_empty() {
            continue;
        }
        let rank = match symbol.place {
            SymbolPlace::Defined { .. } if graph.dylib.is_none() => Rank::EntryPoint,
            SymbolPlace::Defined { .. } if symbol.scope == Scope::Local => Rank::Local,
            SymbolPlace::Defined { .. } => Rank::Global,
            _ => Rank::Reference,
        };
        let has_content = !matches!(symbol.place, SymbolPlace::Absolute(_));
        linked.define(&text(symbol.name), address, rank, has_content);
    }
    // Relocations can count from it without naming it.
    let got = link::conventions(graph.graph.target.format).synthesized().got;
    if !got.is_empty() && graph.graph.sections.iter().any(|section| section.name == GOT_SECTION) {
        linked.define(&text(got), graph.got.0, Rank::Reference, false);
    }
}

fn add_blocks(linked: &mut LinkedCode, graph: &FixedUpGraph<'_>) {
    let link_graph = graph.graph;
    for id in link_graph.block_ids() {
        let block = &link_graph.blocks[id.index()];
        let section = &link_graph.sections[block.section.index()];
        let address = block.address.0;
        if !section.thread_local {
            linked.add_block(address, block.size, graph.content(id));
        }
        if link_graph.name.is_empty() {
            continue;
        }
        let file = linked.file_of_graph(&link_graph.name);
        let lowest = file.sections.entry(text(section.name)).or_insert(address);
        *lowest = address.min(*lowest);
        if let ([pointer, ..], GOT_SECTION) = (link_graph.block_edges(id), section.name) {
            let target = &link_graph.symbols[pointer.target.index()];
            file.got.insert(text(target.name), address);
        }
    }
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
