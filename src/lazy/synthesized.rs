//! What the linker itself adds to a batch: graphs for indirect functions and `__dso_handle`, the bounds of memory.

use super::closure::{Closure, Expansion};
use super::error::SessionError;
use super::ids::DylibId;
use super::part::{Findings, Part, Publish, Slot};
use super::redirectable::RedirectableSymbolManager;
use super::session::Session;
use super::trampolines::add_pointers;
use super::unit::MaterializationUnit;
use crate::base::{ExecutorAddr, MemProt, Target};
use crate::link::{LinkError, SymbolId};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The stubs of the indirect functions (`STT_GNU_IFUNC`) of `unit`.
///
/// The address of an indirect function is a stub's, everywhere; the stub's pointer first holds the resolver's address, and what
/// the resolver answers before any code that may call the stub is run.
pub(super) fn indirect_functions(
    closure: &Closure<'_>,
    unit: &Arc<MaterializationUnit>,
    found: &mut Findings,
) -> Result<Part, SessionError> {
    let name = format!("<indirect functions of {}>", unit.file.name);
    let mut part = Part::synthesized(name, unit.file.target);
    let functions = unit.indirect_functions();
    let mut resolvers = Vec::with_capacity(functions.len());
    for &function in functions {
        if let Some((section, offset)) = unit.place(function) {
            let symbol = closure.refer_to_section(&mut part, unit, section, found)?;
            resolvers.push((symbol, offset as i64));
        }
    }
    let row = RedirectableSymbolManager::build(closure.arch, &mut part.graph, functions.len() as u32, |n| {
        resolvers[n as usize]
    });
    part.published.push((row.stubs, Publish::IndirectStubs(unit.clone())));
    part.published.push((row.pointers, Publish::IndirectPointers(unit.clone())));
    Ok(part)
}

/// The address of indirect function `number` of `unit`.
pub(super) fn indirect_stub(session: &Session, unit: &MaterializationUnit, number: u32) -> ExecutorAddr {
    let stride = RedirectableSymbolManager::stride(session.arch());
    unit.indirect.address().offset(u64::from(number) * stride)
}

impl Session {
    /// The pointers of all indirect functions that are linked, and the addresses of their resolvers.
    pub(super) fn indirect_pointers(&self) -> Vec<(u64, u64)> {
        let mut pointers = Vec::new();
        for unit in &self.tables().units {
            let row = unit.indirect_pointers.address();
            for (number, &function) in unit.indirect_functions().iter().enumerate().filter(|_| !row.is_null()) {
                if let Some(resolver) = unit.symbol_address(function) {
                    pointers.push((row.offset(number as u64 * 8).0, resolver.0));
                }
            }
        }
        pointers
    }
}

/// Asks the resolvers of `unit` for implementations, unless that is done.
pub(super) fn resolve_indirect_functions(session: &Session, unit: &MaterializationUnit) {
    if unit.indirect_resolved.load(Ordering::Acquire) {
        return;
    }
    let executor = session.executor();
    for (number, &function) in unit.indirect_functions().iter().enumerate() {
        if let Some(resolver) = unit.symbol_address(function) {
            let pointer = unit.indirect_pointers.address().offset(number as u64 * 8);
            RedirectableSymbolManager::redirect(executor, pointer, executor.call_resolver(resolver));
        }
    }
    unit.indirect_resolved.store(true, Ordering::Release);
}

/// The name of the graph of a JITDylib's `__dso_handle`, as LLVM's platforms have it.
pub(super) const DSO_HANDLE_GRAPH: &str = "<DSOHandleMU>";

impl Expansion<'_, '_> {
    /// The graph's symbol `name` for where linked memory begins or ends.
    pub(super) fn memory_bound(&mut self, name: &'static [u8], end: bool) -> Result<SymbolId, SessionError> {
        if self.closure.relocatable {
            let what = "it asks where linked memory ends, which an image cannot say";
            return Err(LinkError::unsuitable(&self.part.graph.name, what).into());
        }
        Ok(self.part.external(name, 0, Slot::MemoryBound { end }))
    }
}

/// `__dso_handle` of `dylib`: a variable that holds its own address, by which exit handlers are told apart.
pub(super) fn dso_handle(closure: &Closure<'_>, dylib: DylibId, target: Target) -> Part {
    let mut part = Part::synthesized(DSO_HANDLE_GRAPH.into(), target);
    let names = closure.conventions.synthesized();
    let section = part.graph.add_section(names.dso_handle_section, MemProt::Read);
    let claim = closure.tables.dylibs[dylib.index()].dso_handle.clone();
    let itself = part.external(names.dso_handle, 8, super::part::Slot::Claim(claim.clone()));
    let block = add_pointers(closure.arch, &mut part.graph, section, 1, |_| (itself, 0));
    part.published.push((block, Publish::Claim(claim)));
    part
}
