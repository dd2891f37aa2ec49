//! What the command line asks to be shown, told and recorded, as plugins of the session.

use crate::cli::CommandLine;
use crate::lazy::Plugin;
use crate::observe::DebuggerSupport;
use crate::rt::{InProcessMemoryManager, MemoryManager, debugger_listens};

/// Plugins, and what else the options for them need.
#[derive(Default)]
pub(super) struct Observers {
    /// For the session.
    pub plugins: Vec<Box<dyn Plugin>>,
    debugger: bool,
}

impl Observers {
    /// Those that `command` asks for.
    pub fn new(command: &CommandLine) -> Observers {
        let options = &command.options;
        let mut observers = Observers::default();
        observers.debugger = options.debugger_support.unwrap_or_else(|| !options.noexec && debugger_listens());
        if observers.debugger {
            observers.plugins.push(Box::new(DebuggerSupport::default()));
        }
        observers
    }

    /// Memory for code that runs here.
    pub fn memory(&self) -> Box<dyn MemoryManager> {
        Box::new(if self.debugger { InProcessMemoryManager::with_breakpoints() } else { InProcessMemoryManager::new() })
    }
}
