//! `-show-init-es`, `-show-entry-es`: JITDylibs and their symbols, in the form of ORC's `ExecutionSession::dump`.

use crate::lazy::{DylibState, Session, SymbolProgress, SymbolState};
use std::fmt::Write;
use std::sync::Arc;

/// Prints the state of `session`. The process, which is no JITDylib here, is shown as the one it is in ORC; `process` says whether its
/// symbols are used.
pub(crate) fn print(session: &Arc<Session>, process: bool) {
    let mut out = String::new();
    let address = Arc::as_ptr(session) as usize;
    let mut states = session.describe_dylibs();
    if process {
        for state in &mut states {
            state.link_order.push("Process".into());
        }
        states.insert(0, DylibState { name: "Process".into(), link_order: Vec::new(), symbols: Vec::new() });
    }
    for state in &states {
        // Writing to a string cannot fail.
        dump(&mut out, address, state).ok();
    }
    super::print(&out);
}

fn dump(out: &mut String, session: usize, dylib: &DylibState) -> std::fmt::Result {
    let name = &dylib.name;
    write!(
        out,
        "JITDylib \"{name}\" (ES: 0x{session:016x}, State = Open)\nLink order: [ (\"{name}\", MatchAllSymbols)"
    )?;
    for other in &dylib.link_order {
        write!(out, ", (\"{other}\", MatchExportedSymbolsOnly)")?;
    }
    writeln!(out, " ]\nSymbol table:")?;
    for symbol in &dylib.symbols {
        write!(out, "    \"{}\": ", symbol.name)?;
        match symbol.address.0 {
            0 => write!(out, "<not resolved> ")?,
            address => write!(out, "{address:#x}")?,
        }
        writeln!(out, " {}{}", flags(symbol), progress(symbol))?;
    }
    Ok(())
}

fn flags(symbol: &SymbolState) -> String {
    let kind = if symbol.callable { "[Callable]" } else { "[Data]" };
    let when = |on: bool, text| if on { text } else { "" };
    [kind, when(symbol.weak, "[Weak]"), when(symbol.common, "[Common]"), when(symbol.hidden, "[Hidden]")].concat()
}

fn progress(symbol: &SymbolState) -> String {
    match symbol.progress {
        SymbolProgress::NeverSearched => {
            format!(" Never-Searched (Materializer {:p}, {})", symbol.source.as_ptr(), symbol.source)
        }
        SymbolProgress::Materializing => " Materializing".into(),
        SymbolProgress::Ready => " Ready".into(),
    }
}
