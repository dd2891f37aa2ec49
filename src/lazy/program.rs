//! Programs: an entry point with the initializers that run before it.

use super::batch::{self, Root};
use super::dynamic_symbols::{self, Interposed};
use super::error::SessionError;
use super::ids::DylibId;
use super::initializer_callees;
use super::initializers::{self, FunctionArrays};
use super::lookup::not_found;
use super::plugin::{self, Step};
use super::session::Session;
use super::thread_locals;
use crate::base::ExecutorAddr;
use crate::rt::gate;
use std::sync::atomic::Ordering;

/// A program that is linked, and of which nothing has run.
#[derive(Debug)]
pub struct LinkedProgram {
    /// The address of its entry point.
    pub entry: ExecutorAddr,
    pub(super) initializers: FunctionArrays,
    pub(super) finalizers: FunctionArrays,
    /// The definitions that loaded libraries refer to, and their addresses.
    pub(super) interposed: Vec<(Interposed, ExecutorAddr)>,
}

impl Session {
    /// Links `entry` of the first of `dylibs` that defines it, together with all initializers and finalizers of `initialized`.
    ///
    /// Errors: as [`Session::lookup`].
    pub fn link_program(
        &self,
        initialized: &[DylibId],
        dylibs: &[DylibId],
        entry: &str,
    ) -> Result<LinkedProgram, SessionError> {
        self.resolve_with(dylibs, entry)?;
        // Before anything is linked, and said to be: the process may have to start again for it.
        let runs = self.executes() || self.relocatable();
        if runs && self.tables().units.iter().any(|unit| unit.file.format.wants_executable_stack()) {
            self.executor().make_stacks_executable()?;
        }
        let (roots, initializers, finalizers, interposed) = {
            let tables = self.tables();
            let found = dylibs.iter().find_map(|&d| self.find(&tables, d, entry).ok());
            let mut roots = vec![Root::Entry(found.ok_or_else(|| not_found(entry))?)];
            let (initializers, finalizers) = initializers::collect(&tables, initialized);
            roots.extend(initializers.roots());
            roots.extend(finalizers.roots());
            roots.extend(thread_locals::roots(&tables));
            roots.extend(initializer_callees::roots(self, &tables, &initializers));
            let mut interposed = Vec::new();
            if runs {
                interposed = dynamic_symbols::interposed(self, &tables);
                roots.extend(interposed.iter().map(|i| Root::Entry(i.entry)));
            }
            (roots, initializers, finalizers, interposed)
        };
        let _inside = gate::enter();
        let addresses = batch::link(self, &roots)?;
        self.progress().end();
        let definitions = addresses[addresses.len() - interposed.len()..].to_vec();
        let interposed = interposed.into_iter().zip(definitions).collect();
        Ok(LinkedProgram { entry: addresses[0], initializers, finalizers, interposed })
    }

    /// Makes `program` known to the process, runs its initializers, once, and has its finalizers run at exit; nothing if the session
    /// executes nothing.
    ///
    /// Errors: what the process says.
    pub fn initialize(&self, program: &LinkedProgram) -> Result<(), SessionError> {
        if !self.executes() {
            return Ok(());
        }
        dynamic_symbols::publish(self, &program.interposed)?;
        self.started.store(true, Ordering::Relaxed);
        let mut at_exit = program.finalizers.functions(self.executor());
        at_exit.reverse();
        if !at_exit.is_empty() {
            self.executor().run_at_exit(at_exit);
        }
        let functions = program.initializers.functions(self.executor());
        plugin::timed(self, None, Step::Initializers, || self.executor().run_initializers(&functions));
        Ok(())
    }
}
