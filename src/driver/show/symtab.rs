//! `-write-symtab`: for each graph its name in quotes, then its symbols, an address and a name each. What `-symbolicate-with` reads.

use super::{defined_symbols, text};
use crate::lazy::{FixedUpGraph, Plugin, SessionError, SessionErrorKind};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Writes the symbols of every graph to a file.
pub(super) struct SymbolTableWriter {
    path: String,
    file: Mutex<File>,
}

impl SymbolTableWriter {
    /// To `path`, which is made or emptied.
    ///
    /// Errors: that it cannot be.
    pub fn create(path: &Path) -> Result<SymbolTableWriter> {
        let file = File::create(path).with_context(|| format!("'{}'", path.display()))?;
        Ok(SymbolTableWriter { path: path.display().to_string(), file: Mutex::new(file) })
    }
}

impl Plugin for SymbolTableWriter {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut out = String::new();
        for graph in graphs {
            // Writing to a string cannot fail.
            writeln!(out, "\"{}\"", graph.graph.name).ok();
            for symbol in defined_symbols(graph, false) {
                if !graph.graph.sections[graph.graph.blocks[symbol.block.index()].section.index()].thread_local {
                    writeln!(out, "{:#x} {}", symbol.address.0, text(symbol.symbol.name)).ok();
                }
            }
        }
        // Written before any of it runs: the program may crash.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(out.as_bytes())
            .map_err(|error| SessionErrorKind::Input { file: self.path.clone(), error: error.to_string() }.into())
    }
}
