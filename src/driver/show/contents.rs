//! `-show-relocated-section-contents`: the bytes that symbols cover, in rows of 16.

use super::{Defined, defined_symbols, print, sections, text};
use crate::lazy::{FixedUpGraph, Plugin, SessionError};
use std::fmt::Write;

/// Bytes of a row.
const ROW: u64 = 16;

/// Prints the sections of every graph.
pub(super) struct ContentPrinter;

impl Plugin for ContentPrinter {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        for graph in graphs {
            let mut out = String::new();
            // Writing to a string cannot fail.
            dump(&mut out, graph).ok();
            print(&out);
        }
        Ok(())
    }
}

fn dump(out: &mut String, graph: &FixedUpGraph<'_>) -> std::fmt::Result {
    writeln!(out, "Relocated section contents for {}:", graph.graph.name)?;
    let defined = defined_symbols(graph, true);
    let mut listed: Vec<(&[u8], Vec<&Defined<'_>>)> = Vec::new();
    for (name, blocks) in sections(graph) {
        let mut symbols: Vec<&Defined<'_>> = defined.iter().filter(|d| blocks.contains(&d.block)).collect();
        symbols.sort_by_key(|d| d.address);
        listed.push((name, symbols));
    }
    // Those without symbols last.
    listed.sort_by_key(|(_, symbols)| symbols.first().map_or(u64::MAX, |first| first.address.0));
    for (name, symbols) in listed {
        write!(out, "{} content:", text(name))?;
        let Some(first) = symbols.first() else {
            writeln!(out, "\n  section empty")?;
            continue;
        };
        let mut next = first.address.0 & !(ROW - 1);
        for symbol in symbols {
            next = dump_symbol(out, graph, symbol, next)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Prints the bytes of `defined` from address `next` on; answers the address behind them.
fn dump_symbol(
    out: &mut String,
    graph: &FixedUpGraph<'_>,
    defined: &Defined<'_>,
    mut next: u64,
) -> Result<u64, std::fmt::Error> {
    let block = &graph.graph.blocks[defined.block.index()];
    let size = defined.symbol.size.min(block.size.saturating_sub(defined.offset));
    let (start, end) = (defined.address.0, defined.address.0.wrapping_add(size));
    let content = graph.content(defined.block);
    let position = |out: &mut String, at: u64| if at.is_multiple_of(ROW) { write!(out, "\n{at:#x}:") } else { Ok(()) };
    while next < start {
        position(out, next)?;
        out.push_str("   ");
        next += 1;
    }
    while next < end {
        position(out, next)?;
        let byte = content.get((next - block.address.0) as usize).copied().unwrap_or(0);
        write!(out, " {byte:02x}")?;
        next += 1;
    }
    Ok(next)
}
