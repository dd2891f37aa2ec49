//! `-add-self-relocations`: where a function forms a pointer to itself, assemblers that know the distance leave no relocation. With
//! this option it gets one, which must not change what the code does: a test of the linker.

use crate::base::Arch;
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use crate::link::arch::x86_64::kind;
use crate::link::{Edge, LinkGraph, SymbolId, SymbolPlace};
use iced_x86::{Decoder, DecoderOptions};

/// From the place of a 32-bit displacement to the end of an instruction without an immediate, as an addend.
const DISPLACEMENT_ADDEND: i64 = -4;

/// Adds the edges.
pub(super) struct SelfRelocations;

impl Plugin for SelfRelocations {
    fn closed(&self, graph: &mut LinkGraph) {
        if graph.target.arch != Arch::X86_64 {
            return;
        }
        for index in 0..graph.symbols.len() as u32 {
            add_to(graph, SymbolId(index));
        }
    }

    fn fixed_up(&self, _: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        Ok(())
    }
}

/// Adds edges for the pointers to `function` in `function`, if it is one.
fn add_to(graph: &mut LinkGraph, function: SymbolId) {
    let symbol = &graph.symbols[function.index()];
    let SymbolPlace::Defined { block, offset } = symbol.place else { return };
    let section = &graph.sections[graph.blocks[block.index()].section.index()];
    if symbol.name.is_empty() || section.prot != crate::base::MemProt::ReadExec {
        return;
    }
    let content = graph.content(block);
    let start = content.len().min(offset as usize);
    let end = content.len().min(start.saturating_add(symbol.size as usize));
    let mut edges = graph.block_edges(block).to_vec();
    let first = edges.len();
    let mut decoder = Decoder::with_ip(64, &content[start..end], offset, DecoderOptions::NONE);
    while decoder.can_decode() {
        let instruction = decoder.decode();
        let places = decoder.get_constant_offsets(&instruction);
        let at = instruction.ip() + places.displacement_offset() as u64;
        let to_itself = instruction.is_ip_rel_memory_operand() && instruction.ip_rel_memory_address() == offset;
        let known = edges.iter().any(|edge| u64::from(edge.offset) == at);
        // With an immediate behind it, the addend would be another one.
        if to_itself && !known && places.displacement_size() == 4 && at + 4 == instruction.next_ip() {
            edges.push(Edge { offset: at as u32, kind: kind::DELTA32, target: function, addend: DISPLACEMENT_ADDEND });
        }
    }
    if edges.len() != first {
        edges.sort_by_key(|edge| edge.offset);
        graph.set_edges(block, edges);
    }
}
