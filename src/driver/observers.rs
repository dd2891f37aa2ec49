//! What the command line asks to be shown, told and recorded, as plugins of the session.

use super::reports::Reports;
use crate::base::Arch;
use crate::cli::{CommandLine, SpeculateArg};
use crate::lazy::{LazyFunction, Plugin};
use crate::observe::{DebuggerSupport, DotGraphs, JitDump, LazyOrder, PerfMap, Stats, TimeTrace, read_lazy_order};
use crate::rt::{CodeMemory, InProcessMemoryManager, MemoryManager, debugger_listens};
use anyhow::{Context, Result, anyhow};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What `-show-graphs` takes for all graphs, in the language of Graphviz; anything else is a regular expression.
pub(super) const DOT: &str = "dot";

/// Observers of one command.
pub(super) struct Observers {
    /// For the session.
    pub plugins: Vec<Box<dyn Plugin>>,
    /// What is reported when the process ends.
    pub reports: Reports,
    /// The functions to begin with, if lazy functions are to be linked ahead.
    pub speculation: Option<Vec<LazyFunction>>,
    code: CodeMemory,
}

impl Observers {
    /// Those that `command` asks for; files that they are to write are made now.
    ///
    /// Errors: files that cannot be written or read, values that make no sense.
    pub fn new(command: &CommandLine) -> Result<Observers> {
        let options = &command.options;
        let mut plugins: Vec<Box<dyn Plugin>> = Vec::new();
        let mut reports = Reports::default();
        let debugger = options.debugger_support.unwrap_or_else(|| !options.noexec && debugger_listens());
        if debugger {
            plugins.push(Box::new(DebuggerSupport::default()));
        }
        let unwritable =
            |(path, error): (PathBuf, std::io::Error)| anyhow!("cannot write '{}': {error}", path.display());
        // Nothing that is not run can be profiled.
        if let Some(arch) = Arch::host().filter(|_| options.perf_support && !options.noexec) {
            let home =
                std::env::var_os("JITDUMPDIR").or_else(|| std::env::var_os("HOME")).unwrap_or_else(|| ".".into());
            plugins.push(Box::new(JitDump::create(Path::new(&home), arch).map_err(unwritable)?));
        }
        if options.perf_map && !options.noexec {
            plugins.push(Box::new(PerfMap::create().map_err(unwritable)?));
        }
        if options.show_graphs.as_deref() == Some(DOT) {
            plugins.push(Box::new(DotGraphs));
        }
        if options.show_times {
            reports.show_times();
        }
        if options.stats.is_some() || options.stats_json.is_some() {
            let stats = Arc::new(Stats::new(Instant::now()));
            plugins.push(Box::new(stats.clone()));
            reports.show_stats(stats, options.stats, options.stats_json.as_deref().map(create).transpose()?);
        }
        if let Some(path) = &options.time_trace {
            let trace = Arc::new(TimeTrace::new(Instant::now()));
            plugins.push(Box::new(trace.clone()));
            reports.write_trace(trace, create(path)?);
        }
        if let Some(path) = &options.record_lazy_execs {
            let order = Arc::new(LazyOrder::default());
            plugins.push(Box::new(order.clone()));
            reports.write_order(order, create(path)?);
        }
        let code = match debugger {
            true => CodeMemory::Breakpoints,
            false if options.perf_map => CodeMemory::Nameless,
            false => CodeMemory::Plain,
        };
        Ok(Observers { plugins, reports, speculation: speculation(command)?, code })
    }

    /// Memory for code that runs here.
    pub fn memory(&self) -> Box<dyn MemoryManager> {
        Box::new(InProcessMemoryManager::for_code(self.code))
    }
}

/// The file at `path`, empty.
fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write '{}'", path.display()))
}

/// What speculation begins with; `None` if there is none.
fn speculation(command: &CommandLine) -> Result<Option<Vec<LazyFunction>>> {
    let options = &command.options;
    let wanted = options.speculate == SpeculateArg::Simple;
    let order = match &options.speculate_order {
        Some(_) if !wanted => {
            eprintln!("rjitlink: warning: -speculate-order ignored because speculation is disabled");
            return Ok(None);
        }
        Some(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read '{name}'"))?;
            read_lazy_order(&name, &text).map_err(|error| anyhow!(error))?
        }
        None => Vec::new(),
    };
    if wanted && !command.plan.inputs.iter().any(|input| input.lazy) {
        eprintln!("rjitlink: warning: -speculate ignored as there are no -lazy inputs");
        return Ok(None);
    }
    Ok(wanted.then_some(order))
}
