//! Symbols of the process, by the names that symbol tables have.
//!
//! The process is asked when symbols are resolved, and once more when libraries have come, but never while something is linked. Its dynamic loader has a lock
//! of its own, which a thread holds for as long as constructors of a library run that it opens. Those may call functions of the program that nobody
//! has linked yet, wait for other threads that do, or fork, which waits for all who link: a thread that asked the loader while it has something
//! claimed would wait for the first, and the first for it.
//!
//! So what is weak and absent when the program starts is null for good, as in a static program. What else is absent may come with a library that the
//! program opens before it calls the function that needs it.

use super::ids::EntryId;
use super::session::Session;
use super::symbol_table::{Definition, SymbolTables};
use crate::base::{Arch, ExecutorAddr, Target};
use crate::link;
use crate::rt::executor::ExecutorProcessControl;
use crate::rt::{ThreadLocalPlace, gate};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the process says about `name`, as a symbol table for `target` has it.
///
/// Nothing is run where the process is for another architecture: its addresses are only numbers there, such as code of the target can
/// refer to.
fn lookup(target: Target, executor: &dyn ExecutorProcessControl, name: &[u8]) -> Option<ExecutorAddr> {
    let symbol = link::conventions(target.format).process_symbol(name)?;
    let provided = executor.provided(target.format, symbol.name);
    let found = provided.or_else(|| executor.lookup(symbol.name, symbol.version))?;
    Some(if Arch::host() == Some(target.arch) { found } else { ExecutorAddr(found.0 & !15) })
}

/// An entry that the process is to be asked for, by its name.
type Question = (EntryId, &'static [u8]);

impl Session {
    /// Asks the process for what files and archives were searched for in vain, and answers which of that nothing defines so far. For a thread
    /// that resolves symbols.
    pub(super) fn ask_for_unresolved(&self) -> Vec<EntryId> {
        let questions = {
            let tables = self.tables();
            let wanted = tables.unresolved.iter().filter(|&&id| !tables.is_programs_own(id));
            tables.questions(wanted)
        };
        self.ask(questions);
        let tables = self.tables();
        let is_missing =
            |id: &EntryId| tables.is_asked_for(*id) && (tables.is_programs_own(*id) || tables.answer(*id).is_none());
        tables.unresolved.iter().copied().filter(is_missing).collect()
    }

    /// Asks the process for what is only weakly referred to, for libraries' thread-local variables, and for what is `missing`, which it may
    /// have after all. Once symbols are resolved.
    ///
    /// The dynamic loader can give thread-local variables constant offsets only as long as no thread has memory for them, so that is settled
    /// before the program can use them in another way.
    pub(super) fn ask_for_the_rest(&self, missing: Vec<EntryId>) {
        let (questions, variables) = {
            let mut tables = self.tables_mut();
            tables.missing.extend(missing);
            let weak = tables.resolve_weak_references();
            (tables.questions(weak.iter().chain(&tables.missing)), tables.unknown_variables())
        };
        self.ask(questions);
        self.ask_for_variables(variables);
    }

    /// Asks the process again for what is missing: it may have loaded libraries since. Not for a thread that links.
    pub(super) fn ask_again(&self) {
        let (questions, variables) = {
            let _inside = gate::enter();
            let tables = self.tables();
            (tables.questions(&tables.missing), tables.unknown_variables())
        };
        self.ask(questions);
        self.ask_for_variables(variables);
    }

    /// Asks where the thread-local variables `names` are, and notes the answers.
    fn ask_for_variables(&self, names: Vec<&'static [u8]>) {
        let ask = |name| Some((name, self.executor().lookup_thread_local(name)?));
        let answers: Vec<(&[u8], ThreadLocalPlace)> = names.into_iter().filter_map(ask).collect();
        if !answers.is_empty() {
            let _inside = gate::enter();
            self.tables_mut().library_variables.extend(answers);
        }
    }

    /// Asks `questions`, with nothing locked meanwhile, and notes the answers.
    fn ask(&self, questions: Vec<Question>) {
        let ask = |(id, name)| Some((id, lookup(self.target(), self.executor(), name)?));
        let answers: Vec<(EntryId, ExecutorAddr)> = questions.into_iter().filter_map(ask).collect();
        let _inside = gate::enter();
        let tables = self.tables();
        for (id, address) in answers {
            tables.entries[id.index()].process.set(address);
        }
    }
}

impl SymbolTables {
    /// Whether nothing defines `id`, and the process may: it is then asked for an address. Asked so for a thread-local variable, the dynamic
    /// loader would give that memory in one thread.
    fn is_asked_for(&self, id: EntryId) -> bool {
        self.entries[id.index()].definition == Definition::Undefined && !self.thread_local_references.contains(&id)
    }

    /// Whether the program has to define `id`, before the process is asked.
    fn is_programs_own(&self, id: EntryId) -> bool {
        let entry = &self.entries[id.index()];
        entry.internal || self.conventions.fallback(entry.name).is_some_and(|fallback| fallback.reserved)
    }

    fn answer(&self, id: EntryId) -> Option<ExecutorAddr> {
        self.entries[id.index()].process.get()
    }

    /// What to ask of `wanted`: what has no answer yet.
    fn questions<'a>(&self, wanted: impl IntoIterator<Item = &'a EntryId>) -> Vec<Question> {
        let open = wanted.into_iter().filter(|&&id| self.is_asked_for(id) && self.answer(id).is_none());
        open.map(|&id| (id, self.entries[id.index()].name)).collect()
    }

    /// The thread-local variables that only a library can define, and of which nobody knows where they are.
    fn unknown_variables(&self) -> Vec<&'static [u8]> {
        let entries = self.thread_local_references.iter().map(|&id| &self.entries[self.follow(id).index()]);
        let undefined = entries.filter(|entry| entry.definition == Definition::Undefined).map(|entry| entry.name);
        undefined.filter(|name| !self.library_variables.contains_key(name)).collect()
    }
}

/// The process's symbol of some name: none until it is asked and has one.
#[derive(Debug)]
pub(super) struct ProcessAnswer(AtomicU64);

/// An address that no symbol has.
const NONE: u64 = u64::MAX;

impl Default for ProcessAnswer {
    fn default() -> ProcessAnswer {
        ProcessAnswer(AtomicU64::new(NONE))
    }
}

impl ProcessAnswer {
    /// The address that was answered.
    pub fn get(&self) -> Option<ExecutorAddr> {
        Some(self.0.load(Ordering::Acquire)).filter(|&address| address != NONE).map(ExecutorAddr)
    }

    /// Makes `address` the answer if there is none yet; answers the one there is then.
    pub fn set(&self, address: ExecutorAddr) -> ExecutorAddr {
        match self.0.compare_exchange(NONE, address.0, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => address,
            Err(first) => ExecutorAddr(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_stays() {
        for first in [ExecutorAddr(0), ExecutorAddr(8)] {
            let process = ProcessAnswer::default();
            assert_eq!(process.get(), None);
            assert_eq!(process.set(first), first);
            assert_eq!(process.set(ExecutorAddr(16)), first);
            assert_eq!(process.get(), Some(first));
        }
    }
}
